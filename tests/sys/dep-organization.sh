#!/bin/sh
# The first start: signing key, root keys, the service-managed policy and the slots are made in the service's custody, whenever it comes,
# and once.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
wait_for organization_ready || bail "the organization is not set up"
dep_stop TERM
service_keys() {
	for service_vault in availability roots-west roots-east; do
		service ctl key list --vault-name $service_vault -o tsv
	done | wc -l
}
tap_is "three keys are made" 3 "$(service_keys)"

rm "$T"/dep.db*
mv "$T/log/dep-audit.jsonl" "$T/log/before.jsonl"
service daemon_stop
dep_start & # ready when all is set up
starting=$!
# shellcheck disable=SC2317 # run by wait_for
answers() {
	dep GET /health
	[ "$HTTP_STATUS" = 200 ]
}
tap_ok "depd starts" wait_for answers
dep_answers "without the service's custody it has no policies" "503 ServiceUnavailable" GET /assignments/tenant
dep_answers "and makes none" "503 ServiceUnavailable" POST /policies \
	"$(policy_body mailbox USA "https://$WEST.vault.azure.net/keys/a" "https://$EAST.vault.azure.net/keys/b")"
service daemon_start
tap_ok "when it comes the organization is set up" wait_for organization_ready
wait $starting
tap_is "and depd says that it is ready" 0 $?
dep GET /assignments/tenant
tap_is "by the service-managed policy" "service service-managed" "$(json '[.policy.kind, .policy.name] | join(" ")')"
tap_is "with the keys that were there" 3 "$(service_keys)"
dep GET "/policies/$(json .policy.id)"
tap_is "under the two roots, without an availability key" "root root 1 null" \
	"$(json '[(.generations[0].keys[] | split("/")[4]), .generations[0].number, .generations[0].availabilityKey // "null"] | join(" ")')"

dep_stop TERM
config_set depd organization fabrikam
dep_start
tap_is "another organization's name is refused" 1 $?
tap_ok "and said" dep_log_has 'that of organization contoso'
tap_done
