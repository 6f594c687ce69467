#!/bin/sh
# A failed sync or write of catalog or audit (threats D3): nothing is told as done that is not on disk, and what was told before is all there.
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
sweep_process=daemon
verdict=fails

# all_fail NAME CALL STRIDE: at each such call of the request, or each STRIDE-th unless CRASH_STRIDE says otherwise. After each the daemon is killed: what counts is what is on disk.
all_fail() {
	sweep_name=$1
	all_problems=0
	all_points=0
	all_next=1
	failed=yes
	while [ "$failed" = yes ]; do
		all_points=$((all_points + 1))
		sweep_serial=$((sweep_serial + 1))
		NAME=$sweep_name-$sweep_serial
		point_failed=no
		"${sweep_name}_before"
		"${sweep_name}_client"
		fail_at "$2" "$all_next"
		all_next=$((all_next + ${CRASH_STRIDE:-$3}))
		case $failed$2 in
		yesfdatasync) expect_is "the answer" 503 "$CODE" ;;
		yes*) expect_one_of "the answer" "$CODE" 200 204 503 ;;
		esac
		daemon_kill
		daemon_start || bail "no start after $2 $all_points of $sweep_name failed"
		invariants
		"${sweep_name}_after"
		invariants_again
		[ "$point_failed" = no ] || all_problems=$((all_problems + 1))
	done
	[ "$all_points" -gt 1 ] || bail "$sweep_name makes no $2"
	tap_is "$sweep_name survives the failure of $2 at $((all_points - 1)) calls" 0 "$all_problems"
	diag "crash-row $sweep_name daemon $2 $((all_points - 1)) $all_problems"
}

create_before() { :; }
create_client() { client_http POST "/keys/$NAME/create" "$WEST" '{"kty":"oct"}'; }
# The change may be on disk although nobody could know: one version or none.
create_after() {
	[ "$CODE" != 503 ] || CODE=000
	created oct '{"kty":"oct"}'
}
delete_before() { key_make "$WEST" "$NAME" '{"kty":"oct"}'; }
delete_client() { client_http DELETE "/keys/$NAME" "$WEST"; }
delete_after() {
	http GET "/keys/$NAME" "$WEST"
	[ "$CODE" != 200 ] || expect_is "deleted" 404 "$HTTP_STATUS"
	told "once more" "200|404 KeyNotFound" DELETE "/keys/$NAME" "$WEST"
	told "recover" 200 POST "/deletedkeys/$NAME/recover" "$WEST"
	key_works "$WEST" "$NAME" oct
	key_clear "$WEST" "$NAME"
}
all_fail create fdatasync 1
all_fail create pwrite64 30
all_fail delete write 2
tap_done
