#!/bin/sh
# Rolling: new versions of the keys, then a new generation of the policy's DEP key under them; a bad newer version is refused
# (threats G9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world
policy_make mailbox USA
id=$(json .id)
first=$(json '.generations[0].id')

dep_answers "without newer versions" 200 POST "/policies/$id/refresh"
tap_is "nothing is done" "false 1" "$(json '[.refreshed, (.policy.generations | length)] | join(" ")')"
tap_like "and it says so" "*nothing was done*" "$(json .message)"

newer=$(dep_key $EAST root-east "$AES")
dep_answers "with one newer version" 200 POST "/policies/$id/refresh"
tap_is "there is a second generation" "true 2 2" \
	"$(json '[.refreshed, (.policy.generations | length), .policy.generations[-1].number] | join(" ")')"
tap_is "under the newer versions" "$WEST_KID $newer" "$(json '.policy.generations[-1].keys | join(" ")')"
tap_is "and the same availability key" true "$(json '.policy.generations | .[0].availabilityKey == .[1].availabilityKey')"
# shellcheck disable=SC2016 # jq's own
tap_ok "the audit has which key was resolved to what" jq -se --arg from "$EAST_KID" --arg to "$newer" \
	'.[-1] | .operation == "policy.refresh" and (.detail | contains($from) and contains($to))' "$T/log/dep-audit.jsonl"
dep_answers "the policy is also known by its first generation" 200 GET "/policies/$first"
tap_is "the same one" "$id" "$(json .id)"

dep_key $WEST root-west "$AES" >"$T/bad"
key_change $WEST root-west '{"attributes":{"exp":4000000000}}'
dep_answers "a newer version that breaks a rule" "400 KeyHasExpiry" POST "/policies/USA/refresh?kind=mailbox"
dep GET "/policies/$id"
tap_is "changes nothing" 2 "$(json '.generations | length')"

dep PATCH "/policies/$id" '{"enabled":false}'
dep_answers "a disabled policy" "409 PolicyDisabled" POST "/policies/$id/refresh"
dep GET "/policies?kind=mailbox"
tap_is "the list shows the current generation" 2 "$(json '.value[0].generations[0].number')"
tap_done
