#!/bin/sh
# A…KW: RFC 3394 lengths exactly, the prefix is the key's size, any flipped bit is found (§8; threats A3, A20).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

for bits in 128 192 256; do
	key_make $WEST k$bits "{\"kty\":\"oct\",\"key_size\":$bits}"
	for alg in A${bits}KW CKM_AES_KEY_WRAP; do
		for octets in 16 24 32 64; do
			value=$(random_b64 $octets)
			use $WEST k$bits wrapkey "$alg" "$value"
			tap_is "$alg of $octets octets makes eight more" "200 $((octets + 8)) $KID" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c) $(json .kid)"
			wrapped=$(json .value)
			use $WEST k$bits unwrapkey "$alg" "$wrapped"
			tap_is "and comes back" "200 $value" "$HTTP_STATUS $(json .value)"
		done
	done
	for octets in 1 8 15 17 20 33 72; do
		use $WEST k$bits wrapkey A${bits}KW "$(random_b64 $octets)"
		tap_is "A${bits}KW of $octets octets is refused (A20)" "400 BadParameter" "$(answer)"
		tap_like "with the reason" "*multiple of 8*" "$(json .error.message)"
	done
	for other in 128 192 256; do
		[ $other = $bits ] && continue
		use $WEST k$bits wrapkey A${other}KW "$(random_b64 32)"
		tap_is "A${other}KW is not for $bits bits" "400 BadParameter" "$(answer)"
	done
done
value=$(random_b64 32)
use $WEST k256 wrapkey A256KW "$value"
wrapped=$(json .value)
i=0
while [ $i -lt 40 ]; do
	use $WEST k256 unwrapkey A256KW "$(flip "$wrapped" $i)"
	tap_is "a flipped bit in octet $i is found" "400 BadParameter" "$(answer)"
	i=$((i + 7))
done
use $WEST k256 wrapkey CKM_AES_KEY_WRAP_PAD "$(random_b64 17)"
if [ "$HTTP_STATUS" = 200 ]; then
	use $WEST k256 unwrapkey CKM_AES_KEY_WRAP_PAD "$(json .value)"
	tap_is "padded wrapping, where it is served, returns what it was given" 17 "$(unb64 "$(json .value)" | wc -c)"
else
	tap_is "padded wrapping is not served by a token that gets its lengths wrong (A20)" "400 NotSupported" "$(answer)"
fi
for alg in A256GCM A256CBC RSA-OAEP; do
	use $WEST k256 wrapkey "$alg" "$value"
	tap_like "$alg does not wrap" "400 *" "$(answer)"
done
for operation in encrypt decrypt sign verify; do
	http POST /keys/k256//$operation $WEST "{\"alg\":\"A256KW\",\"value\":\"$value\",\"digest\":\"$value\"}"
	tap_like "a wrapping key does not $operation" "40[03] *" "$(answer)"
done
tap_done
