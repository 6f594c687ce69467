#!/bin/sh
# Who may what with policies: administrators of their kind of policy only, auditors read, nobody else.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
need_root
config_set role-compliance-admin principals user:1
config_set role-exchange-admin principals user:2
config_set role-auditor principals user:3
dep_world_start
dep_policy_world
policy_make m365 tenant
tenant=$(json .id)
policy_make mailbox boxes
boxes=$(json .id)
chmod 755 "$T"
chmod 666 "$T/depd.sock"

# by UID METHOD PATH [JSON]: the answer's status.
by() {
	by_uid=$1
	by_method=$2
	by_path=$3
	shift 3
	[ $# -eq 0 ] || set -- -H 'Content-Type: application/json' --data-binary "$1"
	setpriv --reuid "$by_uid" --regid "$by_uid" --clear-groups \
		curl -s --max-time "$DEADLINE" --unix-socket "$T/depd.sock" -X "$by_method" -o /dev/null -w '%{http_code}' "$@" "http://localhost$by_path"
}

# each METHOD PATH [JSON]: of compliance-admin, exchange-admin, auditor and nobody.
each() {
	for each_uid in 1 2 3 4; do
		by $each_uid "$@"
		[ $each_uid = 4 ] || printf ' '
	done
}

tap_is "reading a multi-workload policy" "200 403 200 403" "$(each GET "/policies/tenant?kind=m365")"
tap_is "by GUID" "200 403 200 403" "$(each GET "/policies/$tenant")"
tap_is "reading a mailbox policy" "403 200 200 403" "$(each GET "/policies/$boxes")"
tap_is "listing" "200 403 200 403" "$(each GET "/policies?kind=m365")"
tap_is "asking for one that is not there tells nothing" "403 404 404 403" "$(each GET "/policies/nobody?kind=mailbox")"
tap_is "changing a multi-workload policy" "200 403 403 403" "$(each PATCH "/policies/$tenant" '{"description":"d"}')"
tap_is "changing a mailbox policy" "403 200 403 403" "$(each PATCH "/policies/$boxes" '{"description":"d"}')"
tap_is "making a mailbox policy, wrongly" "403 400 403 403" "$(each POST /policies "$(policy_body mailbox x a b)")"
tap_is "making a multi-workload policy, wrongly" "400 403 403 403" "$(each POST /policies "$(policy_body m365 x a b)")"
tap_is "refreshing a mailbox policy" "403 200 403 403" "$(each POST "/policies/$boxes/refresh")"
tap_is "validating a multi-workload policy" "200 403 403 403" "$(each POST "/policies/$tenant/validate")"
tap_is "reading the assignment" "200 200 200 403" "$(each GET /assignments/tenant)"
tap_is "assigning" "200 403 403 403" "$(each PUT /assignments/tenant '{"policy":"tenant"}')"
tap_is "rolling back, wrongly" "400 403 403 403" "$(each POST /assignments/tenant/rollback '{}')"
tap_is "recovering is of a role that none of them has" "403 403 403 403" "$(each POST "/policies/$boxes/recover" '{}')"
tap_done
