#!/bin/sh
# A geo under a policy of two pinned keys: registered, shown with its state and percentages, updated one key at a time; its sites and their
# data keys. (threats G8, G9, G21, G25)
# shellcheck disable=SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"

dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
# geo NAME: its state, how far that is, how many sites are onboarded.
geo() {
	dc geo show "$1" | jq -r '"\(.state) \(.percentage) \(.onboarded)"'
}
geo_is() {
	[ "$(geo "$1")" = "$2" ]
}
# site NAME: its state and what covers it.
site() {
	dc site show "$1" | jq -r '"\(.state) \(.isEncrypted) \(.policyKind) \(.policy)"'
}
register_keys() {
	jq -nc '{keys: $ARGS.positional}' --args "$@"
}

config_set geo-NAM admin-url https://contoso-admin.sharepoint.com/
config_set geo-EUR admin-url https://contosoeur-admin.sharepoint.com
config_set depd rewrap-rate 0
dep_world_start
dep_policy_world

# ---- before it is registered ----
tap_is "a geo begins unregistered" "Unregistered 0 0" "$(geo NAM)"
tap_is "without keys" "null null" "$(dc geo show nam | jq -r '"\(.primary) \(.secondary)"')"
tap_is "all are listed" "EUR NAM" "$(dc geo list | jq -r '[.[].name] | sort | join(" ")')"
tap_is "the URL of its admin site names it" NAM "$(dc geo show https://contoso-admin.sharepoint.com | jq -r .name)"
dep_answers "another name does not" "404 GeoNotFound" GET /geos/APC
cat >"$T/lines" <<'END'
{"id":"hr","geo":"NAM"}
{"id":"sales","geo":"nam"}
{"id":"old","geo":"NAM","state":"unencrypted"}
{"id":"paris","geo":"EUR"}
END
tap_is "its sites are registered" 4 "$(dc site register --in "$T/lines" | jq -r .registered)"
dep_answers "of an unregistered geo no site is shown" "409 GeoUnregistered" GET /sites/hr
dep POST /scopes/site/hr/datakeys '{}'
tap_is "a site has data keys all the same" 200 "$HTTP_STATUS"
wrapped=$(json .wrapped)
plain=$(json .plaintext)

# ---- what is refused (threats G25: nothing changes) ----
dep_answers "a site's geo must be named" "400 BadParameter" POST /scopes/site '{"id":"x"}'
dep_answers "and be one" "404 GeoNotFound" POST /scopes/site '{"id":"x","geo":"APC"}'
dep_answers "a mailbox has none" "400 BadParameter" POST /scopes/mailbox '{"id":"x","geo":"NAM"}'
refused() {
	dep_answers "refused: $1" "$2" POST /geos/NAM/register "$3"
}
refused "one key" "400 TwoKeysRequired" "$(register_keys "$WEST_KID")"
refused "three keys" "400 TwoKeysRequired" "$(register_keys "$WEST_KID, $EAST_KID" "$EAST_KID")"
refused "no keys" "400 TwoKeysRequired" '{}'
refused "a key without its version" "400 BadParameter" "$(register_keys "$WEST_KID" "$EAST_URI")"
refused "no URI" "400 BadParameter" "$(register_keys "$WEST_KID" east)"
refused "one vault" "400 SameVault" "$(register_keys "$WEST_KID" "$WEST_KID")"
refused "no such key" "404 KeyNotFound" "$(register_keys "$WEST_KID" "${EAST_KID%/*/*}/other/${EAST_KID##*/}")"
refused "named in two ways" "400 BadParameter" \
	"$(jq -nc --arg k "$WEST_KID" '{keys: [$k], secondary: {vault: "v", name: "n", version: "1"}}')"
refused "half a name" "400 BadParameter" '{"primary":{"vault":"v","name":"n"}}'
refused "unknown members" "400 BadParameter" '{"key":"x"}'
dep_answers "refused: another geo" "404 GeoNotFound" POST /geos/APC/register "$(register_keys "$WEST_KID" "$EAST_KID")"
dep_grant $EAST "$DEP_SHAREPOINT" get wrapKey
refused "a permission is missing" "403 PermissionMissing" "$(register_keys "$WEST_KID" "$EAST_KID")"
dep_grant $EAST "$DEP_SHAREPOINT" get wrapKey unwrapKey
tap_is "no availability key is left of that" 0 "$(service service_has /keys '[.value[] | select(.kid | contains("/keys/ak-"))] | length')"

# ---- registered ----
dc geo register nam --key "$WEST_KID, $EAST_KID" >"$T/out" 2>&1 || diag "$(cat "$T/out")"
tap_is "a geo is registered by two URIs with a comma and a blank" "Registering 0 0" "$(geo NAM)"
tap_is "it shows both keys" "$WEST_KID $EAST_KID" "$(dc geo show NAM | jq -r '"\(.primary) \(.secondary)"')"
tap_is "its sites wait" "pending false geo NAM" "$(site hr)"
tap_is "other geos' do not" "Unregistered 0 0" "$(geo EUR)"
dep_answers "it is not registered twice meanwhile" "409 RollInProgress" POST /geos/NAM/register "$(register_keys "$WEST_KID" "$EAST_KID")"
tap_like "with the percentage" "*0 %*" "$(json .error.message)"
dep POST /scopes/site/hr/datakeys/unwrap "{\"wrapped\":\"$wrapped\"}"
tap_is "a data key of before opens" "$plain" "$(json .plaintext)"
tap_is "and its site was moved first" "encrypted true geo NAM" "$(site hr)"
tap_is "which counts" "Registering 33 33" "$(geo NAM)"
config_set depd rewrap-rate 10000
dep_reload
tap_ok "the others move by themselves" wait_for geo_is NAM "Registering 66 66"
tap_is "what is in clear waits for its workload" "unencrypted false geo NAM" "$(site old)"
dc site moved old >"$T/out" 2>&1
tap_is "then all is done" "Registered 100 100" "$(geo NAM)"
dep_answers "it is not registered twice" "409 PolicyExists" POST /geos/NAM/register "$(register_keys "$WEST_KID" "$EAST_KID")"

dep_answers "what is not registered is not updated" "409 GeoUnregistered" POST /geos/EUR/update \
	"$(jq -nc --arg k "$WEST_KID" '{keyType: "primary", keys: [$k]}')"

# ---- the availability key: one RSA key for all geos, used by nothing here (threats G21) ----
dc geo register EUR --primary-vault $WEST --primary-name root-west --primary-version "${WEST_KID##*/}" \
	--secondary-vault $EAST --secondary-name root-east --secondary-version "${EAST_KID##*/}" >"$T/out" 2>&1 || diag "$(cat "$T/out")"
tap_ok "another geo is registered by vault, name and version" wait_for geo_is EUR "Registered 100 100"
tap_is "there is one availability key of the geos" "RSA 1" \
	"$(service service_has /keys/ak-geo .key.kty) $(service service_has /keys/ak-geo/versions '.value | length')"
id=$(dc geo show NAM | jq -r .policyId)
dep_answers "its policy is not changed like another" "400 NotSupported" PATCH "/policies/$id" '{"enabled":false}'
dep_answers "nor refreshed" "400 NotSupported" POST "/policies/$id/refresh" '{}'
dep_answers "but shown" 200 GET "/policies/$id"
tap_is "as a geo's" geo "$(json .kind)"

# ---- one key at a time gives way to another version (threats G8, G9, G25) ----
update() {
	dc geo update "$@" | jq -r '"\(.updated) \(.geo.state) \(.geo.percentage)"'
}
update_refused() {
	dep_answers "no update: $1" "$2" POST /geos/NAM/update "$3"
}
west_new=$(dep_key $WEST root-west "$AES")
east_new=$(dep_key $EAST root-east "$AES")
config_set depd rewrap-rate 0
dep_reload
tap_is "an update to the version in use says so" "false Registered 100" "$(update NAM --key-type primary --key "$WEST_KID")"
update_refused "a key without its version" "400 BadParameter" "$(jq -nc --arg k "$WEST_URI" '{keyType: "primary", keys: [$k]}')"
update_refused "both keys" "400 BadParameter" "$(jq -nc --arg k "$west_new $east_new" '{keyType: "primary", keys: [$k]}')"
update_refused "neither key said" "400 BadParameter" "$(jq -nc --arg k "$west_new" '{keys: [$k]}')"
update_refused "the other key's vault" "400 SameVault" "$(jq -nc --arg k "$east_new" '{keyType: "primary", keys: [$k]}')"
update_refused "no such version" "404 KeyNotFound" "$(jq -nc --arg v $WEST '{keyType: "primary", key: {vault: $v, name: "root-west", version: "00000000000000000000000000000000"}}')"
key_change $EAST root-east '{"attributes":{"enabled":false}}'
update_refused "a version that is disabled" "403 KeyDisabled" "$(jq -nc --arg k "$east_new" '{keyType: "secondary", keys: [$k]}')"
key_change $EAST root-east '{"attributes":{"enabled":true}}'
tap_exits "nor without --key-type" 2 dc geo update NAM --key "$west_new"
tap_is "nothing of it changed anything" "Registered 100 100 1" "$(geo NAM) $(dc geo show NAM | jq .generation)"
tap_is "a newer version rolls the geo" "true Rolling 0" \
	"$(update NAM --key-type primary --vault $WEST --name root-west --version "${west_new##*/}")"
tap_is "which shows both keys" "$west_new $EAST_KID" "$(dc geo show NAM | jq -r '"\(.primary) \(.secondary)"')"
tap_is "its sites wait" "pending false geo NAM" "$(site sales)"
update_refused "while it rolls" "409 RollInProgress" "$(jq -nc --arg k "$east_new" '{keyType: "secondary", keys: [$k]}')"
tap_like "with the percentage" "*Rolling, 0 %*" "$(json .error.message)"
dep POST /scopes/site/hr/datakeys/unwrap "{\"wrapped\":\"$wrapped\"}"
tap_is "a data key of before opens" "$plain" "$(json .plaintext)"
tap_is "and its site was moved first" "Rolling 33 100" "$(geo NAM)"
dep_stop KILL
dep_start || bail "depd did not start again"
tap_is "a kill changes nothing of it" "Rolling 33 100" "$(geo NAM)"
config_set depd rewrap-rate 10000
dep_reload
tap_ok "it goes on to its end" wait_for geo_is NAM "Registered 100 100"
update https://contoso-admin.sharepoint.com --key-type secondary --key "$east_new" >"$T/out"
tap_ok "then the other key has its turn" wait_for geo_is NAM "Registered 100 100"
dep GET "/policies/$id"
tap_is "its policy names both" "$west_new $east_new 3" "$(json '[.keys[], .generations[-1].number] | join(" ")')"
key_change $WEST "root-west/${WEST_KID##*/}" '{"attributes":{"enabled":false}}'
key_change $EAST "root-east/${EAST_KID##*/}" '{"attributes":{"enabled":false}}'
dep POST /flush
dep POST /scopes/site/hr/datakeys/unwrap "{\"wrapped\":\"$wrapped\"}"
tap_is "the old versions are not needed any more" "$plain" "$(json .plaintext)"

# ---- what is not done with a geo ----
dep_answers "it is not rolled back" "400 RollbackNotSupported" POST /geos/NAM/rollback
tap_like "the command says what there is instead" "*depctl geo update*" "$(dc geo rollback NAM 2>&1)"
dep_answers "nor purged" "400 PurgeNotSupported" POST /geos/NAM/purge
tap_like "as the command says" "*depctl mailbox policy purge*" "$(dc geo purge NAM 2>&1)"
dep_answers "another geo is not known there" "404 GeoNotFound" POST /geos/APC/rollback
dep_grant $WEST "$DEP_SHAREPOINT"
dep_grant $EAST "$DEP_SHAREPOINT"
dep POST /flush
dep_answers "both keys revoked: refused" "403 AccessDenied" POST /scopes/site/hr/datakeys '{}'
dep_grant $WEST "$DEP_SHAREPOINT" get wrapKey unwrapKey
dep_answers "one given back: served" 200 POST /scopes/site/hr/datakeys '{}'
tap_ok "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_ok "the availability key was never used" sh -c "! grep -q Availability '$T/log/dep-audit.jsonl'"
tap_done
