#!/bin/sh
# A failed sync or write of catalog or audit (threats D3): nothing is told as done that is not on disk, the daemon takes no more changes
# until it has read everything again, and what it was told before is all there.
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
sweep_process=daemon
verdict=fails

# fail_at CALL N: the request's N-th such call says EIO. failed=yes if it was reached.
fail_at() {
	n="$2 of $1"
	: >"$T/trace"
	strace -p "$(daemon_pid)" -o "$T/trace" -e trace="$1" -e inject="$1:error=EIO:when=$2" 2>"$T/strace.err" &
	strace_pid=$!
	wait_for grep -q attached "$T/strace.err" || bail "strace: $(cat "$T/strace.err")"
	CODE=$(sh "$T/client")
	kill -TERM "$strace_pid"
	wait "$strace_pid"
	failed=no
	! grep -q INJECTED "$T/trace" || failed=yes
}

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
all_fail create pwrite64 20
all_fail delete write 2

# Without a restart: the daemon is read-only until it has read everything again from the disk.
writes_again() {
	http PUT "/vaults/again$1" "" '{"token":"west"}'
	[ "$HTTP_STATUS" = 201 ]
}
point_failed=no
for which in 1 2; do
	NAME=again-$which
	delete_before
	delete_client
	fail_at fdatasync "$which"
	tap_is "a failed sync of the $([ "$which" = 1 ] && echo catalog || echo audit) is told" 503 "$CODE"
	tap_ok "later the daemon takes changes" wait_for writes_again "$which"
	delete_after
	invariants
done
tap_ok "after it has read the catalog again" log_has catalog.reopened
tap_ok "and the audit" log_has audit.reopened
tap_is "nothing is lost" no "$point_failed"
tap_done
