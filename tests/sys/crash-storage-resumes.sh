#!/bin/sh
# After a failed sync of catalog or audit (threats D3) the daemon takes no more changes until it has read everything again from the disk;
# that needs no restart.
# shellcheck disable=SC2317 # functions that wait_for calls
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
sweep_name=delete
sweep_process=daemon
verdict=fails
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
