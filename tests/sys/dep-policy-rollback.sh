#!/bin/sh
# Rolling the tenant back to service-managed keys: with a ticket, only while both keys work, moved to the end over a kill -9 in the middle,
# and then the policy may be disabled (threats G8, G25).
# shellcheck disable=SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world
ticket='{"fqdn":"contoso.com","contact":"anna@contoso.com","reason":"leaving","incident":"4711"}'

dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
roll_back() {
	dc m365 rollback --fqdn contoso.com --contact anna@contoso.com --reason leaving --incident 4711
}
# state: of the assignment, and of its rollback.
state() {
	dep GET /assignments/tenant
	json '[.state, .policy.kind, (.rollback // empty | .policy, .incident, .percentage)] | join(" ")'
}
state_is() {
	# shellcheck disable=SC2254 # a pattern is meant
	case $(state) in
	$1) ;;
	*) return 1 ;;
	esac
}
# refused BODY: the answer to a rollback with it.
refused() {
	dep POST /assignments/tenant/rollback "$1"
	dep_answer
}

tap_is "nothing is assigned" "Unassigned service" "$(state)"
tap_is "so nothing is rolled back" "409 PolicyNotAssigned" "$(refused "$ticket")"
policy_make m365 Contoso_Global
policy=$(json .id)
dep PUT /assignments/tenant '{"policy":"Contoso_Global"}'
jq -nc 'range(300) | {id: "pc\(.)"}' >"$T/lines"
dc scope register --kind cloudpc --in "$T/lines" >"$T/out" || bail "scope register"
tap_is "300 Cloud PCs are under the policy" "Assigned m365" "$(state)"

for wrong in '{}' '{"fqdn":"contoso","contact":"a","reason":"b","incident":"1"}' '{"fqdn":"contoso.com","contact":"","reason":"b","incident":"1"}' \
	'{"fqdn":"contoso.com","contact":"a","reason":"b","incident":"1","policy":"x"}' '{"fqdn":".com","contact":"a","reason":"b","incident":"1"}'; do
	tap_is "a ticket is whole: $wrong" "400 BadParameter" "$(refused "$wrong")"
done
tap_exits "on the command line too" 2 dc m365 rollback --fqdn contoso.com --contact a --reason b
key_change $EAST root-east '{"attributes":{"enabled":false}}'
tap_is "both keys must work" "409 KeysUnusable" "$(refused "$ticket")"
tap_like "the one that does not is named" "$EAST_KID *" "$(json .error.message)"
tap_is "and nothing has changed" "Assigned m365" "$(state)"
key_change $EAST root-east '{"attributes":{"enabled":true}}'

config_set depd rewrap-rate 20
dep_reload
wait_for dep_log_has reloaded || bail "no reload"
tap_is "with both it begins" RollingBack "$(roll_back | jq -r .state)"
tap_ok "and says how far it is" wait_for state_is "RollingBack service Contoso_Global 4711 [1-9]*"
tap_is "once" "409 PolicyNotAssigned" "$(refused "$ticket")"
dep_answers "the policy is not disabled meanwhile" "409 PolicyAssigned" PATCH "/policies/$policy" '{"enabled":false}'
dep_stop KILL
config_set depd rewrap-rate 0
dep_start
tap_ok "killed in the middle it goes on where it was" state_is "RollingBack service Contoso_Global 4711 [1-9]*"
config_set depd rewrap-rate 100000
dep_reload
dep_stop TERM
dep_start
tap_ok "to the end" wait_for state_is "Unassigned service"
dep GET /scopes/cloudpc/pc299
tap_is "then everything is under service-managed keys" "true service" "$(json '[.isEncrypted, .policyKind] | join(" ")')"
ended() {
	jq -se '[.[] | select(.operation == "assignment.rolled-back" and .detail == "incident 4711" and .subject == "Contoso_Global")] | length == 1' \
		"$T/log/dep-audit.jsonl"
}
tap_ok "the audit has its end" wait_for ended
tap_ok "and its ticket" jq -se 'map(select(.operation == "assignment.rollback" and .code == null)) | length == 1 and (.[0] |
	.subject == "Contoso_Global" and .detail == "incident 4711, tenant contoso.com, contact anna@contoso.com: leaving")' "$T/log/dep-audit.jsonl"
dep_answers "and the policy may be disabled" 200 PATCH "/policies/$policy" '{"enabled":false}'
tap_done
