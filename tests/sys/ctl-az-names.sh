#!/bin/sh
# The commands, options and answers that scripts written for `az keyvault` use.
. "$SRCDIR/tests/support/lib.sh"
world_start
show() {
	ctl "$@" >"$T/answer" 2>"$T/answer.err"
}

show keyvault show --name contosowestus
tap_is "vault: name and URI" "contosowestus https://contosowestus.vault.azure.net/" \
	"$(json '"\(.name) \(.properties.vaultUri)"' "$T/answer")"
tap_is "vault: retention" 90 "$(json .properties.softDeleteRetentionInDays "$T/answer")"
show keyvault key create --vault-name contosowestus --name k --kty RSA --size 2048 --ops sign verify \
	--tags env=test --expires 2040-01-01T00:00:00Z
tap_is "key create" "RSA sign,verify test 2040-01-01T00:00:00+00:00" \
	"$(json '"\(.key.kty) \(.key.keyOps | join(",")) \(.tags.env) \(.attributes.expires)"' "$T/answer")"
digest=$(printf 'message' | openssl dgst -sha256 -binary | base64 -w 0)
show keyvault key sign --vault-name contosowestus --name k --algorithm RS256 --digest "$digest"
signature=$(json .signature "$T/answer")
tap_like "key sign" "????????????????*" "$signature"
show keyvault key verify --vault-name contosowestus --name k --algorithm RS256 --digest "$digest" --signature "$signature"
tap_is "key verify" true "$(json .isValid "$T/answer")"
tap_exits "key verify of another digest" 7 ctl key verify --vault-name contosowestus --name k --algorithm RS256 \
	--digest "$(printf x | openssl dgst -sha256 -binary | base64 -w 0)" --signature "$signature"
# az prints n as ordinary base64: a public key made of it verifies the signature too
show keyvault key show --vault-name contosowestus --name k
tap_is "key show: e" AQAB "$(json .key.e "$T/answer")"
tap_is "key show: n has 256 octets" 256 "$(json .key.n "$T/answer" | base64 -d | wc -c)"

show key create --vault-name contosowestus --name r --ops encrypt decrypt
tap_is "RSA has 3072 bits by default" 384 "$(json .key.n "$T/answer" | base64 -d | wc -c)"
printf 'hello' | ctl key encrypt --vault-name contosowestus --name r --algorithm RSA-OAEP-256 >"$T/answer"
tap_like "key encrypt" "https://contosowestus.vault.azure.net/keys/r/*" "$(json .kid "$T/answer")"
show key decrypt --id "$(json .kid "$T/answer")" --algorithm RSA-OAEP-256 --value "$(json .result "$T/answer")" \
	--data-type plaintext
tap_is "key decrypt" hello "$(json .result "$T/answer")"
show keyvault key random --vault-name contosowestus --count 33
tap_is "key random" 33 "$(json .value "$T/answer" | base64 -d | wc -c)"
tap_ok "key random into a file" ctl key random --vault-name contosowestus --count 128 --out "$T/random"
tap_is "as octets, for its owner alone" "128 600" "$(stat -c '%s %a' "$T/random")"
show keyvault key list --vault-name contosowestus
tap_is "key list" "k r" "$(json '[.[].name] | join(" ")' "$T/answer")"
show keyvault key list --vault-name contosowestus --maxresults 1 -o tsv
tap_is "key list, one row" 1 "$(wc -l <"$T/answer")"
show keyvault key set-attributes --vault-name contosowestus --name k --enabled false
tap_is "key set-attributes" false "$(json .attributes.enabled "$T/answer")"
tap_exits "a disabled key is denied" 4 ctl key sign --vault-name contosowestus --name k --algorithm RS256 --digest "$digest"
show keyvault key delete --vault-name contosowestus --name k --yes
tap_is "key delete" https://contosowestus.vault.azure.net/deletedkeys/k "$(json .recoveryId "$T/answer")"
show keyvault key list-deleted --vault-name contosowestus
tap_is "key list-deleted" k "$(json '.[0].name' "$T/answer")"
tap_exits "key show of a deleted one" 3 ctl key show --vault-name contosowestus --name k
tap_ok "key recover" ctl key recover --vault-name contosowestus --name k
show key delete --vault-name contosowestus --name k --yes
tap_exits "key purge asks" 2 ctl key purge --vault-name contosowestus --name k </dev/null
tap_ok "key purge --yes" ctl key purge --vault-name contosowestus --name k --yes </dev/null
tap_exits "and it is gone" 3 ctl key show-deleted --vault-name contosowestus --name k
show keyvault set-policy --name contosowestus --user daemon --key-permissions get list
tap_is "set-policy" get,list \
	"$(json '.properties.accessPolicies[] | select(.principal == "user:daemon").permissions.keys | join(",")' "$T/answer")"
show keyvault delete-policy --name contosowestus --upn daemon@contoso.test
tap_is "delete-policy" 1 "$(json '.properties.accessPolicies | length' "$T/answer")"
show keyvault check-name --name ContosoWestUS
tap_is "check-name" "false AlreadyExists" "$(json '"\(.nameAvailable) \(.reason)"' "$T/answer")"
tap_exits "a vault with keys is not deleted" 3 ctl keyvault delete --name contosowestus --yes
tap_ok "an empty one is" ctl keyvault delete --name contosocentralus --yes
tap_done
