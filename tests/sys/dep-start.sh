#!/bin/sh
# depd starts beside two custodyds, says what keeps it from its work, lets nobody in without a role, reloads and stops.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
need_root

dep_as() { # UID METHOD PATH
	someone "$1" curl -s --unix-socket "$T/depd.sock" -X "$2" -o - -w '\n%{http_code}' "http://localhost$3" >"$T/asked"
	printf '%s %s' "$(tail -n 1 "$T/asked")" "$(head -n 1 "$T/asked" | jq -r '.error.code // .status // empty')"
}

dep_config_write
tap_exits "a good configuration is called good" 0 "$DEPD" --check --config "$T/depd.conf"
for bad in "depd root-vaults one" "depd organization $(printf 'o%.0s' $(seq 129))" "depd owners-user nobody-of-this-name" \
	"role-king principals user:root" "role-auditor principals user:nobody-of-this-name" \
	"role-auditor principals app:$DEP_M365" "workload-fax principals user:root" "geo-NAM admin-url contoso-admin.sharepoint.com" \
	"depd no-such-key 1"; do
	cp -r "$T/conf" "$T/conf.good"
	# shellcheck disable=SC2086 # words
	config_set $bad
	dep_config_write
	tap_exits "refused: $(printf '%.60s' "$bad")" 1 "$DEPD" --check --config "$T/depd.conf"
	rm -r "$T/conf"
	mv "$T/conf.good" "$T/conf"
done

dep_world_start
tap_is "anybody may ask for its health" "200 ok" "$(dep_as 12345 GET /health)"
tap_is "but not for its status" "403 AccessDenied" "$(dep_as 12345 GET /status)"
dep GET /status
tap_is "an administrator may" "200 contoso false" "$HTTP_STATUS $(json '.organization + " " + (.readOnly | tostring)')"
dep GET /nowhere
tap_is "there is nothing else" 404 "$HTTP_STATUS"
dep DELETE /status
tap_is "nor another method" "405 GET" "$HTTP_STATUS $(sed -n 's/^Allow: \([A-Z, ]*\).*/\1/p' "$T/headers")"
tap_is "the refusal is in the audit, chained like the rest" "status AccessDenied 403 12345" \
	"$(jq -r 'select(.operation == "status" and .uid == 12345) | "\(.operation) \(.code) \(.status) \(.uid)"' "$T/log/dep-audit.jsonl")"
tap_ok "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_exits "a second one is refused" 1 "$NOTIFY_RUN" "$DEADLINE" "$T/second" "$DEPD" --config "$T/depd.conf"

config_set role-auditor principals user:12345
dep_reload
wait_for dep_log_has reloaded || bail "depd did not reload"
tap_is "a role given by a reload counts" "200" "$(dep_as 12345 GET /status | cut -d ' ' -f 1)"
config_set depd organization fabrikam
dep_reload
tap_ok "the organization cannot be changed by one" wait_for dep_log_has 'restart-needed.*organization'
dep GET /status
tap_is "and was not" contoso "$(json .organization)"
config_set depd organization contoso

dep_stop KILL
dep_start || bail "depd did not start after a kill"
dep GET /status
tap_is "it starts again after kill -9" 200 "$HTTP_STATUS"
tap_ok "and continues its audit" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_done
