#!/bin/sh
# A token that asks gets its PIN by custodyctl token login, and nobody else sees it (threats F12).
. "$SRCDIR/tests/support/lib.sh"
token_make west
token_make east
pin=$(cat "$T/pin-west")
config_set token-west pin-source ask
daemon_start || bail "custodyd did not start (status $?)"
wait_for token_is west login-needed
tap_is "the token waits" login-needed "$(token_state west)"
tap_ok "at a socket of its own" test -S "$T/custodyd.sock.login-west"

echo "$pin" >"$T/typed"
chmod 644 "$T/typed"
tap_exits "a PIN file that others can read is refused" 3 ctl token login --name west --pin-file "$T/typed"
chmod 600 "$T/typed"
tap_ok "the PIN is taken from a file" ctl token login --name west --pin-file "$T/typed"
wait_for token_is west not-enrolled
tap_is "the token is logged in" not-enrolled "$(token_state west)"
tap_ok "and can be enrolled" ctl token enroll --name west
tap_exits "one that does not wait says so" 3 ctl token login --name west --pin-file "$T/typed"
tap_exits "and what is no name of a token" 2 ctl token login --name west/x --pin-file "$T/typed"

tap_is "the PIN is in no log and no audit" "" "$(grep -lF "$pin" "$T"/*.log "$T"/log/* "$T/custody.db"*)"
seen=no
for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
	tr '\0' '\n' <"$file" 2>/dev/null | grep -qxF "$pin" && seen=$file
done
tap_is "and in no command line or environment" no "$seen"
tap_done
