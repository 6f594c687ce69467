#!/bin/sh
# An update, a deletion and a recovery are done whole or not at all, whenever the daemon is killed (threats D7).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
update='{"attributes":{"enabled":false},"tags":{"a":"b"}}'
update_before() { key_make "$WEST" "$NAME" '{"kty":"oct"}'; }
update_client() { client_http PATCH "$(kid_path "$KID")" "$WEST" "$update"; }
update_after() {
	http GET "/keys/$NAME" "$WEST"
	update_seen=$(json '[.attributes.enabled, .tags.a] | tostring')
	if acknowledged; then
		expect_is "the update" '[false,"b"]' "$update_seen"
	else
		expect_one_of "the update" "$update_seen" '[false,"b"]' '[true,null]'
	fi
	told "once more" 200 PATCH "$(kid_path "$KID")" "$WEST" "$update"
	expect_is "the update after once more" '[false,"b"]' "$(json '[.attributes.enabled, .tags.a] | tostring')"
	key_clear "$WEST" "$NAME"
}

# where: live, deleted, both or neither.
where() {
	http GET "/keys/$NAME" "$WEST"
	where_live=$HTTP_STATUS
	http GET "/deletedkeys/$NAME" "$WEST"
	echo "$where_live $HTTP_STATUS"
}
delete_before() { key_make "$WEST" "$NAME" '{"kty":"oct"}'; }
delete_client() { client_http DELETE "/keys/$NAME" "$WEST"; }
delete_after() {
	if acknowledged; then
		expect_is "deleted" "404 200" "$(where)"
	else
		expect_one_of "deleted or not" "$(where)" "404 200" "200 404"
	fi
	told "once more" "200|404 KeyNotFound" DELETE "/keys/$NAME" "$WEST"
	expect_is "deleted after once more" "404 200" "$(where)"
	told "recover" 200 POST "/deletedkeys/$NAME/recover" "$WEST"
	key_works "$WEST" "$NAME" oct
	key_clear "$WEST" "$NAME"
}
recover_before() {
	key_make "$WEST" "$NAME" '{"kty":"oct"}'
	http DELETE "/keys/$NAME" "$WEST"
}
recover_client() { client_http POST "/deletedkeys/$NAME/recover" "$WEST"; }
recover_after() {
	if acknowledged; then
		expect_is "recovered" "200 404" "$(where)"
	else
		expect_one_of "recovered or not" "$(where)" "404 200" "200 404"
	fi
	told "once more" "200|404 KeyNotFound" POST "/deletedkeys/$NAME/recover" "$WEST"
	expect_is "recovered after once more" "200 404" "$(where)"
	key_works "$WEST" "$NAME" oct
	key_clear "$WEST" "$NAME"
}
sweep update daemon 2
sweep delete daemon 2
sweep recover daemon 2
tap_done
