#!/bin/sh
# The next version of a key, by rotation, is there whole or not at all, and never takes the old one with it (threats D7, C25).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
version_before() {
	key_make "$WEST" "$NAME" '{"kty":"oct"}'
	old=${KID##*/}
	use "$WEST" "$NAME" wrapkey A256KW AAECAwQFBgcICQoLDA0ODw
	wrapped=$(json .value)
}
version_client() { client_http POST "/keys/$NAME/rotate" "$WEST"; }
version_after() {
	version_count=$(versions "$WEST" "$NAME")
	case $CODE in
	200) expect_is "versions" 2 "$version_count" ;;
	503) expect_is "versions after a refusal" 1 "$version_count" ;;
	*) expect_one_of "versions" "$version_count" 1 2 ;;
	esac
	key_works "$WEST" "$NAME" oct
	use "$WEST" "$NAME/$old" unwrapkey A256KW "$wrapped"
	expect_is "the old version opens what it wrapped" "200 AAECAwQFBgcICQoLDA0ODw" "$(answer) $(json .value)"
	told "once more" 200 POST "/keys/$NAME/rotate" "$WEST"
	expect_is "versions after once more" $((version_count + 1)) "$(versions "$WEST" "$NAME")"
	key_clear "$WEST" "$NAME"
}
sweep version daemon 3
sweep version worker 2
tap_done
