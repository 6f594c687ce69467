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

# Taken from another catalog or not (threats D12): there is one owner at every instant, and afterwards one lease.
taken_lease() {
	{
		printf CUSTLSE1
		printf 'the other owner.'
		head -c 16 /dev/zero
		printf '\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\011'
	} >"$T/lease"
	token_tool "$SWEEP_TOKEN" --write-object "$T/lease" --type data --label custody-lease --application-label custody \
		--private >"$T/lease.log" 2>&1 || bail "lease: $(cat "$T/lease.log")"
}
taken_before() {
	[ -z "$SWEEP_TOKEN" ] || rm "$T/conf/token-$SWEEP_TOKEN"
	SWEEP_TOKEN=taken$sweep_serial
	daemon_kill
	token_make "$SWEEP_TOKEN"
	taken_lease
	daemon_start || bail "no start with $SWEEP_TOKEN"
	wait_for token_is "$SWEEP_TOKEN" leased || bail "$SWEEP_TOKEN is $(token_state "$SWEEP_TOKEN")"
}
taken_client() { client_http POST "/tokens/$SWEEP_TOKEN/enroll" "" '{"takeOver":true}'; }
taken_settled() {
	case $(token_state "$SWEEP_TOKEN") in ready | not-enrolled | leased) true ;; *) false ;; esac
}
taken_after() {
	wait_for taken_settled
	acknowledged && expect_is "state" ready "$(token_state "$SWEEP_TOKEN")"
	told "once more" "200|409 Conflict" POST "/tokens/$SWEEP_TOKEN/enroll" "" '{"takeOver":true}'
	expect_is "state after once more" ready "$(token_state "$SWEEP_TOKEN")"
	http GET "/tokens/$SWEEP_TOKEN" ""
	expect_is "its lease" "ours 9" "$(json '"\(.lease.state) \(.lease.counter)"')"
	taken_leases=$(token_tool "$SWEEP_TOKEN" --list-objects --type data 2>/dev/null | grep -c custody-lease)
	expect_is "leases on the token" 1 "$taken_leases"
	expect "the audit tells from whom" grep -q '"token.take-over".*746865206f74686572206f776e65722e' "$T/log/audit.jsonl"
}
sweep taken daemon 2
sweep taken worker 3
tap_done
