#!/bin/sh
# A wrong PIN is tried once for each content of its file, over restarts of worker and daemon; a corrected file heals by itself
# (threats B11).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/spy.sh"
token_make west
token_make east
spy_on west
pin=$(cat "$T/pin-west")
echo "not-$pin" >"$T/pin-west"
daemon_start || bail "custodyd did not start (status $?)"
wait_for token_is west refused
tap_is "the token is refused" refused "$(token_state west)"
tap_like "and says why" "PinRefused *" "$(http GET /tokens/west "" && json '.lastError.code + " " + .detail')"
tap_is "the PIN was tried" 1 "$(spy_count west C_Login)"
tap_is "the other token goes on" not-enrolled "$(token_state east)"

rm "$T/conf/token-east" # its login and probing would be waited for at each start
restarts=0
while [ $restarts -lt 20 ]; do
	[ $((restarts % 2)) -eq 0 ] && signal=TERM || signal=KILL
	daemon_stop "$signal"
	daemon_start || bail "custodyd did not start again (status $?)"
	wait_for token_is west refused || bail "token west is $(token_state west)"
	restarts=$((restarts + 1))
done
tap_is "after 20 restarts it was tried once" 1 "$(spy_count west C_Login)"
daemon_reload
wait_for log_has '"*reloaded' || bail "no reload"
touch "$T/pin-west" # looks changed, is not
starts=$(spy_count west C_Initialize)
# shellcheck disable=SC2317 # run by wait_for
looked() {
	[ "$(spy_count west C_Initialize)" -gt "$starts" ] && token_is west refused
}
wait_for looked || bail "the touched file was not looked at"
tap_is "nor by a reload, nor for a file that was only touched" 1 "$(spy_count west C_Login)"

echo "still-not-$pin" >"$T/pin-west"
# shellcheck disable=SC2317
tried_twice() {
	[ "$(spy_count west C_Login)" -eq 2 ] && token_is west refused
}
tap_ok "another content is tried, once" wait_for tried_twice
echo "$pin" >"$T/pin-west"
tap_ok "the right one heals by itself" wait_for token_is west not-enrolled
tap_is "with one login" 3 "$(spy_count west C_Login)"
tap_is "no wrong PIN is in logs, audit, catalog" "" "$(grep -lF "not-$pin" "$T"/*.log "$T"/log/* "$T"/custody.db* 2>/dev/null)"
tap_done
