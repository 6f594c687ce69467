#!/bin/sh
# Both keys of a policy are lost: new keys, a new policy, and what is under the old one moves there by its availability key, when somebody says
# why. Keys that are denied or that work are not lost (threats G20).
# shellcheck disable=SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
config_set role-recovery-admin principals "user:$(id -un)"
dep_world_start
dep_policy_world
policy_make mailbox Old
old=$(json .id)
dep POST /scopes/mailbox '{"id":"anna"}'
dep PATCH /mailboxes/anna '{"policy":"Old"}'
dep POST /scopes/mailbox/anna/datakeys '{}'
plain=$(json .plaintext)
jq -c '{wrapped}' "$T/body" >"$T/wrapped"

dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
recover() {
	dep POST "/policies/$old/recover" '{"reason":"both modules burnt"}'
	dep_answer
}
key_lose() { # VAULT TOKEN NAME: its object goes
	token_tool "$2" --delete-object --type secrkey --label "$1/$3" >"$T/tool.log" 2>&1 || bail "delete: $(cat "$T/tool.log")"
}
lost() { # custodyd has noticed
	dep POST "/policies/$old/validate"
	[ "$(json '[.checks[] | select(.rule == "usable" and .result == "failed")] | length')" = 2 ]
}

tap_is "keys that work are not lost" "409 KeysNotLost" "$(recover)"
key_change $WEST root-west '{"attributes":{"enabled":false}}'
tap_is "nor is one that is denied, though the other one works" "403 AccessDenied" "$(recover)"
key_change $EAST root-east '{"attributes":{"enabled":false}}'
tap_is "nor are both" "403 AccessDenied" "$(recover)"
key_lose $EAST east root-east
tap_is "nor when the denied one is lost" "403 AccessDenied" "$(recover)"
key_change $WEST root-west '{"attributes":{"enabled":true}}'
key_change $EAST root-east '{"attributes":{"enabled":true}}'
tap_is "nor when the other one works" "409 KeysNotLost" "$(recover)"
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
tap_ok "and that the availability key was used for it" jq -se 'map(select(.operation == "generation.fallback")) |
	length == 1 and (.[0].detail | contains("; recovery action; unavailable"))' "$T/log/dep-audit.jsonl"
rm "$T/conf/role-recovery-admin"
dep_stop TERM
dep_start
tap_is "it has a role of its own" "403 AccessDenied" "$(recover)"
tap_done
