# Policies for the system tests of depd, on top of dep.sh: two keys of the owners, policies over them, what answers say.
#
#   . "$SRCDIR/tests/support/dep.sh"
#   . "$SRCDIR/tests/support/dep_policy.sh"
#   dep_world_start
#   dep_policy_world
#   dep_answers "it is made" 201 POST /policies "$(policy_body mailbox USA "$WEST_URI" "$EAST_URI")"
#
# shellcheck shell=sh
# shellcheck disable=SC2034 # for the tests

AES='{"kty":"oct","key_size":256,"key_ops":["wrapKey","unwrapKey"]}'

# The organization is set up; a key in each of the two vaults: $WEST_KID and $EAST_KID with their versions, $WEST_URI and $EAST_URI without.
dep_policy_world() {
	wait_for organization_ready || bail "the organization is not set up"
	WEST_KID=$(dep_key "$WEST" root-west "$AES")
	EAST_KID=$(dep_key "$EAST" root-east "$AES")
	WEST_URI=${WEST_KID%/*}
	EAST_URI=${EAST_KID%/*}
}

organization_ready() {
	dep GET /assignments/tenant && [ "$HTTP_STATUS" = 200 ]
}

# policy_body KIND NAME URI...: for POST /policies.
policy_body() {
	body_kind=$1
	body_name=$2
	shift 2
	jq -nc --arg kind "$body_kind" --arg name "$body_name" '{kind: $kind, name: $name, keys: $ARGS.positional}' --args "$@"
}

# dep_answer: the last status; with the code if it is an error: "409 PolicyExists".
dep_answer() {
	if [ "$HTTP_STATUS" -ge 400 ]; then
		echo "$HTTP_STATUS $(json .error.code 2>"$T/json.log")"
	else
		echo "$HTTP_STATUS"
	fi
}

# dep_answers DESCRIPTION EXPECTED METHOD PATH [JSON]: sends the request and compares dep_answer() with EXPECTED.
dep_answers() {
	answers_description=$1
	answers_expected=$2
	shift 2
	dep "$@"
	answers_got=$(dep_answer)
	if [ "$answers_got" = "$answers_expected" ]; then
		tap_pass "$answers_description"
	else
		tap_fail "$answers_description"
		diag "expected: $answers_expected"
		diag "     got: $answers_got of $1 $2"
		diag "$(cat "$T/body")"
	fi
}

# policy_make KIND NAME: over the two keys.
policy_make() {
	dep POST /policies "$(policy_body "$1" "$2" "$WEST_URI" "$EAST_URI")"
	[ "$HTTP_STATUS" = 201 ] || bail "policy $2: $HTTP_STATUS $(cat "$T/body")"
}

# key_change VAULT NAME JSON: attributes of a key of the owners.
key_change() {
	http PATCH "/keys/$2" "$1" "$3"
	[ "$HTTP_STATUS" = 200 ] || bail "change $2 in $1: $HTTP_STATUS $(cat "$T/body")"
}

# availability_keys: how many there are in the service's custody, live and deleted.
availability_keys() {
	echo "$(service service_has /keys '[.value[] | select(.kid | test("/keys/ak-"))] | length') $(service service_has /deletedkeys '.value | length')"
}

# service_has PATH FILTER: in the world of the service's custodyd.
service_has() {
	http GET "$1" availability && json "$2"
}

# intents: how many policies were begun and not ended.
intents() {
	sqlite3 "file:$T/dep.db?mode=ro" 'SELECT count(*) FROM intent'
}

nothing_left() {
	[ "$(intents)" -eq 0 ]
}
