#!/bin/sh
# Rows of the catalog edited by somebody with the sqlite shell: another public key, another fingerprint, another life of the same key.
# The version stops before it protects anything, and the audit says which (threats A11).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
key_make $WEST aes '{"kty":"oct"}'
key_make $WEST other '{"kty":"RSA","key_size":2048,"key_ops":["wrapKey","unwrapKey"]}'
value=$(random_b64 32)
bad="503 ServiceUnavailable KeyIntegrity"

# edit SQL: with the daemon stopped, as its lock demands; the trigger that keeps us from it is out of the way meanwhile.
edit() {
	daemon_stop
	trigger=$(sqlite3 "$T/custody.db" "SELECT sql FROM sqlite_master WHERE name = 'version_fixed'")
	sqlite3 -bail "$T/custody.db" "BEGIN; DROP TRIGGER version_fixed; $1; $trigger; COMMIT;" >"$T/edit.log" 2>&1 || bail "sqlite3: $(cat "$T/edit.log")"
	daemon_start || bail "custodyd did not start (status $?)"
	wait_for token_is west ready || bail "token west is $(token_state west)"
	wait_for token_is east ready || bail "token east is $(token_state east)"
}
row() {
	echo "(SELECT v.id FROM version v JOIN key k ON k.id = v.key WHERE k.name = '$1')"
}

# The attacker's public key, and the fingerprint that belongs to it.
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$T/thief.pem" 2>/dev/null
openssl pkey -in "$T/thief.pem" -pubout -outform DER -out "$T/thief.der"
spki=$(hex <"$T/thief.der")
print=$(sha256sum <"$T/thief.der" | cut -d ' ' -f 1)

edit "UPDATE version SET spki = x'$spki' WHERE id = $(row west)"
use $WEST west wrapKey RSA-OAEP-256 "$value"
tap_is "a public key that is not its fingerprint's wraps nothing" "$bad" "$(answer)"

edit "UPDATE version SET fingerprint = x'$print' WHERE id = $(row west)"
use $WEST west wrapKey RSA-OAEP-256 "$value"
tap_is "with the fingerprint that belongs to it: the token did not sign it" "$bad" "$(answer)"
http POST /dual/wrapkey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"value\":\"$value\"}"
tap_is "no envelope goes to it" 503 "$HTTP_STATUS"
tap_is "the audit says which" "west ${WEST_KID##*/}" \
	"$(jq -r 'select(.code == "KeyIntegrity" and .operation == "key.wrap") | .key + " " + .version' "$T/log/audit.jsonl" | sort | tail -n 1)"

# Another key's row under this name: it was signed for another label.
edit "UPDATE version SET spki = o.spki, fingerprint = o.fingerprint, attestation = o.attestation
	FROM (SELECT * FROM version WHERE id = $(row other)) AS o WHERE version.id = $(row west)"
use $WEST west wrapKey RSA-OAEP-256 "$value"
tap_is "another key's row does not pass as this one's" "$bad" "$(answer)"

edit "UPDATE version SET attestation = x'' WHERE id = $(row other)"
use $WEST other wrapKey RSA-OAEP-256 "$value"
tap_is "a row without a signature protects nothing" "$bad" "$(answer)"
edit "UPDATE version SET fingerprint = x'$print' WHERE id = $(row aes)"
use $WEST aes wrapKey A256KW "$value"
tap_is "nor does a secret key of another check value" "$bad" "$(answer)"
use $EAST east wrapKey RSA-OAEP-256 "$value"
tap_is "rows that nobody edited go on" 200 "$HTTP_STATUS"
tap_done
