#!/bin/sh
# The date is confirmed and what is due then purged, once and whole, whenever daemon or worker is killed (threats D7, D14).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
clock_fake 0
world_start
vault_make week west --retention-days 7
SWEEP_FINDING=clock # as long as nobody confirmed it
days=0
# Each point is eight days later: the clock has jumped, purges wait for the administrator.
due_before() {
	key_make week "$NAME" '{"kty":"EC"}'
	http DELETE "/keys/$NAME" week
	days=$((days + 8))
	clock_fake $((days * 86400))
}
due_client() {
	client_http POST /clock/confirm ""
	client_waits "grep -q '\"key.purge.done\".*\"$NAME\"' '$T/log/audit.jsonl'"
}
# shellcheck disable=SC2317
due_gone() {
	http GET "/deletedkeys/$NAME" week
	[ "$HTTP_STATUS" = 404 ]
}
due_after() {
	if acknowledged; then
		wait_for due_gone || point_problem "a confirmed purge is not done"
	fi
	told "once more" 204 POST /clock/confirm ""
	wait_for due_gone || point_problem "the purge is not done after once more"
	expect_one_of "records of the purge" "$(grep -c "\"key.purge.done\".*\"$NAME\"" "$T/log/audit.jsonl")" 1 2
	http POST "/deletedkeys/$NAME/recover" week
	expect_is "recovery comes too late" "404 KeyNotFound" "$(answer)"
}
sweep due daemon 3
sweep due worker 2
tap_done
