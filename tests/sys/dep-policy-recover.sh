#!/bin/sh
# Both keys of a policy are lost: new keys, a new policy, and what is under the old one moves there by its availability key, when somebody says
# why; a geo gets new keys itself, and falls back for nothing else (threats G21). Keys that are denied or that work are not lost (threats G20).
# shellcheck disable=SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
config_set role-recovery-admin principals "user:$(id -un)"
config_set geo-NAM admin-url https://contoso-admin.sharepoint.com
dep_world_start
dep_policy_world
policy_make mailbox Old
old=$(json .id)
dep POST /scopes/mailbox '{"id":"anna"}'
dep PATCH /mailboxes/anna '{"policy":"Old"}'
dep POST /scopes/mailbox/anna/datakeys '{}'
plain=$(json .plaintext)
jq -c '{wrapped}' "$T/body" >"$T/wrapped"

dep POST /geos/NAM/register "$(jq -nc --arg w "$WEST_KID" --arg e "$EAST_KID" '{keys: [$w, $e]}')"
dep POST /scopes/site '{"id":"hr"}
{"id":"sales"}
{"id":"old","state":"unencrypted"}'
for site in hr old; do
	dep POST /scopes/site/$site/datakeys '{}'
	json .plaintext >"$T/$site.plain"
	jq -c '{wrapped}' "$T/body" >"$T/$site.wrapped"
done

dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
recover() {
	dep POST "/policies/$old/recover" '{"reason":"both modules burnt"}'
	dep_answer
}
geo_recover() { # REASON WEST-KID EAST-KID
	dep POST /geos/NAM/recover "$(jq -nc --arg r "$1" --arg w "$2" --arg e "$3" '{reason: $r, keys: [$w, $e]}')"
	dep_answer
}
geo() {
	dc geo show NAM | jq -r '"\(.state) \(.percentage)"'
}
geo_is() {
	[ "$(geo)" = "$1" ]
}
site_opens() { # SITE: whether its data key of before is what it was
	dep POST "/scopes/site/$1/datakeys/unwrap" "$(cat "$T/$1.wrapped")"
	[ "$(json .plaintext)" = "$(cat "$T/$1.plain")" ] || dep_answer
}
key_lose() { # VAULT TOKEN NAME: its object goes
	token_tool "$2" --delete-object --type secrkey --label "$1/$3" >"$T/tool.log" 2>&1 || bail "delete: $(cat "$T/tool.log")"
}
lost() { # custodyd has noticed
	dep POST "/policies/$old/validate"
	[ "$(json '[.checks[] | select(.rule == "usable" and .result == "failed")] | length')" = 2 ]
}

tap_is "keys that work are not lost" "409 KeysNotLost" "$(recover)"
tap_is "nor a geo's" "409 KeysNotLost" "$(geo_recover burnt "$WEST_KID" "$EAST_KID")"
key_change $WEST root-west '{"attributes":{"enabled":false}}'
tap_is "nor is one that is denied, though the other one works" "403 AccessDenied" "$(recover)"
key_change $EAST root-east '{"attributes":{"enabled":false}}'
tap_is "nor are both" "403 AccessDenied" "$(recover)"
key_lose $EAST east root-east
tap_is "nor when the denied one is lost" "403 AccessDenied" "$(recover)"
tap_is "nor is a geo's" "403 AccessDenied" "$(geo_recover burnt "$WEST_KID" "$EAST_KID")"
key_change $WEST root-west '{"attributes":{"enabled":true}}'
key_change $EAST root-east '{"attributes":{"enabled":true}}'
tap_is "nor when the other one works" "409 KeysNotLost" "$(recover)"
tap_is "for a geo neither" "409 KeysNotLost" "$(geo_recover burnt "$WEST_KID" "$EAST_KID")"
key_lose $WEST west root-west
tap_ok "both are lost" wait_for lost
tap_is "a reason is needed" "400 BadParameter" "$(dep POST "/policies/$old/recover" '{"reason":""}' && dep_answer)"
tap_exits "also by depctl" 2 dc mailbox policy recover Old
tap_is "with one it is recovered" Old "$(dc mailbox policy recover Old --reason 'both modules burnt' | jq -r .name)"
tap_ok "which somebody is told" dep_log_has recovery.begun

dep_stop KILL
dep_start
WEST_URI=$(dep_key "$WEST" new-west "$AES")
EAST_URI=$(dep_key "$EAST" new-east "$AES")
policy_make mailbox New
new=$(json '.generations[0].id')
dep PATCH /mailboxes/anna '{"policy":"New"}'
moved() {
	dep GET /mailboxes/anna
	[ "$(json '[.isEncrypted, .dataEncryptionPolicyID] | join(" ")')" = "true $new" ]
}
tap_ok "killed after it, what was under the old policy moves to the new one" wait_for moved
dep POST /scopes/mailbox/anna/datakeys/unwrap "$(cat "$T/wrapped")"
tap_is "and its data is as it was" "$plain" "$(json .plaintext)"
over() {
	jq -se 'map(select(.operation == "policy.recovered" and .subject == "Old")) | length == 1' "$T/log/dep-audit.jsonl"
}
tap_ok "then the recovery is over" wait_for over
tap_ok "the audit has why" jq -se 'map(select(.operation == "policy.recover" and .code == null)) |
	length == 1 and .[0].detail == "both modules burnt" and .[0].subject == "Old"' "$T/log/dep-audit.jsonl"
tap_ok "and that the availability key was used for it" jq -se 'map(select(.operation == "generation.fallback" and .subject == "Old")) |
	length == 1 and (.[0].detail | contains("; recovery action; unavailable"))' "$T/log/dep-audit.jsonl"

# ---- a geo ----
west_new=$(dep_key "$WEST" site-west "$AES")
east_new=$(dep_key "$EAST" site-east "$AES")
tap_is "a geo does not fall back by itself" "503 ServiceUnavailable" "$(site_opens hr)"
config_set depd rewrap-rate 0
dep_reload
tap_is "it is not recovered without a reason" "400 BadParameter" "$(geo_recover "" "$west_new" "$east_new")"
tap_exits "also by depctl" 2 dc geo recover NAM --key "$west_new" --key "$east_new"
tap_is "nor under one key" "400 TwoKeysRequired" "$(geo_recover burnt "$west_new" "")"
tap_is "nor under keys in one vault" "400 SameVault" "$(geo_recover burnt "$west_new" "$west_new")"
tap_is "nor under what is not there" "404 KeyNotFound" "$(geo_recover burnt "$west_new" "${east_new%/*/*}/other/${east_new##*/}")"
tap_is "of which nothing is left" "Registering 66 1" "$(geo) $(dc geo show NAM | jq .generation)"
tap_is "under two new keys it is" "Recovering 0 $west_new $east_new" "$(dc geo recover NAM --reason 'both modules burnt' --key "$west_new, $east_new" |
	jq -r '"\(.state) \(.percentage) \(.primary) \(.secondary)"')"
dep_answers "no key is exchanged meanwhile" "409 RollInProgress" POST /geos/NAM/update "$(jq -nc --arg k "$west_new" '{keyType: "primary", keys: [$k]}')"
tap_like "with the percentage" "*Recovering, 0 %*" "$(json .error.message)"
tap_is "whoever reads waits until it has moved" "503 ServiceUnavailable" "$(site_opens hr)"
dep_stop KILL
config_set depd rewrap-rate 10000
dep_start
tap_ok "killed after it, its sites move to the new keys" wait_for geo_is "Registering 66"
tap_is "what is in clear yet too" "Registering 66 0" "$(geo) $(dep GET "/policies/$(dc geo show NAM | jq -r .policyId)" && json '.generations[0].scopes')"
tap_is "and their data is as it was" "" "$(site_opens hr)"
tap_is "also of the one that is being moved" "" "$(site_opens old)"
geo_over() {
	jq -se 'map(select(.operation == "geo.recovered" and .subject == "geo/NAM")) | length == 1' "$T/log/dep-audit.jsonl"
}
tap_ok "then the recovery is over" wait_for geo_over
geo_why() {
	jq -se --arg detail "both modules burnt; $west_new $east_new" 'map(select(.operation == "geo.recover" and .code == null)) |
		length == 1 and .[0].detail == $detail and .[0].subject == "geo/NAM"' "$T/log/dep-audit.jsonl"
}
tap_ok "the audit has why, and under which keys" geo_why
tap_ok "and that the availability key was used for nothing else" jq -se 'map(select(.operation == "generation.fallback" and .subject == "NAM")) |
	length == 1 and (.[0].detail | contains("; recovery action; unavailable"))' "$T/log/dep-audit.jsonl"
rm "$T/conf/role-recovery-admin"
dep_stop TERM
dep_start
tap_is "it has a role of its own" "403 AccessDenied" "$(recover)"
tap_is "for a geo too" "403 AccessDenied" "$(geo_recover burnt "$west_new" "$east_new")"
tap_done
