#!/bin/sh
# Every type, size and curve of the dialect is created, with its defaults, and answered as the contract says (§5, §7).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

# makes DESCRIPTION JSON FILTER EXPECTED: the bundle of a new key, through a filter.
makes() {
	http POST /keys/k/create $WEST "$2"
	tap_is "$1" "200 $4" "$HTTP_STATUS $(json "$3")"
}

for size in 2048 3072 4096; do
	makes "RSA of $size bits" "{\"kty\":\"RSA\",\"key_size\":$size}" '.key.kty + " " + .key.e' "RSA AQAB"
	tap_is "its modulus has exactly $size bits" "$((size / 8)) 1" \
		"$(unb64 "$(json .key.n)" | wc -c) $((0x$(unb64 "$(json .key.n)" | head -c 1 | hex) >> 7))"
done
makes "RSA has 2048 bits and six operations by default" '{"kty":"RSA"}' \
	'(.key.n | length | tostring) + " " + (.key.key_ops | sort | join(","))' "342 decrypt,encrypt,sign,unwrapKey,verify,wrapKey"
makes "the HSM spelling is repeated" '{"kty":"RSA-HSM","attributes":{},"tags":{"a":"b"}}' '.key.kty + " " + .tags.a' "RSA-HSM b"
makes "e = 3 where asked for" '{"kty":"RSA","public_exponent":3}' .key.e Aw

for curve in P-256:32 P-384:48 P-521:66 P-256K:32; do
	makes "EC ${curve%:*}" "{\"kty\":\"EC\",\"crv\":\"${curve%:*}\"}" '.key.kty + " " + .key.crv + " " + (.key.key_ops | sort | join(","))' \
		"EC ${curve%:*} sign,verify"
	tap_is "its coordinates are of fixed width" "${curve#*:} ${curve#*:}" \
		"$(unb64 "$(json .key.x)" | wc -c) $(unb64 "$(json .key.y)" | wc -c)"
	tap_ok "and a point of the curve" pubkey_pem "$T/pem"
done
makes "P-256 is the default" '{"kty":"EC-HSM"}' '.key.kty + " " + .key.crv' "EC-HSM P-256"

for size in 128 192 256; do
	makes "oct of $size bits, for wrapping" "{\"kty\":\"oct\",\"key_size\":$size}" \
		'.key.kty + " " + (.key.key_ops | sort | join(","))' "oct unwrapKey,wrapKey"
done
makes "oct for encryption" '{"kty":"oct-HSM","key_size":256,"key_ops":["encrypt","decrypt"]}' \
	'.key.kty + " " + (.key.key_ops | sort | join(","))' "oct-HSM decrypt,encrypt"
makes "a symmetric key shows no key material" '{"kty":"oct"}' '.key | keys | sort | join(",")' "key_ops,kid,kty"
for size in 256 384 512; do
	makes "oct of $size bits, for HMAC" "{\"kty\":\"oct\",\"key_size\":$size,\"key_ops\":[\"sign\",\"verify\"]}" \
		'.key.key_ops | sort | join(",")' "sign,verify"
done

makes "the whole bundle" '{"kty":"EC","key_ops":["verify"],"attributes":{"enabled":false,"nbf":1000,"exp":4000000000},"tags":{"t":"ä\n"}}' \
	'[.key.key_ops[0], .attributes.enabled, .attributes.nbf, .attributes.exp, .attributes.recoveryLevel, .attributes.recoverableDays,
	.attributes.exportable, .attributes.hsmPlatform, .tags.t] | tojson' \
	'["verify",false,1000,4000000000,"Recoverable+Purgeable",90,false,"0","ä\n"]'
# shellcheck disable=SC2016 # of jq
tap_ok "created and updated are now, as integers" jq -e --argjson now "$(date +%s)" \
	'.attributes | .created == .updated and .created <= $now and .created > $now - 60' "$T/body"
makes "nulls are absent members" '{"kty":"oct","key_size":null,"crv":null,"attributes":null,"tags":null,"key_ops":null}' '.attributes | has("exp") or has("nbf")' false
tap_like "the id is the vault's, the key's and 32 hex digits" "https://$WEST.vault.azure.net/keys/k/????????????????????????????????" "$(json .key.kid)"
tap_is "in lower case" "" "$(json .key.kid | sed 's|.*/||' | tr -d '0-9a-f')"
tap_like "the answer is JSON in UTF-8" "*Content-Type: application/json; charset=utf-8*" "$(cat "$T/headers")"
tap_done
