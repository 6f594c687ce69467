#!/bin/sh
# Where a key comes from and how strong it is: `key show` says what the token says of the object, marks keys of mixed purpose, and
# no answer calls a key HSM-generated for its type alone (threats A1, A4, A22).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
vault_make stays west --backup never

# shown VAULT NAME: what key show says of the provenance, in the order of pkcs11-tool.
shown() {
	ctl key show --vault-name "$1" --name "$2" >"$T/shown" 2>"$T/shown.err" || cat "$T/shown.err"
	jq -r '.custody.provenance | [if .alwaysSensitive then "always sensitive" else empty end,
		if .neverExtractable then "never extractable" else empty end, if .local then "local" else empty end] | join(", ")' "$T/shown"
}
# told VAULT/NAME: the same of what pkcs11-tool says.
told() {
	token_objects west "$1" | grep -o 'always sensitive\|never extractable\|local' | paste -sd, | sed 's/,/, /g'
}
of() {
	jq -r "$1" "$T/shown"
}

while IFS='|' read -r name strength mixed body; do
	for vault in $WEST stays; do
		key_make "$vault" "$name" "$body"
		platform=$(json .attributes.hsmPlatform)
		said=$(told "$vault/$name")
		tap_is "$name in $vault: what pkcs11-tool says, says key show" "$said" "$(shown "$vault" "$name")"
		tap_like "and it says something" "always sensitive*local" "$said"
		tap_is "bits of strength, mixed or not, state, where" "$strength $mixed ok west westus" \
			"$(of '.custody | "\(.strengthBits) \(.mixed) \(.state) \(.token) \(.region)"')"
		case $vault in
		stays) hsm="2 2 true true true false" ;;
		*) hsm="0 0 false true true false" ;;
		esac
		tap_is "HSM-generated only if it never can leave" "$hsm" "$platform $(of '"\(.attributes.hsmPlatform) \(.custody.provenance |
			"\(.hsmGenerated) \(.attested) \(.generatedHere) \(.imported)")"')"
	done
done <<'END'
rsa|112|true|{"kty":"RSA-HSM"}
rsa3|128|false|{"kty":"RSA","key_size":3072,"key_ops":["wrapKey","unwrapKey"]}
ec|192|false|{"kty":"EC-HSM","crv":"P-384"}
kw|256|false|{"kty":"oct-HSM"}
gcm|128|false|{"kty":"oct","key_size":128,"key_ops":["encrypt","decrypt"]}
hmac|256|false|{"kty":"oct","key_size":512,"key_ops":["sign","verify"]}
END
for path in /keys /keys/ec/versions; do
	http GET $path stays
	tap_is "lists say it too: $path" 2 "$(json '[.value[].attributes.hsmPlatform] | unique | join(",")')"
	http GET $path $WEST
	tap_is "of each vault its own" 0 "$(json '[.value[].attributes.hsmPlatform] | unique | join(",")')"
done
tap_is "as a row for scripts" "rsa	112	True	True	True	False" "$(ctl key show --vault-name $WEST --name rsa -o tsv | cut -f 1,8-)"

# ---- the route, beside the dialect's get
foreign=${KID##*/}
http GET "/keys/rsa" $WEST
old=$(json '.key.kid | split("/") | last')
tap_is "no member of ours in the dialect's bundle" "attributes key tags" "$(json 'keys | sort | join(" ")')"
key_make $WEST rsa '{"kty":"oct"}'
http GET "/vaults/$WEST/keys/RSA/$old" ""
tap_is "a version of the key" "200 112 $old" "$HTTP_STATUS $(json '"\(.strengthBits) \(.kid | split("/") | last)"')"
http GET "/vaults/$WEST/keys/rsa" ""
tap_is "the newest one" "200 256 $KID" "$HTTP_STATUS $(json '"\(.strengthBits) \(.kid)"')"
tap_is "is in the audit, with vault, key and version" "$WEST rsa ${KID##*/}" \
	"$(jq -r 'select(.operation == "key.custody") | "\(.vault) \(.key) \(.version)"' "$T/log/audit.jsonl" | tail -n 1)"
answers "no such key" "404 KeyNotFound" GET "/vaults/$WEST/keys/none" ""
answers "no such version" "404 KeyNotFound" GET "/vaults/$WEST/keys/rsa/$foreign" ""
answers "no such vault" "404 VaultNotFound" GET "/vaults/nobody/keys/rsa" ""
answers "no name" "400 BadParameter" GET "/vaults/$WEST/keys/r_a" ""
http DELETE /keys/rsa $WEST
answers "a deleted key" "404 KeyNotFound" GET "/vaults/$WEST/keys/rsa" ""
policy_delete $WEST "user:$(id -un)"
answers "without the permission" "403 Forbidden ForbiddenByPolicy" GET "/vaults/$WEST/keys/ec" ""
answers "nor is it told what is not there" "403 Forbidden ForbiddenByPolicy" GET "/vaults/$WEST/keys/none" ""

# ---- a catalog that claims what no token signed
daemon_stop
trigger=$(sqlite3 "$T/custody.db" "SELECT sql FROM sqlite_master WHERE name = 'version_fixed'")
sqlite3 -bail "$T/custody.db" "BEGIN; DROP TRIGGER version_fixed;
	UPDATE version SET provenance = 15 WHERE key IN (SELECT id FROM key WHERE name = 'ec'); $trigger; COMMIT;" >"$T/edit.log" 2>&1 || bail "sqlite3: $(cat "$T/edit.log")"
daemon_start || bail "custodyd did not start (status $?)"
wait_for token_is west ready || bail "token west is $(token_state west)"
policy_set $WEST "user:$(id -un)" get list
shown $WEST ec >"$T/said"
tap_is "an edited row claims nothing" "0 false false" "$(of '"\(.attributes.hsmPlatform) \(.custody.provenance | "\(.hsmGenerated) \(.attested)")"')"
http GET /keys $WEST
tap_is "in lists neither" 0 "$(json '[.value[].attributes.hsmPlatform] | unique | join(",")')"
tap_done
