#!/bin/sh
# A token is enrolled or not, never half, whenever daemon or worker is killed; asked again it is (threats D7, B28).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
# A token of its own for each point: it is known from the daemon's next start on.
SWEEP_TOKEN=
enroll_before() {
	[ -z "$SWEEP_TOKEN" ] || rm "$T/conf/token-$SWEEP_TOKEN"
	SWEEP_TOKEN=token$sweep_serial
	daemon_kill
	token_make "$SWEEP_TOKEN"
	daemon_start || bail "no start with $SWEEP_TOKEN"
	wait_for token_is "$SWEEP_TOKEN" not-enrolled || bail "$SWEEP_TOKEN is $(token_state "$SWEEP_TOKEN")"
}
enroll_client() { client_http POST "/tokens/$SWEEP_TOKEN/enroll" ""; }
# shellcheck disable=SC2317 # run by wait_for
enroll_settled() {
	case $(token_state "$SWEEP_TOKEN") in ready | not-enrolled) true ;; *) false ;; esac
}
enroll_after() {
	wait_for enroll_settled
	if acknowledged; then
		expect_is "state" ready "$(token_state "$SWEEP_TOKEN")"
	else
		expect_one_of "state" "$(token_state "$SWEEP_TOKEN")" ready not-enrolled
	fi
	told "once more" "200|409 Conflict" POST "/tokens/$SWEEP_TOKEN/enroll" ""
	expect_is "state after once more" ready "$(token_state "$SWEEP_TOKEN")"
	enroll_objects=$(token_tool "$SWEEP_TOKEN" --list-objects 2>/dev/null | grep -c '^[A-Z][a-z]* Key Object')
	expect_is "objects on the token" 2 "$enroll_objects"
}
sweep enroll daemon 2
sweep enroll worker 3
tap_done
