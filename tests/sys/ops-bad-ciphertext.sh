#!/bin/sh
# Whatever is wrong with a ciphertext, the answer is the same in every byte but the request id (§8; threats A13, A15, A16).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

: >"$T/answers"
# bad DESCRIPTION KEY OPERATION ALG VALUE [MORE]: the whole answer, without request id, is noted.
bad() {
	use $WEST "$2" "$3" "$4" "$5" ${6:+"$6"}
	printf '%s %s %s\n' "$HTTP_STATUS" "$(tr -d '\r' <"$T/headers" | grep -v '^x-ms-request-id:' | tr '\n' ' ')" "$(cat "$T/body")" >"$T/answer"
	cat "$T/answer" >>"$T/answers"
	tap_is "$1" "400 BadParameter" "$(answer)"
}
# number HEX OCTETS: an unsigned number, right-aligned.
number() {
	unhex "$(printf "%$(($2 * 2))s" "$1" | tr ' ' 0)" | b64_of
}

key_make $WEST r '{"kty":"RSA","key_size":2048}'
pubkey_pem "$T/pem" || bail "no public key"
modulus=$(unb64 "$(json .key.n)" | hex)
minus_1=${modulus%??}$(printf '%02x' $((0x${modulus#"${modulus%??}"} - 1)))
plus_1=$(printf '%s' "$modulus" | sed 's/....$//')$(printf '%04x' $((0x${modulus#"${modulus%????}"} + 1)))
plain=$(random_b64 32)
unb64 "$plain" >"$T/plain"
oaep=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/plain" -pkeyopt rsa_padding_mode:oaep \
	-pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 | b64_of)
mixed=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/plain" -pkeyopt rsa_padding_mode:oaep \
	-pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1 | b64_of)
labelled=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/plain" -pkeyopt rsa_padding_mode:oaep \
	-pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:6c | b64_of)
pkcs1=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/plain" -pkeyopt rsa_padding_mode:pkcs1 | b64_of)
{
	printf '\001'
	random_octets 255
} >"$T/first"
first=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/first" -pkeyopt rsa_padding_mode:none 2>/dev/null | b64_of)
key_make $WEST other '{"kty":"RSA","key_size":2048}'
use $WEST other encrypt RSA-OAEP-256 "$plain"
foreign=$(json .value)
for operation in decrypt unwrapkey; do
	use $WEST r $operation RSA-OAEP-256 "$oaep"
	tap_is "the good one opens: $operation" "200 $plain" "$HTTP_STATUS $(json .value)"
	bad "RSA: 0" r $operation RSA-OAEP-256 "$(number 0 256)"
	bad "RSA: 1" r $operation RSA-OAEP-256 "$(number 1 256)"
	bad "RSA: n - 1" r $operation RSA-OAEP-256 "$(number "$minus_1" 256)"
	bad "RSA: n" r $operation RSA-OAEP-256 "$(number "$modulus" 256)"
	bad "RSA: n + 1" r $operation RSA-OAEP-256 "$(number "$plus_1" 256)"
	bad "RSA: 2^2048 - 1" r $operation RSA-OAEP-256 "$(number "$(printf 'ff%.0s' $(seq 256))" 256)"
	bad "RSA: random" r $operation RSA-OAEP-256 "$(number "3f$(random_octets 255 | hex)" 256)"
	bad "RSA: one octet short" r $operation RSA-OAEP-256 "$(unb64 "$oaep" | tail -c 255 | b64_of)"
	bad "RSA: one octet long" r $operation RSA-OAEP-256 "$(unb64 "$oaep" | { printf '\000' && cat; } | b64_of)"
	bad "RSA: one octet" r $operation RSA-OAEP-256 AA
	bad "RSA: 3,000 octets" r $operation RSA-OAEP-256 "$(random_b64 3000)"
	bad "RSA: last bit flipped" r $operation RSA-OAEP-256 "$(flip "$oaep")"
	bad "RSA: a bit flipped within" r $operation RSA-OAEP-256 "$(flip "$oaep" 100)"
	bad "RSA: the other hash" r $operation RSA-OAEP "$oaep"
	bad "RSA: another hash in MGF1 (E13)" r $operation RSA-OAEP-256 "$mixed"
	bad "RSA: a label" r $operation RSA-OAEP-256 "$labelled"
	bad "RSA: PKCS#1 padding" r $operation RSA-OAEP-256 "$pkcs1"
	bad "RSA: no padding, first octet not zero" r $operation RSA-OAEP-256 "$first"
	bad "RSA: another key's" r $operation RSA-OAEP-256 "$foreign"
done

key_make $WEST w '{"kty":"oct"}'
use $WEST w wrapkey A256KW "$plain"
kw=$(json .value)
bad "KW: first bit" w unwrapkey A256KW "$(flip "$kw" 0)"
bad "KW: last bit" w unwrapkey A256KW "$(flip "$kw")"
bad "KW: eight octets short" w unwrapkey A256KW "$(unb64 "$kw" | head -c 32 | b64_of)"
bad "KW: one octet short" w unwrapkey A256KW "$(unb64 "$kw" | head -c 39 | b64_of)"
bad "KW: eight octets" w unwrapkey A256KW "$(random_b64 8)"
bad "KW: random" w unwrapkey A256KW "$(random_b64 40)"
bad "KW: 80 octets" w unwrapkey A256KW "$(random_b64 80)"
bad "KW: 4,000 octets" w unwrapkey A256KW "$(random_b64 4000)"

key_make $WEST g '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
use $WEST g encrypt A256GCM "$plain" "\"aad\":\"$(b64 aad)\""
gcm=$(json .value)
iv=$(json .iv)
tag=$(json .tag)
parts() { # IV TAG AAD
	printf '"iv":"%s","tag":"%s","aad":"%s"' "$1" "$2" "$(b64 "$3")"
}
bad "GCM: ciphertext flipped" g decrypt A256GCM "$(flip "$gcm")" "$(parts "$iv" "$tag" aad)"
bad "GCM: tag flipped" g decrypt A256GCM "$gcm" "$(parts "$iv" "$(flip "$tag")" aad)"
bad "GCM: nonce flipped" g decrypt A256GCM "$gcm" "$(parts "$(flip "$iv")" "$tag" aad)"
bad "GCM: other associated data" g decrypt A256GCM "$gcm" "$(parts "$iv" "$tag" aae)"
bad "GCM: tag of 12 octets (E16)" g decrypt A256GCM "$gcm" "$(parts "$iv" "$(printf '%.16s' "$tag")" aad)"
bad "GCM: tag of 17 octets" g decrypt A256GCM "$gcm" "$(parts "$iv" "$(random_b64 17)" aad)"
bad "GCM: nonce of 16 octets" g decrypt A256GCM "$gcm" "$(parts "$(random_b64 16)" "$tag" aad)"
bad "GCM: ciphertext cut" g decrypt A256GCM "$(unb64 "$gcm" | head -c 31 | b64_of)" "$(parts "$iv" "$tag" aad)"
bad "GCM: ciphertext longer" g decrypt A256GCM "$(random_b64 4000)" "$(parts "$iv" "$tag" aad)"

tap_is "all these answers are one" 1 "$(sort -u "$T/answers" | wc -l)"
diag "$(sort -u "$T/answers" | head -n 3)"
tap_unlike "which has no inner code" "*innererror*" "$(cat "$T/answers")"
tap_is "and the log says no more" "BadCiphertext" "$(grep 'status=400' "$T/custodyd.log" | sed 's/.*error=//' | sort -u)"
http GET /tokens/west ""
tap_is "no bad ciphertext counts against the token" "closed 0 ready" "$(json '.breaker + " " + (.worker.restarts | tostring) + " " + .state')"
use $WEST g decrypt A256GCM "$gcm" "$(parts "$iv" "$tag" aad)"
tap_is "and the good one still opens" "200 $plain" "$HTTP_STATUS $(json .value)"
tap_done
