#!/bin/sh
# What is left of a change is settled although the daemon is killed while it settles it (threats D7, B28).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
# The worker stands still in the midst of a change that is in the catalog; with its end the settling begins.
freeze() {
	frozen=$(worker_pid west)
	process_stop "$frozen"
	curl -K "$T/client.curl" >"$T/frozen.code" &
	wait_for intent_there || bail "no intent"
}
intent_there() {
	[ "$(sqlite3 "$T/custody.db" 'SELECT count(*) FROM intent')" = 1 ]
}
# From the worker's death to the log's line that says that all is settled.
settled_client() {
	printf 'kill -KILL %s\necho 200\n' "$frozen" >"$T/client"
	client_waits "tail -n +$log_lines '$T/custodyd.log' | grep -q 'reconcile.settled.*$NAME'"
}
undo_before() {
	client_http POST "/keys/$NAME/create" "$WEST" '{"kty":"EC"}'
	log_lines=$(wc -l <"$T/custodyd.log")
	freeze
}
undo_client() { settled_client; }
undo_after() {
	wait
	expect_is "versions" 0 "$(versions "$WEST" "$NAME")"
	told "once more" 200 POST "/keys/$NAME/create" "$WEST" '{"kty":"EC"}'
	key_works "$WEST" "$NAME" EC
	key_clear "$WEST" "$NAME"
}
finish_before() {
	key_make "$WEST" "$NAME" '{"kty":"EC"}'
	http DELETE "/keys/$NAME" "$WEST"
	client_http DELETE "/deletedkeys/$NAME" "$WEST"
	log_lines=$(wc -l <"$T/custodyd.log")
	freeze
}
finish_client() { settled_client; }
finish_after() {
	wait
	told "purged" "404 KeyNotFound" GET "/deletedkeys/$NAME" "$WEST"
	told "the name is free" 200 POST "/keys/$NAME/create" "$WEST" '{"kty":"EC"}'
	key_works "$WEST" "$NAME" EC
	key_clear "$WEST" "$NAME"
}
sweep undo daemon 3
sweep finish daemon 2
tap_done
