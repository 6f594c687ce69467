#!/bin/sh
# Where a PIN may come from, what is wrong with a source, and that SIGHUP takes another one (threats B11, F12).
. "$SRCDIR/tests/support/lib.sh"
token_make west
pin=$(cat "$T/pin-west")
mkdir "$T/credentials"
CREDENTIALS_DIRECTORY=$T/credentials
export CREDENTIALS_DIRECTORY
config_set token-west pin-source "file:$T/nothing"
daemon_start || bail "custodyd did not start (status $?)"

# complains SOURCE PATTERN: with this source, the token is unavailable and says why.
complains() {
	config_set token-west pin-source "$1"
	daemon_reload
	wanted=$2
	# shellcheck disable=SC2317 # run by wait_for
	told() {
		http GET /tokens/west ""
		# shellcheck disable=SC2254 # a pattern is meant
		case $(json '.state + ": " + .detail') in
		"unavailable: "$wanted) ;;
		*) return 1 ;;
		esac
	}
	wait_for told || bail "pin-source $1: $(cat "$T/body")"
	tap_pass "pin-source $1: $(json .detail | sed "s|$T||g")"
}

: >"$T/empty"
printf '%s\nmore\n' "$pin" >"$T/lines"
echo "$pin" >"$T/open"
chmod 644 "$T/open"
ln -s "$T/pin-west" "$T/link"
complains "file:$T/nothing" "*nothing cannot be read*"
complains "file:$T/empty" "*empty holds no PIN*"
complains "file:$T/lines" "*lines holds no PIN*"
complains "file:$T/open" "*has mode 0644; take away 0044 (chmod)*"
complains "file:$T/link" "*must be a regular file with one name*"
complains "credential:nothing" "*nothing cannot be read*"
complains "command:/bin/false" "*/bin/false failed*"
complains "command:/bin/true" "*output holds no PIN*"

# What cannot be right by its form changes nothing.
before=$(grep -c reload.refused "$T/custodyd.log")
for source in "credential:../pin-west" "command:bin/true" "file:pin" "$pin"; do
	config_set token-west pin-source "$source"
	daemon_reload
	before=$((before + 1))
	# shellcheck disable=SC2317
	refused() {
		[ "$(grep -c 'reload.refused.*pin-source: must be file:/PATH, credential:NAME, command:/PATH or ask' "$T/custodyd.log")" -eq "$before" ]
	}
	tap_ok "another form is refused" wait_for refused
done
tap_is "a PIN written as source is in no log" "" "$(grep -lF "$pin" "$T"/*.log "$T"/log/* "$T"/custody.db* 2>/dev/null)"

config_set token-west pin-source credential:pin
cp "$T/pin-west" "$T/credentials/pin"
daemon_reload
tap_ok "a systemd credential opens the token" wait_for token_is west not-enrolled

cat >"$T/give" <<EOF
#!/bin/sh
# the PIN, unless a socket is open that is not ours, or an argument is wrong
[ "\$1 \$2" = "for west" ] && ! ls -l /proc/\$\$/fd | grep -q socket: && exec cat '$T/pin-west'
ls -l /proc/\$\$/fd >'$T/give.log'
exit 1
EOF
chmod 700 "$T/give"
before=$(worker_pid west)
config_set token-west pin-source "command:$T/give for west"
daemon_reload
# shellcheck disable=SC2317
another() {
	[ "$(worker_pid west)" != "$before" ] && token_is west not-enrolled
}
tap_ok "so does a command, which gets no socket of ours" wait_for another
tap_is "no PIN anywhere" "" "$(grep -lF "$pin" "$T"/*.log "$T"/log/* "$T"/custody.db* 2>/dev/null)"
tap_done
