#!/bin/sh
# Envelopes of given and of random octets, under RSA and oct keys: their shape, their lengths, and that each key alone opens them.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
rsa_west=$WEST_KID
rsa_east=$EAST_KID
key_make $WEST kw '{"kty":"oct"}'
oct_west=$KID
key_make $EAST kw '{"kty":"oct"}'
oct_east=$KID

for pair in "$rsa_west $rsa_east" "$rsa_west $oct_east" "$oct_west $oct_east" "$oct_east $rsa_west"; do
	one=${pair% *}
	two=${pair#* }
	value=$(random_b64 32)
	dual_wrap "$value" "$(b64 mailbox-7)" "$one" "$two"
	tap_is "the recipients are the two keys, in order" "$one $two" "$(json '.envelope.recipients | map(.header.kid) | join(" ")')"
	tap_is "each has its algorithm and an encrypted key, nothing else" "alg,kid encrypted_key,header" \
		"$(json '.envelope.recipients[0] | (.header | keys | join(",")) + " " + (keys | join(","))')"
	protected=$(unb64 "$(json .envelope.protected)")
	tap_is "the protected header says the same" "$(json '.envelope.recipients | map(.header) | tojson')" "$(printf '%s' "$protected" | jq -c '."urn:custodyd:v1".rcp')"
	tap_is "A256GCM and nothing that other tools must understand" '["enc","urn:custodyd:v1"] A256GCM 32 32' \
		"$(printf '%s' "$protected" | jq -r '(keys | tojson) + " " + .enc') $(unb64 "$(printf '%s' "$protected" | jq -r '."urn:custodyd:v1".id')" |
			wc -c) $(unb64 "$(printf '%s' "$protected" | jq -r '."urn:custodyd:v1".com')" | wc -c)"
	tap_is "the context is the aad; iv, tag and ciphertext have their lengths" "$(b64 mailbox-7) 12 16 32" \
		"$(json .envelope.aad) $(unb64 "$(json .envelope.iv)" | wc -c) $(unb64 "$(json .envelope.tag)" | wc -c) $(unb64 "$(json .envelope.ciphertext)" | wc -c)"
	dual unwrapkey "$T/envelope" "$(b64 mailbox-7)"
	tap_is "it opens" "200 $value false" "$HTTP_STATUS $(json '.value + " " + (.degraded | tostring)')"
	tap_is "by one of its keys" 1 "$(printf '%s\n' "$one" "$two" | grep -cxF "$(json .kid)")"
	dual check "$T/envelope" "$(b64 mailbox-7)"
	tap_is "by each of them" "2 west opened, east opened" "$(json .redundancy) $(attempts)"
done

for octets in 1 4096; do
	value=$(random_b64 $octets)
	dual_wrap "$value"
	dual unwrapkey
	tap_is "$octets octets" "200 $value" "$HTTP_STATUS $(json .value)"
done
tap_is "an empty context has no aad" null "$(jq -r .aad "$T/envelope")"
for bad in "" "$(random_b64 4097)" "AAA=+" "A"; do
	http POST /dual/wrapkey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"value\":\"$bad\"}"
	tap_is "no value: $(printf '%.6s' "$bad")" "400 BadParameter" "$(answer)"
done

: >"$T/values"
for octets in 16 32 64 32; do
	http POST /dual/generatekey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"length\":$octets}"
	tap_is "a random key of $octets octets" "200 $octets" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c)"
	value=$(json .value)
	echo "$value" >>"$T/values"
	jq -c .envelope "$T/body" >"$T/envelope"
	dual unwrapkey
	tap_is "is in the envelope" "200 $value" "$HTTP_STATUS $(json .value)"
done
tap_is "never the same" 4 "$(sort -u "$T/values" | wc -l)"
for bad in 15 65 0 -1 '"32"' 1.5 null; do
	http POST /dual/generatekey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"length\":$bad}"
	tap_is "no length: $bad" "400 BadParameter" "$(answer)"
done

dual_wrap "$(random_b64 32)" "" "${WEST_KID%/*}" "${EAST_KID%/*}"
tap_is "keys without a version are pinned to the newest" "$WEST_KID $EAST_KID" "$(json '.envelope.recipients | map(.header.kid) | join(" ")')"
tap_like "keys of 2048 bits are warned of" "*2048 bits*" "$(json '.warnings[0]')"
tap_done
