#!/bin/sh
# Catalog and audit put back together after a permission was taken away: no file of the host contradicts another, but the token has
# counted further. The permission does not come back silently: a person accepts it (threats D9).
# shellcheck disable=SC2317 # functions that wait_for calls
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
rolled="503 ServiceUnavailable CatalogRolledBack"
token_make west
daemon_start || bail "no start"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "west"
vault_make $WEST west
key_make $WEST k '{"kty":"oct"}'
policy_set $WEST user:daemon get unwrapKey

counter() {
	http GET /tokens/west "" && json .lease.counter
}
counter_is() {
	[ "$(counter)" = "$1" ]
}
why() {
	http GET /status "" && json '"\(.readOnly) \(.rolledBack)"'
}
found() {
	[ "$(why)" != "false null" ]
}
policies() {
	http GET "/vaults/$WEST" "" && json '[.accessPolicies[] | select(.principal == "user:daemon")] | length'
}

tap_is "what only gives is not counted" 0 "$(counter)"
daemon_stop
mkdir "$T/before" && cp -p "$T"/custody.db* "$T/log/audit.jsonl" "$T/before"
daemon_start || bail "no restart"
wait_for token_is west ready || bail "west"
policy_delete $WEST user:daemon
tap_ok "what takes away is counted on the token" wait_for counter_is 1
daemon_kill
daemon_start || bail "no start after kill -9"
wait_for token_is west ready || bail "west"
tap_is "kill -9 is no rollback" "false null" "$(why)"
daemon_kill

rm -f "$T"/custody.db "$T"/custody.db-*
cp -p "$T"/before/custody.db* "$T" && cp -p "$T/before/audit.jsonl" "$T/log"
daemon_start || bail "no start with the old copy"
tap_ok "the token tells that catalog and audit are old" wait_for found
tap_like "and how" "true The catalog is older than token west has seen: its count is 0, the token's 1.*" "$(why)"
answers "a key is not used" "$rolled" POST "/keys/k//wrapkey" $WEST '{"alg":"A256KW","value":"AAECAwQFBgcICQoLDA0ODw"}'
answers "nor shown" "$rolled" GET /keys/k $WEST
answers "nothing is changed" "$rolled" DELETE "/vaults/$WEST/policies/user:daemon" ""
daemon_stop
daemon_start || bail "no restart"
tap_ok "after a restart it is found again" wait_for found

tap_ok "a person accepts it" ctl catalog accept --reason "the disk is lost" --yes
tap_is "then the permission is back, with a record of it" "1 1" \
	"$(policies) $(jq -r 'select(.operation == "catalog.accept" and .outcome == "done") | .detail' "$T/log/audit.jsonl" | grep -c "disk is lost")"
answers "and the key is used" 200 POST "/keys/k//wrapkey" $WEST '{"alg":"A256KW","value":"AAECAwQFBgcICQoLDA0ODw"}'
daemon_kill
daemon_start || bail "no start after kill -9"
wait_for token_is west ready || bail "west"
tap_is "accepted is accepted" "false null" "$(why)"
policy_delete $WEST user:daemon
tap_ok "what is taken away now is counted further" wait_for counter_is 2
tap_done
