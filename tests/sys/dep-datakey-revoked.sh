#!/bin/sh
# Both keys denied: users are refused and the system goes on, by the caller's role alone (threats G18); what waits to be moved waits, and comes back by itself.
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
need_root

dep_is_set_up() {
	dep GET /assignments/tenant
	[ "$HTTP_STATUS" = 200 ]
}
dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
# unwrap UID NAME: as that user; prints status and what came.
unwrap() {
	someone "$1" curl -s --unix-socket "$T/depd.sock" -X POST -H 'Content-Type: application/json' -H 'x-custody-action: system' \
		-d "{\"wrapped\":\"$(cat "$T/$2.wrapped")\"}" -o - -w '\n%{http_code}\n' "http://localhost/scopes/mailbox/$2/datakeys/unwrap" >"$T/asked"
	printf '%s %s' "$(tail -n 1 "$T/asked")" "$(head -n 1 "$T/asked" | jq -r '.error.code // .plaintext')"
}
state() {
	dc mailbox show "$1" | jq -r '"\(.state) \(.policy)"'
}

config_set depd rewrap-rate 0
config_set workload-mailbox principals "user:root user:12345"
config_set workload-mailbox system-principals "user:23456"
dep_world_start
wait_for dep_is_set_up || bail "there is no organization: $HTTP_STATUS $(cat "$T/body")"
service_policy=$(json .policy.name)
dc mailbox policy create --name Legal --key "$(dep_key contosowestus root)" --key "$(dep_key contosocentralus root)" >"$T/out" 2>&1 ||
	bail "no policy: $(cat "$T/out")"
dc mailbox set anna --policy Legal >"$T/out" 2>&1
printf '{"id":"anna"}\n{"id":"bert"}\n' | dc mailbox register >"$T/out" 2>&1 || bail "not registered: $(cat "$T/out")"
for name in anna bert; do
	dep POST "/scopes/mailbox/$name/datakeys"
	json .wrapped | tr -d '\n' >"$T/$name.wrapped"
	json .plaintext | tr -d '\n' >"$T/$name.plain"
done
anna=$(cat "$T/anna.plain") bert=$(cat "$T/bert.plain")
tap_is "a user's action" "200 $anna" "$(unwrap 12345 anna)"
tap_is "a system's action" "200 $anna" "$(unwrap 23456 anna)"

for vault in contosowestus contosocentralus; do
	dep_grant "$vault" "$DEP_EXCHANGE"
done
dep_stop
dep_start || bail "depd did not start again"
tap_is "both keys denied: the user is refused, whatever he calls himself" "403 AccessDenied" "$(unwrap 12345 anna)"
tap_is "the system is not" "200 $anna" "$(unwrap 23456 anna)"
tap_is "and the user still is" "403 AccessDenied" "$(unwrap 12345 anna)"
tap_is "what is under another policy is read by both" "200 $bert 200 $bert" "$(unwrap 12345 bert) $(unwrap 23456 bert)"

# ---- leaving a policy whose keys are denied waits for them ----
dc mailbox set anna --no-policy >"$T/out" 2>&1
tap_is "a user cannot move it" "403 AccessDenied pending $service_policy" "$(unwrap 12345 anna) $(state anna)"
dc mailbox set bert --policy Legal >"$T/out" 2>&1
tap_is "what is assigned to a policy that does not open is read under its old one" "200 $bert pending Legal" "$(unwrap 12345 bert) $(state bert)"
for vault in contosowestus contosocentralus; do
	dep_grant "$vault" "$DEP_EXCHANGE" get wrapKey unwrapKey
done
tap_is "permissions given back: the user reads it" "200 $anna" "$(unwrap 12345 anna)"
tap_is "and it has left" "encrypted $service_policy" "$(state anna)"
tap_is "the other one has come" "200 $bert encrypted Legal" "$(unwrap 12345 bert) $(state bert)"
tap_done
