#!/bin/sh
# What is wrong at the start is said in one sentence that names it, and nothing is left running or changed
# (threats D13, D17, D18, C7, C9, C10, F20).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root

cat >"$T/conf/token-west" <<EOF
uri = pkcs11:token=west
module = $SOFTHSM_MODULE
pin-source = file:$T/pin-west
region = westus
EOF

# refused DESCRIPTION PATTERN: it ends with status 1, and its one complaint matches.
refused() {
	timeout "$DEADLINE" "$CUSTODYD" --config "$T/custodyd.conf" >"$T/refused.log" 2>&1
	refused_status=$?
	refused_message=$(sed -n 's/^<3>start.failed .*message="\(.*\)" origin=.*$/\1/p' "$T/refused.log")
	# shellcheck disable=SC2254 # a pattern is meant
	case $refused_status:$refused_message in
	1:$2) tap_pass "$1" ;;
	*)
		tap_fail "$1"
		diag "status $refused_status, expected 1:$2"
		diag "$(cat "$T/refused.log")"
		;;
	esac
}

# with OPTION VALUE: the configuration with one option of [custodyd] changed.
with() {
	cp "$T/conf/custodyd" "$T/good"
	config_set custodyd "$1" "$2"
	config_write
	mv "$T/good" "$T/conf/custodyd"
}

# shellcheck disable=SC2317 # run by tap_ok
starts() {
	rm -f "$T/custodyd.exit"
	"$NOTIFY_RUN" "$DEADLINE" "$T/custodyd" "$CUSTODYD" --config "$T/custodyd.conf"
	starts_status=$?
	daemon_stop
	return "$starts_status"
}

config_write
tap_ok "the configuration is good" "$CUSTODYD" --check --config "$T/custodyd.conf"
tap_ok "and it starts with it" starts

# --- modes, owners, links (threats D18)
for file in custody.db custody.db.reserve log/audit.jsonl; do
	for mode in 0640 0604 0620 0602; do
		chmod $mode "$T/$file"
		refused "$file of mode $mode" "*$file has mode $mode; take away*(chmod)*"
	done
	chmod 0600 "$T/$file"
	ln "$T/$file" "$T/second-name"
	refused "$file with a second name" "*$file must be a regular file with one name*"
	rm "$T/second-name"
	mv "$T/$file" "$T/elsewhere"
	ln -s "$T/elsewhere" "$T/$file"
	refused "$file behind a symbolic link" "*$file must be a regular file with one name*"
	rm "$T/$file"
	mkdir "$T/$file"
	refused "a directory instead of $file" "*$file must be a regular file with one name*"
	rmdir "$T/$file"
	mv "$T/elsewhere" "$T/$file"
	chown 12345 "$T/$file"
	refused "$file of somebody else" "*$file must belong to user 0*"
	chown 0 "$T/$file"
done

# --- what is not a catalog of ours, or a newer one (threats D17)
cp "$T/custody.db" "$T/good.db"
sqlite3 "$T/custody.db" 'PRAGMA user_version = 99'
refused "a newer schema, by its version" "*schema version 99; this program knows up to *Use the newer program*"
rm "$T/custody.db"
sqlite3 "$T/custody.db" 'CREATE TABLE mine (x)'
refused "another program's database" "*custody.db is not a catalog of custodyd*"
tap_is "which stays as it was" mine "$(sqlite3 "$T/custody.db" .tables)"
rm -f "$T/custody.db" "$T/custody.db-wal" "$T/custody.db-shm"
mv "$T/good.db" "$T/custody.db"

# --- the socket's place (threats C9, C10)
socket=$T/custodyd.sock
: >"$socket"
refused "a regular file in the socket's place" "*Socket $socket: a file that is no socket is in its place*"
tap_ok "is left there" test -f "$socket"
rm "$socket"
ln -s "$T/nowhere" "$socket"
refused "a symbolic link in the socket's place" "*Socket $socket: a symbolic link is in its place*"
tap_ok "is left there too" test -L "$socket"
rm "$socket"
for directory in writable:1777 shared:0770; do
	mkdir "$T/${directory%:*}"
	chmod "${directory#*:}" "$T/${directory%:*}"
	with socket "$T/${directory%:*}/s"
	refused "a socket in a ${directory%:*} directory" "*its directory is writable by others; chmod go-w it*"
done
mkdir "$T/foreign"
chown 12345 "$T/foreign"
with socket "$T/foreign/s"
refused "a socket in somebody else's directory" "*its directory belongs to another user*"
ln -s "$T" "$T/link"
with socket "$T/link/s"
refused "a socket in a directory behind a link" "*its directory is a symbolic link or no directory*"
with socket "$T/missing/s"
refused "a socket in no directory" "*Socket $T/missing/s: No such file or directory*"
with socket relative/s
refused "a relative path" "*custodyd.conf:*socket*absolute*"
long=$(printf "%0100d" 0)
for octets in 108 109; do
	with socket "$T/$(printf '%s' "$long" | cut -c "1-$((octets - ${#T} - 1))")"
	refused "a socket's path of $octets octets" "*The path of the socket has $octets octets; at most 107 fit*"
done
long_socket=$T/$(printf '%s' "$long" | cut -c "1-$((107 - ${#T} - 1))")
with socket "$long_socket"
tap_ok "of 107 octets is served" starts
cp "$T/conf/token-west" "$T/token-west"
config_set token-west pin-source ask
with socket "$long_socket"
refused "but leaves no room for a login socket beside it" "*The path $long_socket.login-west is too long for a socket*"
mv "$T/token-west" "$T/conf/token-west"
with socket "$T/a b c.sock"
tap_ok "as is one with blanks" starts

# --- the configuration (threats F20, C7)
line_of() { # OPTION
	grep -n "^$1 = " "$T/custodyd.conf" | cut -d : -f 1
}
bad() { # OPTION VALUE PATTERN
	with "$1" "$2"
	refused "$1 = $2" "*custodyd.conf:$(line_of "$1"): $3"
}
bad conections 5 "*conections*"
bad idle-timeout 1 "*idle-timeout*"
bad idle-timeout 1y "*idle-timeout*"
bad connections 7 "*connections*8*65536*"
bad connections 99999999999999999999 "*connections*8*65536*"
bad catalog here.db "*catalog*absolute*"
bad network-filesystem maybe "*network-filesystem*"
bad socket-mode rw "*socket-mode*octal*"
bad log-level loud "*log-level*debug*"
bad dns-suffix Vault..Net "*dns-suffix*"
bad tenant-id 1 "*tenant-id*GUID*"
bad socket-group no-such-group "*socket-group*no such group*"
bad connections-reserved 1024 "*connections-reserved*below connections*"
bad administrators user:no-such-user "*administrators*no-such-user*"
bad administrators "user:root app:00000000-0000-4000-8000-000000000000" "*administrators: An application cannot be an administrator.*"
overflow=$(getent passwd "$(cat /proc/sys/kernel/overflowuid)" | cut -d : -f 1)
bad administrators "user:$overflow" "*administrators*$overflow*"
config_write
echo "catalog = $T/other.db" >>"$T/custodyd.conf"
refused "an option in the wrong section" "*custodyd.conf:$(wc -l <"$T/custodyd.conf"): *catalog*"
config_write
echo "sessions = 1000" >>"$T/custodyd.conf"
refused "a token's option out of its range" "*custodyd.conf:$(wc -l <"$T/custodyd.conf"): *sessions*"
config_write
sed -i 's/^pin-source = .*/pin-source = 1234/' "$T/custodyd.conf"
refused "a PIN in the configuration" "*custodyd.conf:$(line_of pin-source): *pin-source*"
tap_unlike "which is not repeated" "*1234*" "$refused_message"
config_write
echo "neither nor" >>"$T/custodyd.conf"
refused "a line that is none" "*custodyd.conf:$(wc -l <"$T/custodyd.conf"): *"
mv "$T/custodyd.conf" "$T/away"
refused "no configuration" "*custodyd.conf cannot be read: No such file*"

# --- where nothing can ever be written (threats D13)
with catalog /proc/custody.db
refused "a catalog where none can be made" "*/proc/custody.db*"
with audit /proc/audit.jsonl
refused "an audit where none can be made" "*/proc/audit.jsonl*"
with catalog "$T/missing/custody.db"
refused "a catalog in no directory" "*$T/missing/custody.db*No such file*"
with audit "$T/missing/audit.jsonl"
refused "an audit in no directory" "*$T/missing/audit.jsonl*No such file*"

# --- the PIN's file: the daemon serves without that token and says why (threats D18)
token_make west
pin=$T/pin-west
pin_refused() { # DESCRIPTION PATTERN
	: >"$T/custodyd.log"
	tap_ok "$1: it starts" starts
	tap_ok "$1: and says what is wrong" log_has "token.down .*$2"
}
config_write
for mode in 0640 0604; do
	chmod $mode "$pin"
	pin_refused "a PIN of mode $mode" "$pin has mode $mode; take away"
done
chmod 0600 "$pin"
ln "$pin" "$T/second-name"
pin_refused "a PIN with a second name" "$pin must be a regular file with one name"
rm "$T/second-name"
chown 12345 "$pin"
pin_refused "a PIN of somebody else" "$pin must belong to"
chown 0 "$pin"

: >"$T/custodyd.log"
tap_ok "after all this it starts as before" starts
tap_ok "and logs in" log_has "token.state token=west state=not-enrolled"
tap_done
