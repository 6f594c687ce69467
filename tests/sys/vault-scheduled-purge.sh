#!/bin/sh
# At its date a deleted key is purged by itself: while the daemon runs, and after a restart; not before (§10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
config_set custodyd clock-jump-limit 30d
config_set custodyd purge-interval 1s
world_start
vault_make week west --retention-days 7
day=86400
delete_key() {
	key_make week "$1" '{"kty":"oct"}'
	echo "${KID##*/}" >"$T/id-$1"
	http DELETE "/keys/$1" week
}
# shellcheck disable=SC2317 # run by wait_for
gone() {
	http GET "/deletedkeys/$1" week
	[ "$HTTP_STATUS" = 404 ]
}
objects() {
	token_tool west --list-objects 2>/dev/null | grep -c "label: *week/$1$"
}

delete_key a
key_make week live '{"kty":"oct"}'
clock_fake $((3 * day))
delete_key b
clock_fake $((7 * day - 300))
# A purge that was due would have run: the interval is a second, and the timer has run before the daemon's clock is asked again.
daemon_reload
wait_for log_has reloaded
answers "before its date it is there" 200 GET /deletedkeys/a week
clock_fake $((7 * day + 1))
tap_ok "at its date it goes by itself" wait_for gone a
tap_is "from the token too" 0 "$(objects a)"
answers "recovery comes too late" "404 KeyNotFound" POST /deletedkeys/a/recover week
answers "the one that was deleted later stays" 200 GET /deletedkeys/b week
tap_is "on the token too" 1 "$(objects b)"

daemon_stop
clock_fake $((10 * day + 1))
daemon_start || bail "no restart"
wait_for token_is west ready
tap_ok "a purge that fell due between two runs is done" wait_for gone b
wait_for test "$(objects b)" -eq 0
tap_is "on the token too" 0 "$(objects b)"
answers "a live key has no date" 200 GET /keys/live week
wait_for grep -q key.purge.done "$T/log/audit.jsonl"
tap_is "the audit has both, by the daemon" "custodyd week a
custodyd week b" "$(jq -r 'select(.operation == "key.purge.done") | .user + " " + .vault + " " + .key' "$T/log/audit.jsonl")"
http GET /status ""
tap_is "nothing is pending" 0 "$(json .intents)"
tap_done
