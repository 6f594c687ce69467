#!/bin/sh
# SIGHUP: a bad configuration changes nothing and is logged; of a good one everything reloadable is in force, what needs a restart
# is named (threats F20).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
world_start
key_make $WEST k '{"kty":"oct"}'
pid=$(worker_pid west)

events() { # EVENT
	grep -c "^<[0-9]>$1 " "$T/custodyd.log"
}
# shellcheck disable=SC2317 # run by wait_for
events_over() { # EVENT COUNT
	[ "$(events "$1")" -gt "$2" ]
}

# reload EVENT: sends the signal and waits for it.
reload() {
	reload_before=$(events "$1")
	kill -HUP "$(daemon_pid)"
	wait_for events_over "$1" "$reload_before"
}

# bad DESCRIPTION PATTERN: what stands in the file is refused as a whole.
bad() {
	tap_ok "$1: refused" reload reload.refused
	tap_like "$1: and named" "*error=ConfigError*message=\"$2\"*" "$(grep '^<3>reload.refused' "$T/custodyd.log" | tail -n 1)"
	http GET /status ""
	tap_is "$1: nothing changed" "200 $pid" "$HTTP_STATUS $(worker_pid west)"
}

# Each bad file also has a good change, which must not come into force: no administrators but daemon.
good=$T/conf/custodyd
cp "$good" "$T/good"
config_set custodyd administrators user:daemon
config_write
cp "$T/custodyd.conf" "$T/base"
line() { # OPTION
	grep -n "^$1 = " "$T/custodyd.conf" | tail -n 1 | cut -d : -f 1
}
for row in "conections = 3|*no key*conections*" "idle-timeout = soon|*idle-timeout*" "body-size = 2M|*body-size*" \
	"log-level = loud|*log-level*" "socket-group = no-such-group|*socket-group*" "tenant-id = x|*tenant-id*GUID*" \
	"connections-reserved = 1024|*connections-reserved*"; do
	text=${row%%|*}
	sed "/^\[custodyd\]/a $text" "$T/base" >"$T/custodyd.conf"
	bad "$text" "$T/custodyd.conf:2: ${row#*|}"
done
sed 's/^administrators = .*/administrators = user:daemon user:no-such-user/' "$T/base" >"$T/custodyd.conf"
bad "an unknown administrator" "*:$(line administrators): *no-such-user*"
sed '/^administrators/d' "$T/base" >"$T/custodyd.conf"
bad "no administrators" "*administrators*"
sed '/^\[token/,$d' "$T/base" >"$T/custodyd.conf"
bad "no token" "*token NAME*"
sed 's/^region = westus/region = West US/' "$T/base" >"$T/custodyd.conf"
bad "a token's region" "*region*"
sed 's/^region = westus/user = no-such-user/' "$T/base" >"$T/custodyd.conf"
bad "half a token" "*region*"
printf '[application x]\nname = n\nuser = root\n' | cat "$T/base" - >"$T/custodyd.conf"
bad "an application without GUID" "*GUID*"
head -c 40 "$T/base" >"$T/custodyd.conf"
bad "half a file" "$T/custodyd.conf*"
printf '\0' | cat "$T/base" - >"$T/custodyd.conf"
bad "no text" "*custodyd.conf is not a text file*"
rm "$T/custodyd.conf"
bad "no file" "*custodyd.conf cannot be read*"

# --- a good one
cp "$T/good" "$good"
config_set custodyd in-flight-per-caller 1
config_set custodyd body-size 1K
config_set custodyd log-level warning
config_set custodyd tenant-id 11111111-2222-4333-8444-555555555555
config_set custodyd administrators "user:root user:daemon"
config_set custodyd catalog "$T/other.db"
config_set custodyd socket-mode 0600
config_set token-west sessions 1
config_set token-west region northus
cat >"$T/conf/token-third" <<EOF
uri = pkcs11:token=third
module = $SOFTHSM_MODULE
region = thirdus
EOF
config_write
tap_ok "a good one: what needs a restart is named" reload reload.restart-needed
for option in "\[custodyd\] catalog" "\[custodyd\] socket-mode" "\[token third\]"; do
	tap_ok "$option" wait_for log_has "^<4>reload.restart-needed option=\"$option\""
done
# shellcheck disable=SC2317 # run by wait_for
successor() {
	[ "$(worker_pid west)" != "$pid" ] && token_is west ready && [ "$(json .sessions)" = 1 ]
}
tap_ok "a token whose section changed gets a successor" wait_for successor
tap_is "and its new region" northus "$(json .region)"
answers "keys are used" 200 GET /keys/k $WEST
http POST /keys/big/create $WEST "{\"kty\":\"oct\",\"tags\":{\"t\":\"$(printf '%01100d' 0)\"}}"
tap_is "the new limit of a body is in force" 413 "$HTTP_STATUS"
curl -s --unix-socket "$T/custodyd.sock" -D "$T/headers" -o "$T/body" -H "Host: $WEST.vault.azure.net" \
	'http://localhost/keys/k?api-version=7.4'
tap_like "and the new tenant" "*11111111-2222-4333-8444-555555555555*" "$(grep -i www-authenticate "$T/headers")"
tap_is "another administrator" 200 "$(ask 1 GET /status "")"
quiet=$(events request)
http GET /keys/k $WEST
tap_is "the log is quieter" "$quiet" "$(events request)"
tap_ok "the other catalog was not touched" test ! -e "$T/other.db"
tap_is "nor the socket's mode" 666 "$(stat -c %a "$T/custodyd.sock")"
reload reload.restart-needed
tap_is "asked again, it names them again" 2 "$(grep -c 'reload.restart-needed option="\[custodyd\] catalog"' "$T/custodyd.log")"

config_set custodyd administrators user:daemon
rm "$T/conf/token-third"
config_set custodyd catalog "$T/custody.db"
config_set custodyd socket-mode 0666
config_set custodyd log-level info
config_write
tap_ok "an administrator taken away" reload reloaded
answers "is one no more" "403 Forbidden AccessDenied" GET /status ""
tap_done
