#!/bin/sh
# A policy is made if all rules hold: each failure has its own code and names the key at fault, and nothing is left behind (threats G9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world
vault_make twin west --enable-purge-protection true
vault_make loose east
vault_make short east --enable-purge-protection true --retention-days 30
for vault in twin loose short; do
	dep_grant $vault $DEP_EXCHANGE get wrapKey unwrapKey
done
audited=$(wc -l <"$T/service/log/audit.jsonl")

# refused DESCRIPTION EXPECTED WORDS URI...: for a policy over these.
refused() {
	refused_description=$1
	refused_expected=$2
	refused_words=$3
	shift 3
	dep_answers "$refused_description" "$refused_expected" POST /policies "$(policy_body mailbox refused "$@")"
	tap_like "and says where" "*$refused_words*" "$(json .error.message)"
}

suffix=vault.azure.net/keys
refused "one key" "400 TwoKeysRequired" "exactly two" "$WEST_URI"
refused "three keys" "400 TwoKeysRequired" "exactly two" "$WEST_URI" "$EAST_URI" "$EAST_URI"
refused "no key URI" "400 BadParameter" "http://" "http://$WEST.$suffix/root-west" "$EAST_URI"
refused "one vault" "400 SameVault" "vault $WEST" "$WEST_URI" "$WEST_KID"
refused "one token" "400 SameToken" "token west" "$WEST_URI" "$(dep_key twin k "$AES")"
refused "no such key" "404 KeyNotFound" "key gone of vault $EAST" "$WEST_URI" "https://$EAST.$suffix/gone"
refused "no such vault, as one without permissions" "403 PermissionMissing" "get, wrapKey, unwrapKey" "$WEST_URI" "https://nowhere.$suffix/k"
refused "a key that signs" "400 KeyTypeNotSupported" "key ec of vault $EAST" "$WEST_URI" \
	"$(dep_key $EAST ec '{"kty":"EC","crv":"P-256","key_ops":["sign","verify"]}')"
expiring=$(dep_key $EAST expiring "$AES")
key_change $EAST expiring '{"attributes":{"exp":4000000000}}'
refused "a key that expires" "400 KeyHasExpiry" "key expiring of vault $EAST" "$WEST_URI" "$expiring"
disabled=$(dep_key $EAST disabled "$AES")
key_change $EAST disabled '{"attributes":{"enabled":false}}'
refused "a disabled key" "403 KeyDisabled" "key disabled of vault $EAST" "$WEST_URI" "$disabled"
refused "a vault that can be purged" "400 RecoveryLevelTooLow" "Recoverable+Purgeable" "$WEST_URI" "$(dep_key loose k "$AES")"
refused "a vault that keeps keys for 30 days" "400 RecoveryLevelTooLow" "CustomizedRecoverable" "$WEST_URI" "$(dep_key short k "$AES")"
dep_grant $EAST $DEP_EXCHANGE get unwrapKey
refused "no permission to wrap" "403 PermissionMissing" "key root-east: wrapKey." "$WEST_URI" "$EAST_URI"
dep_grant $EAST $DEP_EXCHANGE
refused "no permission at all" "403 PermissionMissing" "key root-east: get, wrapKey, unwrapKey." "$WEST_URI" "$EAST_URI"
dep_answers "which is of this application alone" 201 POST /policies "$(policy_body m365 other "$WEST_URI" "$EAST_URI")"
dep_grant $EAST $DEP_EXCHANGE get wrapKey unwrapKey
refused "a key that does not do what it must" "409 KeyUnusable" "mute" "$WEST_URI" \
	"$(dep_key $EAST mute '{"kty":"oct","key_size":256,"key_ops":["wrapKey"]}')"

for name in '' 'two words' 'a/b' '01234567-89ab-4cde-8f01-23456789abcd'; do
	dep_answers "no name: '$name'" "400 BadParameter" POST /policies "$(policy_body mailbox "$name" "$WEST_URI" "$EAST_URI")"
done
tap_ok "of all that nothing is left in the catalog" wait_for nothing_left
dep GET "/policies?kind=mailbox"
tap_is "there is no policy" 0 "$(json '.value | length')"
tap_is "no availability key but the other policy's, live or deleted" "1 0" "$(availability_keys)"
tap_is "and none was made for what its keys excluded" 1 \
	"$(tail -n "+$((audited + 1))" "$T/service/log/audit.jsonl" | jq -s '[.[] | select(.operation == "key.create")] | length')"
tap_done
