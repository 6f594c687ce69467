#!/bin/sh
# What is refused by form, by algorithm, by name of a key or by permission reaches no token, and an envelope that opens nothing has the same
# number of calls whatever is wrong with it (threats A17, E2, E4, E7, E8, E12, E17, E20), counted by a spy in front of both modules.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/spy.sh"
need_root
token_make west
token_make east
for token in west east; do
	spy_on $token
	config_set token-$token sessions 1 # each session proves a key once, by an operation of its own
done
world_enroll
vault_make others east
dual_keys rsa
key_make others other '{"kty":"RSA","key_size":2048,"key_ops":["wrapKey","unwrapKey"]}'
OTHER_KID=$KID
value=$(random_b64 32)
context=$(b64 c)
dual_wrap "$value" "$context" "$WEST_KID" "$OTHER_KID"
cp "$T/envelope" "$T/with-other"
dual_wrap "$value" "$context"
cp "$T/envelope" "$T/good"
header=$(unb64 "$(jq -r .protected "$T/good")")
reader=12345
policy_set $WEST user:$reader unwrapKey
policy_set $EAST user:$reader unwrapKey

calls() {
	echo "$(spy_count west C_Decrypt) $(spy_count east C_Decrypt)"
}
# silent DESCRIPTION ANSWER JQ-FILTER [FILE]: the changed envelope has this answer, and no token was asked.
silent() {
	silent_before=$(calls)
	jq -c "$3" "${4:-$T/good}" >"$T/envelope"
	dual unwrapkey "$T/envelope" "$context"
	tap_is "$1: refused, no call" "$2 $silent_before" "$(answer) $(calls)"
}
protected() { # JQ-FILTER: the envelope with this protected header
	echo ".protected = \"$(printf '%s' "$header" | jq -cj "$1" | b64_of)\""
}
rename() { # JQ-EXPRESSION of a kid: in both places, so that it is nothing but the name
	echo "$(protected "(.\"urn:custodyd:v1\".rcp[].kid) |= ($1)") | (.recipients[].header.kid) |= ($1)"
}
size() { # MEMBER OCTETS
	echo ".$1 = \"$(random_b64 "$2")\""
}

dual check "$T/good" "$context" # both keys are proved now
before=$(calls)
dual unwrapkey "$T/good" "$context"
tap_is "a good one opens" "200 $value" "$HTTP_STATUS $(json .value)"
tap_unlike "and is counted" "$before" "$(calls)"
bad="400 BadParameter"
for alg in none dir RSA1_5 RSA-OAEP RSA-OAEP-512 A128KW A192KW A256GCMKW PBES2-HS256+A128KW ECDH-ES ECDH-ES+A256KW rsa-oaep-256; do
	silent "alg $alg (E2)" "$bad" "$(protected "(.\"urn:custodyd:v1\".rcp[].alg) = \"$alg\"") | (.recipients[].header.alg) = \"$alg\""
done
silent "A256KW for an RSA key (E2)" "$bad" "$(protected '(."urn:custodyd:v1".rcp[].alg) = "A256KW"') | (.recipients[] |= (.header.alg = \"A256KW\" |
	.encrypted_key = \"$(random_b64 40)\"))"
for enc in none A128GCM A192GCM A128CBC-HS256 A256CBC-HS512 a256gcm; do
	silent "enc $enc (E2)" "$bad" "$(protected ".enc = \"$enc\"")"
done
silent "p2c of 2^31 (E7)" "$bad" "$(protected '.p2c = 2147483648 | .p2s = "AAAA"')"
silent "crit (E7)" "$bad" "$(protected '.crit = ["urn:custodyd:v1"]')"
silent "jku (E4)" "$bad" "$(protected '.jku = "https://localhost/keys"')"
silent "x5u in a recipient (E4)" "$bad" '(.recipients[].header.x5u) = "https://localhost/cert"'
silent "jwk in a recipient (E4)" "$bad" '(.recipients[].header.jwk) = {"kty": "oct", "k": "AAAA"}'
while read -r name expression; do
	silent "kid $name (E4)" "$bad" "$(rename "$expression")"
done <<'END'
in-capitals ascii_upcase
of-a-vault-in-capitals sub("contoso"; "Contoso")
without-version sub("/[0-9a-f]*$"; "")
with-slash . + "/"
with-query . + "?api-version=7.4"
with-fragment . + "#"
escaped sub("/keys/w"; "/keys/%77") | sub("/keys/e"; "/keys/%65")
by-http sub("https"; "http")
with-port sub("net/"; "net:443/")
with-user sub("//"; "//user@")
with-last-dot sub("net/"; "net./")
with-two-slashes sub("/keys/"; "//keys/")
with-dots sub("/keys/"; "/x/../keys/")
with-a-blank " " + .
of-a-secret sub("/keys/"; "/secrets/")
END
# nothing is fetched, and a vault that is not there is denied like one that he may not use
forbidden="403 Forbidden AccessDenied"
silent "kid of another host (E4)" "$bad" "$(rename 'sub("vault.azure.net"; "vault.example.net")')"
silent "kid of no vault (E4)" "$forbidden" "$(rename 'sub("//contoso"; "//fabrikam")')"

silent "an iv of 8 octets (E8)" "$bad" "$(size iv 8)"
silent "an iv of 13 octets (E8)" "$bad" "$(size iv 13)"
silent "a tag of 15 octets (E8)" "$bad" "$(size tag 15)"
silent "a tag of 17 octets (E8)" "$bad" "$(size tag 17)"
silent "a ciphertext of 4,097 octets (E8)" "$bad" "$(size ciphertext 4097)"
silent "a content key of 255 octets (E12)" "$bad" "(.recipients[].encrypted_key) = \"$(random_b64 255)\""
silent "content keys of 384 octets for RSA-2048 (E12)" "$bad" "(.recipients[].encrypted_key) = \"$(random_b64 384)\""
# shellcheck disable=SC2016 # of jq
silent "nine recipients (E8)" "$bad" '.recipients = [range(9) as $i | .recipients[0]]'
silent "the flattened form (E17)" "$bad" '. + .recipients[0] | del(.recipients)'
silent "the compact form (E17)" "$bad" '"\(.protected).\(.recipients[0].encrypted_key).\(.iv).\(.ciphertext).\(.tag)"'
silent "a member more (E17)" "$bad" '.comment = "x"'
dual unwrapkey "$T/good" "$(b64 other)"
before=$(calls)
dual unwrapkey "$T/good" "$(b64 another)"
tap_is "a wrong context: no call" "400 BadParameter $before" "$(answer) $(calls)"

# --- who may not: the same octets for good and for damaged, no call (E20)

unwrap_as() { # FILE: the whole answer but the request's id
	ask $reader POST /dual/unwrapkey "" "{\"envelope\":$(cat "$1"),\"context\":\"$context\"}" >/dev/null
	echo "$HTTP_STATUS $(cat "$T/body")"
}
policy_delete $WEST user:$reader
policy_delete $EAST user:$reader
before=$(calls)
denied=$(unwrap_as "$T/good")
tap_like "a stranger is denied" "403 *" "$denied"
for filter in ".tag = \"$(flip "$(jq -r .tag "$T/good")")\"" ".aad = \"$(b64 x)\"" "(.recipients[].encrypted_key) = \"$(random_b64 256)\"" \
	"$(size iv 12)" "$(protected '."urn:custodyd:v1".com = ."urn:custodyd:v1".id')"; do
	jq -c "$filter" "$T/good" >"$T/damaged"
	tap_is "denied looks the same for: $(printf '%.30s' "$filter") (E20)" "$denied" "$(unwrap_as "$T/damaged")"
done
policy_set $WEST user:$reader unwrapKey
jq -c 'del(.recipients[0])' "$T/with-other" >"$T/only-other"
tap_like "a recipient in a vault that he may not use is denied, though he may use the other (E4)" "403 *Forbidden*" "$(unwrap_as "$T/only-other")"
tap_is "none of it was a call" "$before" "$(calls)"

# --- what opens nothing costs the same, whatever is wrong (A17)

: >"$T/costs"
for filter in ".tag = \"$(flip "$(jq -r .tag "$T/good")")\"" "(.recipients[].encrypted_key) = \"$(printf '\001%.0s' $(seq 256) | b64_of)\"" \
	"(.recipients[].encrypted_key) |= (.[0:300] + \"AAAA\" + .[304:])" "$(protected '."urn:custodyd:v1".com = ."urn:custodyd:v1".id')"; do
	# shellcheck disable=SC2046 # two numbers
	set -- $(calls)
	jq -c "$filter" "$T/good" >"$T/damaged"
	dual unwrapkey "$T/damaged" "$context"
	tap_is "opens nothing: $(printf '%.30s' "$filter")" "$bad" "$(answer)"
	before="$1 $2"
	# shellcheck disable=SC2046
	set -- $(calls)
	echo "$(($1 - ${before% *})) $(($2 - ${before#* }))" >>"$T/costs"
done
tap_is "each token is asked once" "1 1" "$(sort -u "$T/costs")"
tap_done
