#!/bin/sh
# What the owners of the keys take away: one key of two changes nothing, both refuse users within cache-ttl, in memory too, and
# what is given back works again by itself (threats G1, G4, G5, G6, G18).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
need_root

config_set depd cache-ttl 4s
config_set workload-mailbox system-principals user:12345
dep_world_start
west=$(dep_key contosowestus k) && east=$(dep_key contosocentralus k) || exit 99

dep POST /policies "{\"kind\":\"mailbox\",\"name\":\"p\",\"keys\":[\"${west%/*}\",\"${east%/*}\"]}"
[ "$HTTP_STATUS" -lt 300 ] || bail "the policy: $HTTP_STATUS $(cat "$T/body")"
dep POST /scopes/mailbox '{"id":"alice","type":"UserMailbox"}'
dep PATCH /mailboxes/alice '{"policy":"p"}'
dep POST /scopes/mailbox/alice/datakeys '{}'
[ "$HTTP_STATUS" = 200 ] || bail "the data key: $HTTP_STATUS $(cat "$T/body")"
plain=$(json .plaintext)
jq -c '{wrapped}' "$T/body" >"$T/wrapped"

# shellcheck disable=SC2317 # run by tap_ok and wait_for
opens() { # the data key opens for a user, by whatever means
	dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
	[ "$HTTP_STATUS $(json .plaintext)" = "200 $plain" ]
}
# shellcheck disable=SC2317 # run by tap_ok and wait_for
refused() {
	dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
	[ "$HTTP_STATUS $(json .error.code)" = "403 AccessDenied" ]
}
# shellcheck disable=SC2317 # run by tap_ok and wait_for
opens_for_the_system() {
	someone 12345 curl -s --unix-socket "$T/depd.sock" -H "Content-Type: application/json" --data-binary @- \
		http://localhost/scopes/mailbox/alice/datakeys/unwrap <"$T/wrapped" >"$T/system"
	[ "$(jq -r .plaintext "$T/system")" = "$plain" ]
}
# shellcheck disable=SC2317 # run by tap_ok and wait_for
restart() { # nothing is in memory any more
	dep_stop TERM
	dep_start || bail "depd did not start"
}
recorded() { # OPERATION: how many of its records the audit has
	jq -r "select(.operation == \"$1\") | .detail" "$T/log/dep-audit.jsonl" | wc -l
}

dep_grant contosowestus $DEP_EXCHANGE
restart
tap_ok "one key taken away: the other one opens" opens
tap_is "and nothing fell back" 0 "$(recorded generation.fallback)"

http PATCH "/keys/k/${east##*/}" contosocentralus '{"attributes":{"enabled":false}}'
[ "$HTTP_STATUS" = 200 ] || bail "disabling: $HTTP_STATUS $(cat "$T/body")"
tap_ok "both taken away: users are refused though the key was in memory" wait_for refused
restart
tap_ok "and after a restart" refused
tap_is "no availability key was used" 0 "$(recorded generation.fallback)"
tap_like "the audit has the refusal with both reasons" "Denied; policy * user action; denied Forbidden, denied KeyDisabled" \
	"$(jq -r 'select(.operation == "generation.denied") | .detail' "$T/log/dep-audit.jsonl" | tail -n 1)"
tap_ok "a system action goes on" opens_for_the_system
tap_like "by the availability key, in the audit" "Fallback to Availability Key; * system action; denied Forbidden, denied KeyDisabled" \
	"$(jq -r 'select(.operation == "generation.fallback") | .detail' "$T/log/dep-audit.jsonl" | tail -n 1)"
tap_ok "users are refused after it as before" refused

http PATCH "/keys/k/${east##*/}" contosocentralus '{"attributes":{"enabled":true}}'
tap_ok "enabled again: it works by itself" opens
http DELETE /keys/k contosocentralus
restart
tap_ok "deleted: refused" refused
http POST /deletedkeys/k/recover contosocentralus '{}'
tap_ok "recovered: it works by itself" opens
tap_ok "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_done
