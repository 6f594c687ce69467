#!/bin/sh
# HS*: a key made for it signs and verifies digests, and does nothing else (§8).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

verify() { # ALG DIGEST SIGNATURE
	http POST /keys/k//verify $WEST "{\"alg\":\"$1\",\"digest\":\"$2\",\"value\":\"$3\"}"
	echo "$HTTP_STATUS $(json 'if .error then .error.code else .value | tostring end')"
}
key_make $WEST k '{"kty":"oct","key_size":512,"key_ops":["sign","verify"]}'
for alg in HS256:32 HS384:48 HS512:64; do
	octets=${alg#*:}
	alg=${alg%:*}
	digest=$(random_b64 "$octets")
	use $WEST k sign "$alg" "$digest"
	tap_is "$alg has $octets octets" "200 $octets $KID" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c) $(json .kid)"
	signature=$(json .value)
	unb64 "$digest" >"$T/digest"
	tap_ok "the token itself computes the same" token_tool west --sign --mechanism "SHA${alg#HS}-HMAC" --id "${KID##*/}" \
		--input-file "$T/digest" --output-file "$T/mac"
	tap_is "as the code of the digest" "$signature" "$(b64_of <"$T/mac")"
	use $WEST k sign "$alg" "$digest"
	tap_is "and it is always the same" "$signature" "$(json .value)"
	tap_is "verify: true" "200 true" "$(verify "$alg" "$digest" "$signature")"
	tap_is "verify: another digest" "200 false" "$(verify "$alg" "$(flip "$digest")" "$signature")"
	tap_is "verify: another code" "200 false" "$(verify "$alg" "$digest" "$(flip "$signature")")"
	tap_is "verify: a code cut short" "200 false" "$(verify "$alg" "$digest" "$(printf '%.8s' "$signature")")"
	use $WEST k sign "$alg" "$(random_b64 5)"
	tap_is "a digest of a wrong length" "400 BadParameter" "$(answer)"
done
for operation in wrapkey unwrapkey encrypt decrypt; do
	use $WEST k $operation A256KW "$(random_b64 32)"
	tap_like "it does not $operation" "40[03] *" "$(answer)"
done
key_make $WEST w '{"kty":"oct"}'
use $WEST w sign HS256 "$(random_b64 32)"
tap_is "a wrapping key does not sign" "403 Forbidden KeyOperationForbidden" "$(answer)"
answers "a key of two families is not made" "400 BadParameter" POST /keys/x/create $WEST '{"kty":"oct","key_ops":["sign","wrapKey"]}'
tap_done
