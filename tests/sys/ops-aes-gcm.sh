#!/bin/sh
# A…GCM: the server makes the nonce; value, nonce, tag and associated data are all bound; one family only (§8; threats E15, E16).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

for bits in 128 192 256; do
	key_make $WEST k$bits "{\"kty\":\"oct\",\"key_size\":$bits,\"key_ops\":[\"encrypt\",\"decrypt\"]}"
	value=$(random_b64 100)
	use $WEST k$bits encrypt A${bits}GCM "$value" "\"aad\":\"$(b64 context)\""
	tap_is "A${bits}GCM: ciphertext as long, nonce of 12, tag of 16 octets" "200 100 12 16 $(b64 context) $KID" \
		"$HTTP_STATUS $(unb64 "$(json .value)" | wc -c) $(unb64 "$(json .iv)" | wc -c) $(unb64 "$(json .tag)" | wc -c) $(json .aad) $(json .kid)"
	parts="\"iv\":\"$(json .iv)\",\"tag\":\"$(json .tag)\""
	cipher=$(json .value)
	use $WEST k$bits decrypt A${bits}GCM "$cipher" "$parts,\"aad\":\"$(b64 context)\""
	tap_is "and back" "200 $value" "$HTTP_STATUS $(json .value)"
	use $WEST k$bits decrypt A${bits}GCM "$cipher" "$parts"
	tap_is "not without its associated data" "400 BadParameter" "$(answer)"
	for other in 128 192 256; do
		[ $other = $bits ] && continue
		use $WEST k$bits encrypt A${other}GCM "$value"
		tap_is "A${other}GCM is not for $bits bits" "400 BadParameter" "$(answer)"
	done
done
use $WEST k256 encrypt A256GCM "$value"
tap_is "without associated data none is echoed" "false 12 16" "$(json 'has("aad")') $(unb64 "$(json .iv)" | wc -c) $(unb64 "$(json .tag)" | wc -c)"
use $WEST k256 decrypt A256GCM "$(json .value)" "\"iv\":\"$(json .iv)\",\"tag\":\"$(json .tag)\""
tap_is "and none is needed" "200 $value" "$HTTP_STATUS $(json .value)"

: >"$T/ivs"
while [ "$(wc -l <"$T/ivs")" -lt 20 ]; do
	use $WEST k256 encrypt A256GCM "$value"
	json .iv >>"$T/ivs"
done
tap_is "twenty encryptions have twenty nonces" 20 "$(sort -u "$T/ivs" | wc -l)"
use $WEST k256 encrypt A256GCM "$value" '"iv":"AAAAAAAAAAAAAAAA"'
tap_like "a nonce of the caller's is never used" "400 BadParameter" "$(answer)"
use $WEST k256 decrypt A256GCM "$cipher"
tap_is "decrypt needs nonce and tag" "400 BadParameter" "$(answer)"

for alg in A256CBC A256CBCPAD; do
	for value in "$(random_b64 32)" "$(random_b64 5)"; do
		for operation in encrypt decrypt; do
			use $WEST k256 $operation $alg "$value" '"iv":"AAAAAAAAAAAAAAAAAAAAAA"'
			tap_is "$alg is not served: $operation" "400 NotSupported" "$(answer)"
		done
	done
done
for operation in wrapkey unwrapkey sign; do
	use $WEST k256 $operation A256KW "$(random_b64 32)"
	tap_like "an encrypting key does not $operation" "40[03] *" "$(answer)"
done
tap_done
