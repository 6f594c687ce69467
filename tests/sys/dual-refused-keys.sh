#!/bin/sh
# Which two keys make no envelope: one vault, one token, wrong types, strangers; half an envelope is never made.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
vault_make westtwo west
dual_keys oct
key_make westtwo other '{"kty":"oct"}'
other_vault=$KID
key_make $WEST other '{"kty":"oct"}'
same_vault=$KID
key_make $WEST ec '{"kty":"EC"}'
echo "$KID" >"$T/kid-ec"
key_make $WEST gcm '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
echo "$KID" >"$T/kid-gcm"
key_make $WEST small '{"kty":"oct","key_size":128}'
echo "$KID" >"$T/kid-small"
key_make $WEST signer '{"kty":"RSA","key_size":2048,"key_ops":["sign","verify"]}'
echo "$KID" >"$T/kid-signer"
key_make $WEST e3 '{"kty":"RSA","key_size":2048,"public_exponent":3,"key_ops":["wrapKey","unwrapKey"]}'
echo "$KID" >"$T/kid-e3"
key_make $WEST off '{"kty":"oct","attributes":{"enabled":false}}'
echo "$KID" >"$T/kid-off"
key_make $WEST old '{"kty":"oct","attributes":{"exp":1000}}'
echo "$KID" >"$T/kid-old"
key_make $WEST early '{"kty":"oct","attributes":{"nbf":4000000000}}'
echo "$KID" >"$T/kid-early"
key_make $WEST deleted '{"kty":"oct"}'
echo "$KID" >"$T/kid-deleted"
http DELETE /keys/deleted $WEST

made() { # KEYS-JSON
	http POST /dual/generatekey "" "{\"keys\":$1,\"context\":\"\",\"length\":32}"
	answer
}
tap_is "two keys on two tokens" 200 "$(made "[\"$WEST_KID\",\"$EAST_KID\"]")"
tap_is "two keys in one vault" "400 BadParameter SameVault" "$(made "[\"$WEST_KID\",\"$same_vault\"]")"
tap_is "one key twice" "400 BadParameter SameVault" "$(made "[\"$WEST_KID\",\"$WEST_KID\"]")"
tap_is "two vaults on one token" "400 BadParameter SameToken" "$(made "[\"$WEST_KID\",\"$other_vault\"]")"
for row in "ec 403_Forbidden_KeyOperationForbidden" "gcm 403_Forbidden_KeyOperationForbidden" "signer 403_Forbidden_KeyOperationForbidden" \
	"small 400_BadParameter" "e3 400_BadParameter" "off 403_Forbidden_KeyDisabled" "old 403_Forbidden_KeyExpired" "early 403_Forbidden_KeyNotYetValid" \
	"deleted 404_KeyNotFound"; do
	name=${row% *}
	kid=$(cat "$T/kid-$name")
	tap_is "the key '$name'" "$(echo "${row#* }" | tr _ ' ')" "$(made "[\"$kid\",\"$EAST_KID\"]")"
	tap_is "second too" "$(echo "${row#* }" | tr _ ' ')" "$(made "[\"$EAST_KID\",\"$kid\"]")"
done
version=${WEST_KID##*/}
for kid in "${WEST_KID%/*}/00000000000000000000000000000000" "${WEST_KID%/*/*}/nobody"; do
	tap_is "no such key" "404 KeyNotFound" "$(made "[\"$kid\",\"$EAST_KID\"]")"
done
for kid in "" x "http${WEST_KID#https}" "$WEST_KID/" "${WEST_KID%/*}/" "$WEST_KID?x" "https://$WEST.vault.azure.net:443/keys/west/$version" \
	"https://u@$WEST.vault.azure.net/keys/west/$version" "https://$WEST.vault.azure.net/secrets/west/$version" "https://$WEST.vault.azure.net/keys/we%73t/$version" \
	" $WEST_KID" "keys/west/$version"; do
	tap_is "no key id: '$kid'" "400 BadParameter" "$(made "[\"$kid\",\"$EAST_KID\"]")"
done
tap_is "an unknown vault answers as one without permission" "403 Forbidden ForbiddenByPolicy" \
	"$(made "[\"https://nobody.vault.azure.net/keys/west/$version\",\"$EAST_KID\"]")"
for keys in '[]' "[\"$WEST_KID\"]" "[\"$WEST_KID\",\"$EAST_KID\",\"$other_vault\"]" "\"$WEST_KID\"" null '[1,2]' '{}'; do
	tap_is "not two keys: $(printf '%.20s' "$keys")" "400 BadParameter" "$(made "$keys")"
done
for body in "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"length\":32}" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":null,\"length\":32}" \
	"{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"length\":32,\"more\":1}" "{\"context\":\"\",\"length\":32}" '[]' ''; do
	answers "no request: $(printf '%.12s…%s' "$body" "${body##*]}")" "400 BadParameter" POST /dual/generatekey "" "$body"
done
self=user:$(id -un)
policy_set $EAST "$self" unwrapKey get
tap_is "wrapKey is needed on both vaults" "403 Forbidden ForbiddenByPolicy" "$(made "[\"$WEST_KID\",\"$EAST_KID\"]")"
policy_set $EAST "$self" wrapKey
tap_is "and is enough" 200 "$(made "[\"$WEST_KID\",\"$EAST_KID\"]")"
tap_done
