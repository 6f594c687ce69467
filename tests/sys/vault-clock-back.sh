#!/bin/sh
# A clock set back lengthens no retention and revives no expired key; times in the audit never decrease (threats D15).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
world_start
back=$((-100 * 86400))
now=$(date +%s) # to the second: the daemon's count of seconds may begin at another fraction
key_make $WEST expired "{\"kty\":\"oct\",\"attributes\":{\"exp\":$((now - 5))}}"
key_make $WEST k '{"kty":"oct"}'
wrap() {
	use $WEST "$1" wrapkey A256KW AAAAAAAAAAAAAAAAAAAAAA
	answer
}
check() { # WHEN
	tap_is "$1: an expired key stays expired" "403 Forbidden KeyExpired" "$(wrap expired)"
	tap_is "$1: a good one works" 200 "$(wrap k)"
	key_make $WEST new '{"kty":"oct"}'
	tap_ok "$1: what is made is not older than what was there" test "$(json .attributes.created)" -ge "$((now - 1))"
	http DELETE /keys/new $WEST
	tap_ok "$1: and deleted keys are due no earlier" test "$(json .scheduledPurgeDate)" -ge $((now - 1 + 90 * 86400))
	http POST /deletedkeys/new/recover $WEST
}

check "before"
clock_fake $back
check "while running"
daemon_stop
daemon_start || bail "no restart"
wait_for token_is west ready
check "after a restart"
jq -r .time "$T/log/audit.jsonl" >"$T/times"
tap_ok "times in the audit never decrease" sort -c "$T/times"
tap_is "and none is of a hundred days ago" 0 "$(awk -v first="$(head -n 1 "$T/times")" '$1 < first' "$T/times" | wc -l)"
tap_done
