#!/bin/sh
# The envelope is a JWE: with the content key that either key unwraps, the jose tool opens it, and openssl computes the same commitment.
#
# A token's private key cannot be given to jose, so the recipient's step is done by /keys/…/unwrapkey, the other steps by jose: the
# recipient is rewritten to "dir", which its unauthenticated header allows. jose 11 of Debian 12 knows no RSA-OAEP, and opens no JWE with a
# member "aad", its own included; the context is therefore covered by the commitment here and by vectors/envelope.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
key_make $EAST kw '{"kty":"oct"}'
EAST_KID=$KID

cek_of() { # INDEX: the content key, unwrapped by that recipient's key through the dialect
	kid=$(jq -r ".recipients[$1].header.kid" "$T/envelope")
	case $kid in
	*//$WEST.*) vault=$WEST ;;
	*) vault=$EAST ;;
	esac
	use "$vault" "${kid##*/keys/}" unwrapkey "$(jq -r ".recipients[$1].header.alg" "$T/envelope")" "$(jq -r ".recipients[$1].encrypted_key" "$T/envelope")"
	json .value
}
# commitment CEK: as envelope.md of the project says it, by openssl.
commitment() {
	jq -r .protected "$T/envelope" >"$T/protected"
	unb64 "$(cat "$T/protected")" >"$T/protected.json"
	{
		printf 'custodyd-jwe-v1 commit\000'
		jq -rj '.aad // ""' "$T/envelope" | openssl dgst -sha256 -binary
		{
			jq -rj '."urn:custodyd:v1".rcp[0].kid' "$T/protected.json"
			printf '\000'
			jq -rj '."urn:custodyd:v1".rcp[0].alg' "$T/protected.json"
			printf '\000'
			jq -rj '."urn:custodyd:v1".rcp[1].kid' "$T/protected.json"
			printf '\000'
			jq -rj '."urn:custodyd:v1".rcp[1].alg' "$T/protected.json"
		} | openssl dgst -sha256 -binary
	} | hex >"$T/info"
	openssl kdf -keylen 32 -binary -kdfopt digest:SHA512 -kdfopt "hexkey:$(unb64 "$1" | hex)" \
		-kdfopt "hexsalt:$(unb64 "$(jq -r '."urn:custodyd:v1".id' "$T/protected.json")" | hex)" -kdfopt "hexinfo:$(cat "$T/info")" HKDF | b64_of
}
value=$(random_b64 100)
for context in "" "$(b64 mailbox)"; do
	dual_wrap "$value" "$context"
	cek=$(cek_of 0)
	tap_is "the content key has 32 octets" 32 "$(unb64 "$cek" | wc -c)"
	tap_is "both recipients hold the same" "$cek" "$(cek_of 1)"
	tap_is "the commitment is HKDF of it" "$(unb64 "$(jq -r .protected "$T/envelope")" | jq -r '."urn:custodyd:v1".com')" "$(commitment "$cek")"
done
dual_wrap "$value"
cek=$(cek_of 0)
echo "{\"kty\":\"oct\",\"k\":\"$cek\"}" >"$T/cek.jwk"
for recipient in 0 1; do
	jq -c ".recipients = [.recipients[$recipient] | .header.alg = \"dir\" | del(.encrypted_key)]" "$T/envelope" >"$T/dir"
	tap_ok "jose opens it by recipient $recipient" jose jwe dec -i "$T/dir" -k "$T/cek.jwk" -O "$T/plain"
	tap_is "to what was wrapped" "$value" "$(b64_of <"$T/plain")"
done
jq -c '.tag = "'"$(flip "$(jq -r .tag "$T/envelope")")"'"' "$T/dir" >"$T/damaged"
tap_exits "and a damaged one not" 1 jose jwe dec -i "$T/damaged" -k "$T/cek.jwk" -O "$T/plain"

# The other way: a JWE that jose made, its content key encrypted for our key by openssl, is no envelope of ours.
printf 'from outside' >"$T/plain"
jose jwe enc -i '{"protected":{"alg":"dir","enc":"A256GCM"}}' -I "$T/plain" -k "$T/cek.jwk" -o "$T/foreign" || bail "jose jwe enc"
unb64 "$cek" >"$T/cek"
http GET /keys/west $WEST
pubkey_pem "$T/pem" || bail "no public key"
encrypted=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/cek" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
	-pkeyopt rsa_mgf1_md:sha256 | b64_of)
use $WEST west unwrapkey RSA-OAEP-256 "$encrypted"
tap_is "the key unwraps it" "200 $cek" "$HTTP_STATUS $(json .value)"
jq -c "del(.encrypted_key) | .recipients = [{header: {kid: \"$WEST_KID\", alg: \"RSA-OAEP-256\"}, encrypted_key: \"$encrypted\"}]" "$T/foreign" >"$T/envelope"
dual unwrapkey
tap_is "but a JWE that commits to nothing is refused (E10)" "400 BadParameter" "$(answer)"
tap_done
