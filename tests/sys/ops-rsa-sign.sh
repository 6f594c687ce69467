#!/bin/sh
# RS* and PS*: signatures of digests that openssl verifies; verify says true, false, and 400 for a digest of a wrong length (§8).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

# shellcheck disable=SC2317 # run by tap_ok
by_openssl() { # ALG DIGEST SIGNATURE
	unb64 "$2" >"$T/digest"
	unb64 "$3" >"$T/signature"
	case $1 in
	RS*) set -- "sha${1#RS}" ;;
	PS*) set -- "sha${1#PS}" -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest -pkeyopt "rsa_mgf1_md:sha${1#PS}" ;;
	esac
	openssl_hash=$1
	shift
	openssl pkeyutl -verify -pubin -inkey "$T/pem" -in "$T/digest" -sigfile "$T/signature" -pkeyopt "digest:$openssl_hash" "$@"
}
verify() { # ALG DIGEST SIGNATURE: "200 true"
	http POST /keys/k//verify $WEST "{\"alg\":\"$1\",\"digest\":\"$2\",\"value\":\"$3\"}"
	echo "$HTTP_STATUS $(json 'if .error then .error.code else .value | tostring end')"
}

for bits in 2048 4096; do
	key_make $WEST k "{\"kty\":\"RSA\",\"key_size\":$bits}"
	pubkey_pem "$T/pem" || bail "no public key"
	for alg in RS256 RS384 RS512 PS256 PS384 PS512; do
		octets=$((${alg#?S} / 8))
		digest=$(random_b64 $octets)
		use $WEST k sign $alg "$digest"
		tap_is "$alg with $bits bits" "200 $((bits / 8)) $KID" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c) $(json .kid)"
		signature=$(json .value)
		tap_ok "openssl verifies it" by_openssl $alg "$digest" "$signature"
		tap_is "verify says so too" "200 true" "$(verify $alg "$digest" "$signature")"
		[ $bits = 2048 ] || continue
		tap_is "false for another digest" "200 false" "$(verify $alg "$(flip "$digest")" "$signature")"
		tap_is "false for another signature" "200 false" "$(verify $alg "$digest" "$(flip "$signature")")"
		tap_is "false for a signature of another length" "200 false" "$(verify $alg "$digest" "$(b64 x)")"
		tap_is "false for one octet more" "200 false" "$(verify $alg "$digest" "$(unb64 "$signature" | { cat && printf x; } | b64_of)")"
		for wrong in $((octets - 1)) $((octets + 1)) 1; do
			use $WEST k sign $alg "$(random_b64 $wrong)"
			tap_is "a digest of $wrong octets" "400 BadParameter" "$(answer)"
			tap_like "is refused naming the length that is right" "*$octets*" "$(json .error.message)"
			tap_is "by verify too" "400 BadParameter" "$(verify $alg "$(random_b64 $wrong)" "$signature")"
		done
	done
done
tap_is "PS is not RS" "200 false" "$(verify RS512 "$digest" "$signature")"
use $WEST k sign PS512 "$digest"
tap_unlike "PSS has a fresh salt" "$signature" "$(json .value)"
for alg in RSNULL rs256 ES256 none HS256 ""; do
	use $WEST k sign "$alg" "$(random_b64 32)"
	tap_is "no algorithm of an RSA key: '$alg'" "400 BadParameter" "$(answer)"
done
tap_done
