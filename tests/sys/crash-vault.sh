#!/bin/sh
# Changes of vaults and policies are done whole or not at all, whenever the daemon is killed (threats D7).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
vault_status() {
	http GET "/vaults/$NAME" ""
	echo "$HTTP_STATUS"
}
vault='{"token":"west","retentionDays":30,"tags":{"a":"b"}}'
make_before() { :; }
make_client() { client_http PUT "/vaults/$NAME" "" "$vault"; }
make_after() {
	if acknowledged; then
		expect_is "made" 200 "$(vault_status)"
	else
		expect_one_of "made or not" "$(vault_status)" 200 404
	fi
	told "once more" "201|409 Conflict" PUT "/vaults/$NAME" "" "$vault"
	http GET "/vaults/$NAME" ""
	expect_is "whole" "30 b" "$(json '[.retentionDays, .tags.a] | map(tostring) | join(" ")')"
	told "delete" 204 DELETE "/vaults/$NAME" ""
}
change='{"retentionDays":60,"enablePurgeProtection":true,"tags":{"c":"d"}}'
change_before() { http PUT "/vaults/$NAME" "" "$vault"; }
change_client() { client_http PATCH "/vaults/$NAME" "" "$change"; }
change_seen() {
	http GET "/vaults/$NAME" ""
	json '[.retentionDays, .enablePurgeProtection, .tags.c] | map(tostring) | join(" ")'
}
change_after() {
	if acknowledged; then
		expect_is "changed" "60 true d" "$(change_seen)"
	else
		expect_one_of "changed or not" "$(change_seen)" "60 true d" "30 false null"
	fi
	told "once more" 200 PATCH "/vaults/$NAME" "" "$change"
	expect_is "changed after once more" "60 true d" "$(change_seen)"
	told "delete" 204 DELETE "/vaults/$NAME" ""
}
remove_before() { http PUT "/vaults/$NAME" "" "$vault"; }
remove_client() { client_http DELETE "/vaults/$NAME" ""; }
remove_after() {
	if acknowledged; then
		expect_is "removed" 404 "$(vault_status)"
	else
		expect_one_of "removed or not" "$(vault_status)" 200 404
	fi
	told "once more" "204|404 VaultNotFound" DELETE "/vaults/$NAME" ""
	expect_is "removed after once more" 404 "$(vault_status)"
}
user=user:$(id -un)
grant='{"permissions":{"keys":["get","sign"]}}'
grant_path() { echo "/vaults/$NAME/policies/$user"; }
granted() {
	http GET "/vaults/$NAME" ""
	json '.accessPolicies | map(.permissions.keys | join(",")) | join(" ")'
}
grant_before() { http PUT "/vaults/$NAME" "" "$vault"; }
grant_client() { client_http PUT "$(grant_path)" "" "$grant"; }
grant_after() {
	if acknowledged; then
		expect_is "granted" get,sign "$(granted)"
	else
		expect_one_of "granted or not" "$(granted)" get,sign ""
	fi
	told "once more" 200 PUT "$(grant_path)" "" "$grant"
	expect_is "granted after once more" get,sign "$(granted)"
	told "delete" 204 DELETE "/vaults/$NAME" ""
}
revoke_before() {
	http PUT "/vaults/$NAME" "" "$vault"
	http PUT "$(grant_path)" "" "$grant"
}
revoke_client() { client_http DELETE "$(grant_path)" ""; }
revoke_after() {
	if acknowledged; then
		expect_is "revoked" "" "$(granted)"
	else
		expect_one_of "revoked or not" "$(granted)" get,sign ""
	fi
	told "once more" "200|404 NotFound" DELETE "$(grant_path)" ""
	expect_is "revoked after once more" "" "$(granted)"
	told "delete" 204 DELETE "/vaults/$NAME" ""
}
sweep make daemon 1
sweep change daemon 1
sweep remove daemon 1
sweep grant daemon 1
sweep revoke daemon 1
tap_done
