#!/bin/sh
# Vaults: made, shown, listed, changed, deleted when empty; names, retention, tags and what is refused.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
http DELETE /vaults/$WEST ""
http DELETE /vaults/$EAST ""

answers "a vault is made" 201 PUT /vaults/Contoso-1 "" '{"token":"west","retentionDays":7,"tags":{"a":"b"}}'
tap_is "and answered whole" '["Contoso-1","https://contoso-1.vault.azure.net/","west","westus",7,false,"trusted",{"a":"b"},[]]' \
	"$(json '[.name, .uri, .token, .region, .retentionDays, .enablePurgeProtection, .backup, .tags, .accessPolicies] | tojson')"
tap_ok "with the time" jq -e '.created == .updated and .created > 1700000000' "$T/body"
answers "its maker has no permissions by that" "403 Forbidden ForbiddenByPolicy" GET /keys contoso-1
answers "it exists" "409 Conflict" PUT /vaults/Contoso-1 "" '{"token":"west"}'
answers "in any case of letters" "409 Conflict" PUT /vaults/contoso-1 "" '{"token":"east"}'
answers "defaults" 201 PUT /vaults/plain "" '{"token":"east"}'
tap_is "are 90 days, no protection, backup under the trusted key" '[90,false,"trusted",{}]' "$(json '[.retentionDays, .enablePurgeProtection, .backup, .tags] | tojson')"
http GET /vaults ""
tap_is "both are listed" "Contoso-1 plain" "$(json '[.value[].name] | join(" ")')"
answers "shown in any case" 200 GET /vaults/CONTOSO-1 ""
tap_is "with their own spelling" Contoso-1 "$(json .name)"
answers "no such vault" "404 VaultNotFound" GET /vaults/nobody ""

for bad in '{}' '{"token":1}' '{"token":"west","retentionDays":6}' '{"token":"west","retentionDays":91}' '{"token":"west","retentionDays":"90"}' \
	'{"token":"west","backup":"sometimes"}' '{"token":"west","enablePurgeProtection":1}' '{"token":"west","more":1}' '{"token":"west","tags":{"a":1}}' '[]' ''; do
	answers "no vault: $bad" "400 BadParameter" PUT /vaults/other "" "$bad"
done
answers "a token that is not configured" "404 TokenNotFound" PUT /vaults/other "" '{"token":"north"}'
for name in ab 1ab a--b ab- a_b "$(printf 'a%.0s' $(seq 25))" a.b; do
	http PUT "/vaults/$name" "" '{"token":"west"}'
	tap_is "no name: $name" "400 BadParameter" "$(answer)"
	http GET "/vaults/$name/availability" ""
	tap_is "which can be asked" "200 false AccountNameInvalid" "$(answer) $(json .nameAvailable) $(json .reason)"
done
http GET /vaults/CONTOSO-1/availability ""
tap_is "a name that is taken" "200 false AlreadyExists" "$(answer) $(json .nameAvailable) $(json .reason)"
http GET "/vaults/$(printf 'a%.0s' $(seq 24))/availability" ""
tap_is "a name that is free" '{"nameAvailable":true,"reason":null,"message":null}' "$(cat "$T/body")"
answers "24 letters are one" 201 PUT "/vaults/$(printf 'a%.0s' $(seq 24))" "" '{"token":"west"}'

answers "retention changes before the first key" 200 PATCH /vaults/Contoso-1 "" '{"retentionDays":8}'
answers "tags change" 200 PATCH /vaults/contoso-1 "" '{"tags":{"c":"d"}}'
tap_is "alone" '[8,{"c":"d"},false]' "$(json '[.retentionDays, .tags, .enablePurgeProtection] | tojson')"
answers "nothing changes nothing" 200 PATCH /vaults/contoso-1 "" '{}'
answers "the token does not change" "400 BadParameter" PATCH /vaults/contoso-1 "" '{"token":"east"}'
answers "nor does the backup" "400 BadParameter" PATCH /vaults/contoso-1 "" '{"backup":"never"}'
self=user:$(id -un)
policy_set contoso-1 "$self" all
key_make contoso-1 k '{"kty":"oct"}'
tap_is "identifiers spell the host in lower case" "https://contoso-1.vault.azure.net/keys/k/" "${KID%/*}/"
tap_is "a deleted key's recovery follows the retention" "CustomizedRecoverable+Purgeable 8" "$(json '.attributes | .recoveryLevel + " " + (.recoverableDays | tostring)')"
http PATCH /vaults/contoso-1 "" '{"retentionDays":9}'
tap_like "retention is fixed with the first key" "40[09] *" "$(answer)"
answers "a vault with keys is not deleted" "409 Conflict NotEmpty" DELETE /vaults/contoso-1 ""
http DELETE /keys/k contoso-1
answers "nor one with deleted keys" "409 Conflict NotEmpty" DELETE /vaults/contoso-1 ""
http DELETE /deletedkeys/k contoso-1
daemon_stop
daemon_start || bail "no restart"
answers "a restart later all is there" 200 GET /vaults/contoso-1 ""
tap_is "as it was" '[8,{"c":"d"},"'"$self"'"]' "$(json '[.retentionDays, .tags, .accessPolicies[0].principal] | tojson')"
answers "an empty one is deleted" 204 DELETE /vaults/contoso-1 ""
answers "and gone" "404 VaultNotFound" DELETE /vaults/contoso-1 ""
answers "for the dialect too" "404 VaultNotFound" GET /keys contoso-1
answers "its name is free" 201 PUT /vaults/contoso-1 "" '{"token":"east"}'
answers "its policies went with it" "403 Forbidden ForbiddenByPolicy" GET /keys contoso-1
tap_done
