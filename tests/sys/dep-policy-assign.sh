#!/bin/sh
# The tenant has one multi-workload policy, from the service-managed one on; what is assigned cannot be disabled, what is disabled cannot be
# assigned.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world

assigned() {
	dep GET /assignments/tenant
	json '[.policy.kind, .policy.name] | join(" ")'
}

tap_is "at first the service-managed policy covers everything" "service service-managed" "$(assigned)"
service=$(json .policy.id)
policy_make m365 Contoso_Global
global=$(json .id)
policy_make m365 Other
policy_make mailbox USA
usa=$(json .id)

dep_answers "a policy is assigned by its name" 200 PUT /assignments/tenant '{"policy":"contoso_global"}'
tap_is "to every workload, with nothing to do" \
	"teams 100 new data,exchange 100 all data,mip-edm 100 new data,mip-labels 100 all data,windows365 100 all data,mailbox 100 all data,cloudpc 100 all data" \
	"$(json '[.workloads[] | [.name, .percentage, .covers] | join(" ")] | join(",")')"
tap_is "and stays" "m365 Contoso_Global" "$(assigned)"
since=$(json .assigned)
dep_answers "assigned again" 200 PUT /assignments/tenant "{\"policy\":\"$global\"}"
tap_is "nothing changes" "$since" "$(json .assigned)"
dep GET "/policies/$global"
tap_is "the policy says that it is assigned" true "$(json .assigned)"

dep_answers "it cannot be disabled" "409 PolicyAssigned" PATCH "/policies/$global" '{"enabled":false}'
tap_like "and is named" "*Contoso_Global*" "$(json .error.message)"
dep_answers "another one can" 200 PATCH "/policies/Other?kind=m365" '{"enabled":false}'
tap_is "and is" disabled "$(json .state)"
dep_answers "but then not be assigned" "409 PolicyDisabled" PUT /assignments/tenant '{"policy":"Other"}'
dep_answers "nor is a mailbox policy one for the tenant" "404 PolicyNotFound" PUT /assignments/tenant "{\"policy\":\"$usa\"}"
dep_answers "nor one that nobody made" "404 PolicyNotFound" PUT /assignments/tenant '{"policy":"nobody"}'
dep_answers "nor none at all" "400 BadParameter" PUT /assignments/tenant '{"policy":null}'
tap_is "all of which changes nothing" "m365 Contoso_Global" "$(assigned)"

dep PATCH "/policies/Other?kind=m365" '{"enabled":true}'
dep_answers "enabled again it can be assigned" 200 PUT /assignments/tenant '{"policy":"Other"}'
dep_answers "and the first one disabled" 200 PATCH "/policies/$global" '{"enabled":false}'

tap_like "a policy of the tenant is not purged, and what is done instead is said" "*PurgeNotSupported*" \
	"$(DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" m365 purge Other 2>&1)"

dep_answers "the service-managed policy is shown" 200 GET "/policies/$service"
for change in "PATCH /policies/$service" "POST /policies/$service/refresh"; do
	# shellcheck disable=SC2086 # method and path
	dep_answers "but not changed: ${change%% *}" "400 NotSupported" $change '{"enabled":false}'
done
tap_done
