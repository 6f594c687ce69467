#!/bin/sh
# A clock that jumps 100 days ahead, while running or between two runs, purges nothing and alarms; a person confirms (threats D14).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
config_set custodyd purge-interval 1s
world_start
vault_make week west --retention-days 7
key_make week k '{"kty":"oct"}'
http DELETE /keys/k week
ahead=$((100 * 86400))
alarms() {
	grep -c 'purge.suspended' "$T/custodyd.log"
}
# shellcheck disable=SC2317 # run by wait_for
alarms_over() {
	[ "$(alarms)" -gt "$1" ]
}
suspended() { # WHEN
	before=$(alarms)
	tap_ok "$1: purges are suspended, again and again" wait_for alarms_over $((before + 1))
	answers "$1: nothing is purged" 200 GET /deletedkeys/k week
	answers "$1: and can be recovered" 200 POST /deletedkeys/k/recover week
	http DELETE /keys/k week
	http GET /doctor ""
	tap_is "$1: the doctor says it" clock "$(json '.findings[] | select(.kind == "clock") | .kind')"
	tap_like "$1: the log is an error's" "<3>*" "$(grep 'purge.suspended' "$T/custodyd.log" | tail -n 1)"
}

clock_fake $ahead
suspended "while running"
clock_fake 0
# shellcheck disable=SC2317 # run by wait_for
healed() {
	http GET /doctor ""
	[ "$(json '.findings | length')" = 0 ]
}
tap_ok "put right again, the clock has done no harm" wait_for healed
answers "the key is there" 200 GET /deletedkeys/k week
daemon_stop
clock_fake $ahead
daemon_start || bail "no restart"
wait_for token_is west ready
suspended "between two runs"
daemon_stop
daemon_start || bail "no restart"
suspended "after another restart"

# Deleted by the clock that jumped, this one is due a week after that.
scheduled=$(http GET /deletedkeys/k week; json .scheduledPurgeDate)
tap_ok "what is deleted meanwhile has its full time by the clock" test "$scheduled" -ge $(($(date +%s) + ahead + 7 * 86400 - 60))
tap_ok "a person confirms the date" ctl clock confirm --yes
tap_is "and it is in the audit" "clock.confirm 204" "$(jq -r 'select(.operation == "clock.confirm") | .operation + " " + (.status | tostring)' "$T/log/audit.jsonl")"
tap_ok "the doctor is content" wait_for healed
tap_done
