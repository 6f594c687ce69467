#!/bin/sh
# A purge that has begun is finished, one that has not leaves the key whole, whenever daemon or worker is killed (threats D7, B29).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
purge_before() {
	key_make "$WEST" "$NAME" '{"kty":"EC"}'
	key_make "$WEST" "$NAME" '{"kty":"oct"}'
	http DELETE "/keys/$NAME" "$WEST"
}
purge_client() { client_http DELETE "/deletedkeys/$NAME" "$WEST"; }
purge_after() {
	http GET "/deletedkeys/$NAME" "$WEST"
	case $CODE in
	204 | 409) expect_is "the purged key" 404 "$HTTP_STATUS" ;;
	503) expect_is "the key that was not purged" 200 "$HTTP_STATUS" ;;
	*) expect_one_of "the purge" "$HTTP_STATUS" 200 404 ;;
	esac
	if [ "$HTTP_STATUS" = 200 ]; then
		told "recover" 200 POST "/deletedkeys/$NAME/recover" "$WEST"
		key_works "$WEST" "$NAME" oct
		http DELETE "/keys/$NAME" "$WEST"
	fi
	told "once more" "204|404 KeyNotFound" DELETE "/deletedkeys/$NAME" "$WEST"
	told "gone" "404 KeyNotFound" GET "/deletedkeys/$NAME" "$WEST"
}
sweep purge daemon 3
sweep purge worker 3
tap_done
