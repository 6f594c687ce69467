#!/bin/sh
# ES*: r and s of fixed width, verified by openssl; each algorithm with its own curve only (§8).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

# shellcheck disable=SC2317 # run by tap_ok
by_openssl() { # DIGEST SIGNATURE
	unb64 "$1" >"$T/digest"
	ecdsa_der "$2" >"$T/signature" && openssl pkeyutl -verify -pubin -inkey "$T/pem" -in "$T/digest" -sigfile "$T/signature"
}
verify() { # ALG DIGEST SIGNATURE
	http POST /keys/k//verify $WEST "{\"alg\":\"$1\",\"digest\":\"$2\",\"value\":\"$3\"}"
	echo "$HTTP_STATUS $(json 'if .error then .error.code else .value | tostring end')"
}

for row in P-256:ES256:32:64 P-384:ES384:48:96 P-521:ES512:64:132 P-256K:ES256K:32:64; do
	IFS=: read -r curve alg octets width <<-END
		$row
	END
	key_make $WEST k "{\"kty\":\"EC\",\"crv\":\"$curve\"}"
	pubkey_pem "$T/pem" || bail "no public key"
	widths=
	for i in 1 2 3 4 5 6; do
		digest=$(random_b64 "$octets")
		use $WEST k sign "$alg" "$digest"
		signature=$(json .value)
		widths="$widths $(unb64 "$signature" | wc -c)"
		tap_ok "$alg, $i: openssl verifies it" by_openssl "$digest" "$signature"
	done
	tap_is "always of $width octets" " $width $width $width $width $width $width" "$widths"
	tap_is "verify says so too" "200 true" "$(verify "$alg" "$digest" "$signature")"
	tap_is "false for another digest" "200 false" "$(verify "$alg" "$(flip "$digest")" "$signature")"
	tap_is "false for another signature" "200 false" "$(verify "$alg" "$digest" "$(flip "$signature")")"
	tap_is "false for zeros" "200 false" "$(verify "$alg" "$digest" "$(head -c "$width" /dev/zero | b64_of)")"
	tap_is "false for the DER of it" "200 false" "$(verify "$alg" "$digest" "$(ecdsa_der "$signature" | b64_of)")"
	use $WEST k sign "$alg" "$(random_b64 $((octets - 1)))"
	tap_is "a digest of a wrong length" "400 BadParameter" "$(answer)"
	tap_like "names the right one" "*$octets*" "$(json .error.message)"
	for other in ES256 ES384 ES512 ES256K RS256; do
		[ $other = "$alg" ] && continue
		case $other in
		ES384) other_octets=48 ;;
		ES512) other_octets=64 ;;
		*) other_octets=32 ;;
		esac
		use $WEST k sign $other "$(random_b64 $other_octets)"
		tap_is "$other is not for $curve" "400 BadParameter" "$(answer)"
	done
done
for operation in encrypt decrypt wrapkey unwrapkey; do
	use $WEST k $operation RSA-OAEP "$(random_b64 32)"
	tap_is "an EC key does not $operation" "403 Forbidden KeyOperationForbidden" "$(answer)"
done
tap_done
