#!/bin/sh
# Nothing is left of a policy that was not made: not when depd is killed in the middle, not when the service's custody fails there.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world
body=$(policy_body mailbox USA "$WEST_URI" "$EAST_URI")

# The availability key is asked for while depd does not hear of it any more.
process_stop "$(cat "$T/service/custodyd.pid")"
dep POST /policies "$body" &
asking=$!
# shellcheck disable=SC2317 # run by wait_for
begun() {
	[ "$(intents)" -eq 1 ]
}
tap_ok "a policy is begun" wait_for begun
dep_stop KILL
wait $asking
kill -CONT "$(cat "$T/service/custodyd.pid")"
dep_start
tap_ok "killed there, depd undoes it at its next start" wait_for nothing_left
tap_is "without a key left" "0 0" "$(availability_keys)"
dep_answers "and there is no policy" "404 PolicyNotFound" GET "/policies/USA?kind=mailbox"
# shellcheck disable=SC2317 # run by wait_for
made() { # a worker that did not answer may be replaced yet
	dep POST /policies "$body"
	[ "$HTTP_STATUS" = 201 ]
}
tap_ok "so that it can be made" wait_for made
tap_ok "with nothing left beside it" wait_for nothing_left
tap_is "and one availability key" "1 0" "$(availability_keys)"

service token_die sw || exit 1
dep_answers "without the service's token there is no policy" "503 AvailabilityKeyUnusable" POST /policies \
	"$(policy_body mailbox Other "$WEST_URI" "$EAST_URI")"
tap_ok "and what was begun is undone" wait_for nothing_left
tap_is "without a key left" "1 0" "$(availability_keys)"
tap_done
