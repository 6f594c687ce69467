#!/bin/sh
# RSA-OAEP and RSA-OAEP-256: what openssl encrypts with the JWK opens, what is encrypted here opens, at every length (§8, threats E13).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

# by_openssl HASH PLAINTEXT-FILE: ciphertext of openssl under $T/pem, base64url.
by_openssl() {
	openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$2" -pkeyopt rsa_padding_mode:oaep \
		-pkeyopt "rsa_oaep_md:$1" -pkeyopt "rsa_mgf1_md:$1" | b64_of
}

for bits in 2048 3072 4096; do
	octets=$((bits / 8))
	key_make $WEST k "{\"kty\":\"RSA\",\"key_size\":$bits}"
	pubkey_pem "$T/pem" || bail "no public key"
	for alg in RSA-OAEP:sha1:42 RSA-OAEP-256:sha256:66; do
		name=${alg%%:*}
		[ $bits = 2048 ] || [ "$name" = RSA-OAEP-256 ] || continue
		rest=${alg#*:}
		most=$((octets - ${rest#*:}))
		random_octets 32 >"$T/plain"
		plain=$(b64_of <"$T/plain")
		cipher=$(by_openssl "${rest%:*}" "$T/plain")
		for operation in decrypt unwrapkey; do
			use $WEST k $operation "$name" "$cipher"
			tap_is "$operation of openssl's $name, $bits bits" "200 $plain $KID" "$HTTP_STATUS $(json '.value + " " + .kid')"
		done
		for pair in encrypt:decrypt wrapkey:unwrapkey wrapkey:decrypt; do
			use $WEST k ${pair%:*} "$name" "$plain"
			tap_is "${pair%:*} by $name: a ciphertext of the modulus' length" "200 $octets $KID" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c) $(json .kid)"
			use $WEST k ${pair#*:} "$name" "$(json .value)"
			tap_is "and ${pair#*:} opens it" "200 $plain" "$HTTP_STATUS $(json .value)"
		done
		longest=$(random_b64 "$most")
		use $WEST k encrypt "$name" "$longest"
		use $WEST k decrypt "$name" "$(json .value)"
		tap_is "$most octets are the most" "$longest" "$(json .value)"
		use $WEST k encrypt "$name" "$(random_b64 $((most + 1)))"
		tap_is "one more is too much" "400 BadParameter" "$(answer)"
		: >"$T/plain"
		use $WEST k decrypt "$name" "$(by_openssl "${rest%:*}" "$T/plain")"
		tap_is "an empty plaintext is none" "400 BadParameter" "$(answer)"
	done
	use $WEST k decrypt RSA-OAEP "$cipher"
	tap_is "the other hash does not open it" "400 BadParameter" "$(answer)"
done
tap_done
