#!/bin/sh
# A policy's keys can be checked at any time: the same rules as at its creation, as a table, and nothing changes.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world
policy_make m365 Contoso_Global
before=$(json -S .)

failures() {
	json '[.checks[] | select(.result == "failed") | .rule, .key // "both", .code] | join(" ")'
}

dep_answers "with both keys well" 200 POST "/policies/Contoso_Global/validate?kind=m365"
tap_is "it is valid, each rule for each key" "true 20 passed" \
	"$(json '[.valid, (.checks | length), ([.checks[].result] | unique | join(","))] | join(" ")')"

key_change $EAST root-east '{"attributes":{"enabled":false}}'
dep_answers "with one key disabled" 200 POST "/policies/Contoso_Global/validate?kind=m365"
tap_is "it is not, and says why" "false enabled $EAST_URI KeyDisabled" "$(json .valid) $(failures)"
tap_is "what was not tried is not said to be good" "usable" \
	"$(json '[.checks[] | select(.result == "not checked") | .rule] | unique | join(" ")')"
key_change $EAST root-east '{"attributes":{"enabled":true}}'

dep_grant $WEST $DEP_M365 get wrapKey
dep_answers "with a permission taken away" 200 POST "/policies/Contoso_Global/validate?kind=m365"
tap_is "it names the key" "permissions $WEST_URI PermissionMissing" "$(failures)"
tap_like "and what is missing" "*: unwrapKey." "$(json '.checks[] | select(.result == "failed") | .message')"
dep_grant $WEST $DEP_M365 get wrapKey unwrapKey

token_die west
dep_answers "with a token gone" 200 POST "/policies/Contoso_Global/validate?kind=m365"
tap_like "its key does not work" "false usable *KeyUnusable*" "$(json .valid) $(failures)"
token_return west

dep GET "/policies/Contoso_Global?kind=m365"
tap_is "the policy is as it was" "$before" "$(json -S .)"
tap_done
