#!/bin/sh
# Every damage to the content of an envelope has one answer; every damage to its form is refused before any token is asked
# (threats A13, E2, E3, E6, E7, E8, E11, E12, E17).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
value=$(random_b64 32)
dual_wrap "$value" "$(b64 c)"
cp "$T/envelope" "$T/good"
get() {
	jq -r "$1" "$T/good"
}
: >"$T/answers"
# bad DESCRIPTION JQ-FILTER: the whole answer but the request id is noted.
bad() {
	jq -c "$2" "$T/good" >"$T/envelope"
	dual unwrapkey "$T/envelope" "$(b64 c)"
	{
		echo "$HTTP_STATUS" "$(tr -d '\r' <"$T/headers" | grep -v '^x-ms-request-id:' | tr '\n' ' ')" "$(cat "$T/body")"
	} >>"$T/answers"
	tap_is "$1" "400 BadParameter false" "$(answer) $(json '.error | has("details")')"
}
both() { # VALUE: both encrypted keys set to it
	echo ".recipients[0].encrypted_key = \"$1\" | .recipients[1].encrypted_key = \"$1\""
}
repeat() { # HEX COUNT
	unhex "$(printf "$1%.0s" $(seq "$2"))" | b64_of
}
encrypted() { # OCTETS: both encrypted keys are good OAEP of a key of this length
	use $WEST west wrapkey RSA-OAEP-256 "$(random_b64 "$1")"
	encrypted_west=$(json .value)
	use $EAST east wrapkey RSA-OAEP-256 "$(random_b64 "$1")"
	echo ".recipients[0].encrypted_key = \"$encrypted_west\" | .recipients[1].encrypted_key = \"$(json .value)\""
}
bad "ciphertext" ".ciphertext = \"$(flip "$(get .ciphertext)")\""
bad "ciphertext cut" ".ciphertext = \"$(unb64 "$(get .ciphertext)" | head -c 31 | b64_of)\""
bad "tag" ".tag = \"$(flip "$(get .tag)")\""
bad "iv" ".iv = \"$(flip "$(get .iv)")\""
bad "both keys, last bit" ".recipients[0].encrypted_key = \"$(flip "$(get '.recipients[0].encrypted_key')")\" |
	.recipients[1].encrypted_key = \"$(flip "$(get '.recipients[1].encrypted_key')")\""
bad "both keys zero (A13)" "$(both "$(repeat 00 256)")"
bad "both keys above the modulus" "$(both "$(repeat ff 256)")"
bad "both keys as for 3,072 bits (E12)" "$(both "$(random_b64 384)")"
for octets in 1 16 31 33 64; do
	bad "content keys of $octets octets (E11)" "$(encrypted $octets)"
done
bad "content keys of 32 octets, another one" "$(encrypted 32)"
tap_is "all answers are one" 1 "$(sort -u "$T/answers" | wc -l)"
diag "$(sort -u "$T/answers" | head -n 3)"
dual unwrapkey "$T/good" "$(b64 c)"
tap_is "and the good one opens" "200 $value" "$HTTP_STATUS $(json .value)"

# --- the form

header=$(unb64 "$(get .protected)")
# shellcheck disable=SC2016 # of jq
nine='.recipients = [range(9) as $i | .recipients[0]]'
protected() { # JQ-FILTER: the envelope with this protected header
	echo ".protected = \"$(printf '%s' "$header" | jq -cj "$1" | b64_of)\""
}
bad "enc none" "$(protected '.enc = "none"')"
bad "enc CBC" "$(protected '.enc = "A256CBC-HS512"')"
bad "enc A128GCM" "$(protected '.enc = "A128GCM"')"
bad "zip (E6)" "$(protected '.zip = "DEF"')"
bad "crit (E7)" "$(protected '.crit = ["x"] | .x = 1')"
bad "p2c (E7)" "$(protected '.p2c = 2147483648')"
bad "jku (E4)" "$(protected '.jku = "http://localhost/"')"
bad "no commitment (E10)" "$(protected 'del(."urn:custodyd:v1".com)')"
bad "another commitment" "$(protected '."urn:custodyd:v1".com = ."urn:custodyd:v1".id')"
bad "no list of recipients" "$(protected 'del(."urn:custodyd:v1".rcp)')"
bad "no id" "$(protected 'del(."urn:custodyd:v1".id)')"
bad "nothing of ours" "$(protected 'del(."urn:custodyd:v1")')"
bad "an empty list" "$(protected '."urn:custodyd:v1".rcp = []')"
bad "a list of one" "$(protected '."urn:custodyd:v1".rcp |= .[0:1]')"
for alg in RSA-OAEP RSA1_5 dir A128KW A256KW PBES2-HS256+A128KW ECDH-ES none; do
	bad "alg $alg in both places (E2)" "$(protected '."urn:custodyd:v1".rcp |= map(.alg = "'$alg'")') | .recipients |= map(.header.alg = \"$alg\")"
	bad "alg $alg in the recipients only" ".recipients |= map(.header.alg = \"$alg\")"
done
bad "both keys one octet" "$(both AA)"
bad "both keys one octet short" "$(both "$(random_b64 255)")"
bad "both keys one octet long" "$(both "$(random_b64 257)")"
bad "kid of another version" '.recipients |= map(.header.kid |= sub("[0-9a-f]$"; "x"))'
bad "kid in upper case (E4)" '.recipients |= map(.header.kid |= ascii_upcase)'
bad "a member of a recipient's header more" '.recipients |= map(.header.x = 1)'
bad "an unprotected header (E3)" '.unprotected = {"enc": "A256GCM"}'
bad "the flattened form (E17)" '. + .recipients[0] | del(.recipients)'
bad "an unknown member" '.x = 1'
bad "three recipients" '.recipients += [.recipients[0]]'
bad "nine recipients (E8)" "$nine"
bad "an iv of 16 octets" ".iv = \"$(random_b64 16)\""
bad "a tag of 12 octets (E16)" ".tag = \"$(random_b64 12)\""
bad "a ciphertext of 4,097 octets" ".ciphertext = \"$(random_b64 4097)\""
bad "no ciphertext" '.ciphertext = ""'
bad "padding in base64url (C19)" '.tag += "=="'
bad "numbers for texts" '.tag = 1'
tap_unlike "no answer repeats what was sent" "*$(get .tag)*" "$(cat "$T/answers")"
jq -c '.tag' "$T/good" >"$T/string"
dual unwrapkey "$T/string" "$(b64 c)"
tap_is "a JWE is an object, not a string" "400 BadParameter" "$(answer)"
printf '%s' "$(jq -c '.' "$T/good" | sed 's/}$//'),\"tag\":\"$(get .tag)\"}" >"$T/twice"
dual unwrapkey "$T/twice" "$(b64 c)"
tap_is "a member twice (E3)" "400 BadParameter" "$(answer)"
http GET /tokens/west ""
tap_is "the tokens are well" "closed 0" "$(json '.breaker + " " + (.worker.restarts | tostring)')"
tap_done
