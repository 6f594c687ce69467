#!/bin/sh
# Keys that were made elsewhere are imported whole and sound or not at all, and are marked for ever (§4, §7; threats A12, A22, E14).
# shellcheck disable=SC2317 # a function that wait_for calls
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
rsa=$(cat "$SRCDIR/vectors/import/rsa2048.jwk")
short=$(cat "$SRCDIR/vectors/import/rsa1024.jwk")
ec=$(cat "$SRCDIR/vectors/import/ec256.jwk")
kek=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
oct="{\"kty\":\"oct\",\"k\":\"$kek\"}"

# import NAME JWK [MORE MEMBERS]
import() {
	http PUT "/keys/$1" $WEST "{\"key\":$2${3:+,$3}}"
}
# changed JWK FILTER: the JWK after a jq filter.
changed() {
	printf '%s' "$1" | jq -c "$2"
}
custody() { # NAME
	http GET "/vaults/$WEST/keys/$1" ""
	json '[.provenance | .imported, .generatedHere, .hsmGenerated, .local, .alwaysSensitive, .neverExtractable, .attested] | join(" ")'
}

# ---- what is sound works as it did where it comes from ----
import o "$oct" '"tags":{"of":"contoso"},"attributes":{"exp":4000000000}'
tap_is "an oct key: nothing of it is shown" "200 oct unwrapKey wrapKey contoso 4000000000 key_ops kid kty" \
	"$HTTP_STATUS $(json '"\(.key.kty) \(.key.key_ops | sort | join(" ")) \(.tags.of) \(.attributes.exp) \(.key | keys | join(" "))"')"
use $WEST o wrapkey A256KW ABEiM0RVZneImaq7zN3u_wABAgMEBQYHCAkKCwwNDg8
tap_is "wraps as RFC 3394 §4.6 says" KMn0BMS4EPTLzLNc-4f4Jj9XhuLYDtMmy8fw5xqZ9Dv7mIubegLdIQ "$(json .value)"
import m "$(changed "$oct" '.key_ops = ["sign","verify"]')"
use $WEST m sign HS256 "$kek"
tap_is "signs as openssl does" "$(unb64 "$kek" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(unb64 "$kek" | hex)" -binary | b64_of)" "$(json .value)"
import r "$rsa" '"Hsm":true'
tap_is "an RSA key, by the other way to say HSM" "200 RSA-HSM e key_ops kid kty n 0" "$HTTP_STATUS $(json '"\(.key.kty) \(.key | keys | join(" ")) \(.attributes.hsmPlatform)"')"
pubkey_pem "$T/r.pub"
printf 'a secret' | openssl pkeyutl -encrypt -pubin -inkey "$T/r.pub" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -out "$T/sealed"
use $WEST r decrypt RSA-OAEP-256 "$(b64_of <"$T/sealed")"
tap_is "opens what was sealed under its public half" "a secret" "$(unb64 "$(json .value)")"
import e "$(changed "$ec" '.key_ops = ["sign","verify"] | .kty = "EC-HSM"')"
tap_is "an EC key" "200 EC-HSM P-256 $(changed "$ec" .x | tr -d '"')" "$HTTP_STATUS $(json '"\(.key.kty) \(.key.crv) \(.key.x)"')"
pubkey_pem "$T/e.pub"
openssl dgst -sha256 -binary "$T/sealed" >"$T/digest"
use $WEST e sign ES256 "$(b64_of <"$T/digest")"
ecdsa_der "$(json .value)" >"$T/e.sig"
tap_ok "signs" openssl pkeyutl -verify -pubin -inkey "$T/e.pub" -in "$T/digest" -sigfile "$T/e.sig"

# ---- they never pass for others ----
for name in o m r e; do
	tap_is "$name is marked" "true false false false false false true" "$(custody $name)"
	tap_is "as pkcs11-tool sees it" "" "$(token_objects west "$WEST/$name" | grep -o 'local\|always sensitive\|never extractable')"
done
http POST /keys/e/rotate $WEST
tap_is "what a rotation makes is no import" "false true" "$(custody e | cut -d ' ' -f 1,2)"
import e "$ec"
tap_is "another import is another version" "200 3" "$HTTP_STATUS $(http GET /keys/e/versions $WEST && json '.value | length')"

# ---- by the command line: PEM of openssl, encrypted too ----
for curve in P-384 P-521 secp256k1; do
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$curve -out "$T/key.pem" 2>/dev/null
	ctl key import --vault-name $WEST --name c --pem-file "$T/key.pem" >"$T/out" 2>&1
	http GET /keys/c $WEST
	pubkey_pem "$T/key.pub"
	tap_is "custodyctl imports $curve" "$(openssl pkey -in "$T/key.pem" -pubout)" "$(cat "$T/key.pub")"
done
openssl genrsa -out "$T/key.pem" 2048 2>/dev/null
openssl pkcs8 -topk8 -in "$T/key.pem" -passout pass:secret -out "$T/locked.pem"
echo secret >"$T/password"
echo other >"$T/wrong"
ctl keyvault key import --vault-name $WEST --name c --pem-file "$T/locked.pem" --pem-password-file "$T/password" --ops wrapKey unwrapKey \
	--protection hsm --disabled --tags a=b >"$T/out" 2>&1
tap_is "and an encrypted RSA key" "RSA-HSM wrapKey,unwrapKey false b $(openssl rsa -in "$T/key.pem" -noout -modulus | cut -d = -f 2)" \
	"$(json '"\(.key.kty) \(.key.keyOps | join(",")) \(.attributes.enabled) \(.tags.a)"' "$T/out") $(json .key.n "$T/out" | base64 -d | hex | tr a-f A-F)"
tap_exits "not with the wrong password" 3 ctl key import --vault-name $WEST --name c --pem-file "$T/locked.pem" --pem-password-file "$T/wrong"
tap_exits "nor without one" 2 ctl key import --vault-name $WEST --name c --pem-file "$T/locked.pem" </dev/null
tap_exits "a public key is none" 3 ctl key import --vault-name $WEST --name c --pem-file "$T/r.pub"
tap_ok "a JWK" ctl key import --vault-name $WEST --name c --jwk-file "$SRCDIR/vectors/import/ec256.jwk"
tap_exits "one of the two" 2 ctl key import --vault-name $WEST --name c

# ---- what is not sound is refused, and nothing of it is made ----
x=$(changed "$ec" .x)
while IFS='|' read -r about jwk; do
	import bad "$jwk"
	tap_is "$about" "400 BadParameter" "$(answer)"
	cat "$T/body" >>"$T/said"
done <<END
no type|{"k":"$kek"}
another type|{"kty":"OKP","k":"$kek"}
no key|{"kty":"oct"}
no octets|{"kty":"oct","k":""}
no base64|{"kty":"oct","k":"$kek="}
$(printf 'odd size|{"kty":"oct","k":"%s"}' "$(random_b64 20)")
$(printf 'too long for AES|{"kty":"oct","k":"%s"}' "$(random_b64 48)")
$(printf 'longer than any|{"kty":"oct","k":"%s"}' "$(random_b64 65)")
all octets alike|{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
two families|$(changed "$oct" '.key_ops = ["wrapKey","encrypt"]')
an oct key that signs too short|{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw","key_ops":["sign"]}
no prime|$(changed "$rsa" 'del(.p)')
no private exponent|$(changed "$rsa" 'del(.d)')
no coefficient|$(changed "$rsa" 'del(.qi)')
no modulus|$(changed "$rsa" 'del(.n)')
1024 bits|$(changed "$short" .)
another exponent|$(changed "$rsa" '.e = "Aw"')
an exponent of one|$(changed "$rsa" '.e = "AQ"')
primes exchanged|$(changed "$rsa" '. + {p: .q, q: .p}')
another d|$(changed "$rsa" '.d = .n')
another dp|$(changed "$rsa" '.dp = .dq')
another qi|$(changed "$rsa" '.qi = .dp')
another n|$(changed "$rsa" '.n = .d')
the same prime twice|$(changed "$rsa" '.q = .p')
a public point alone|$(changed "$ec" 'del(.d)')
no curve|$(changed "$ec" 'del(.crv)')
another curve|$(changed "$ec" '.crv = "P-256K"')
a curve of another size|$(changed "$ec" '.crv = "P-384"')
an unknown curve|$(changed "$ec" '.crv = "P-224"')
a point beside the curve|$(changed "$ec" '.y = .x')
another private half|$(changed "$ec" ".d = $x")
no private half|$(changed "$ec" '.d = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"')
an operation that it has not|$(changed "$ec" '.key_ops = ["wrapKey"]')
END
tap_is "no answer repeats a value" 0 "$(grep -cE '[A-Za-z0-9_-]{24}' "$T/said")"
for more in '"release_policy":{"data":"AAAA"}' '"attributes":{"exportable":true}' '"attributes":{"exp":-1}' '"tags":{"a":1}' '"Hsm":"yes"'; do
	import bad "$oct" "$more"
	tap_is "with $more" "400 BadParameter" "$(answer)"
done
for jwk in "$(changed "$rsa" '.key_hsm = "AAAA"')" "$(changed "$oct" '.key_ops = ["import"]')"; do
	import bad "$jwk"
	tap_is "wrapped material is not served" "400 NotSupported" "$(answer)"
done
answers "no body" "400 BadParameter" PUT /keys/bad $WEST ""
answers "no name" "400 BadParameter" PUT /keys/b_d $WEST "{\"key\":$oct}"
answers "nothing was made" "404 KeyNotFound" GET /keys/bad $WEST
nothing_pending() {
	http GET /status ""
	[ "$(json .intents)" = 0 ] && [ -z "$(token_objects west "$WEST/bad")" ]
}
tap_ok "and nothing is left" wait_for nothing_pending
http DELETE /keys/o $WEST
import o "$oct"
tap_is "not under the name of a deleted key" "409 Conflict ObjectIsDeletedButRecoverable" "$(answer)"

# ---- where it must not be ----
daemon_stop
for secret in "$(changed "$rsa" .d)" "$(changed "$rsa" .p)" "$(changed "$ec" .d)" "\"$kek\""; do
	secret=${secret#\"}
	secret=${secret%\"}
	tap_is "in no log, audit or catalog" 0 "$(cat "$T"/*.log "$T"/log/* "$T"/custody.db* | grep -caF -e "$secret" -e "$(unb64 "$secret" | hex)")"
done
tap_is "the audit says what was done" 1 "$(grep -c '"operation":"key.import","vault":"contosowestus","key":"r".*"status":200' "$T/log/audit.jsonl")"
tap_done
