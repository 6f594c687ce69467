#!/bin/sh
# Keys that cannot be asked: both tokens dead or one of them denied, the owners' custodyd stopped. Users go on by the
# availability key, each time in the audit, and blind for no longer than blind-fallback (threats G1, G2, G22).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
. "$SRCDIR/tests/support/dep.sh"

need_root
config_set depd blind-fallback 90s
config_set role-global-admin principals "user:$(id -un) user:1"
dep_clock_fake 0
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
opens() {
	dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
	[ "$HTTP_STATUS $(json .plaintext)" = "200 $plain" ]
}
code() {
	dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
	printf '%s %s' "$HTTP_STATUS" "$(json .error.code)"
}
# shellcheck disable=SC2317 # run by tap_ok and wait_for
restart() { # nothing is in memory any more
	dep_stop TERM
	dep_start || bail "depd did not start"
}
last() { # the audit's last record of a fallback
	jq -r 'select(.operation == "generation.fallback") | .detail' "$T/log/dep-audit.jsonl" | tail -n 1
}
uses() { # of availability keys, as the service's custodyd counts them
	jq -r 'select(.operation == "key.unwrap" and .code == null) | .key' "$T/service/log/audit.jsonl" | wc -l
}

trials=$(uses) # those of the policy's creation
token_die west
restart
tap_ok "one token dead: the other one opens" opens
tap_is "and nothing fell back" "" "$(last)"
token_die east
restart
tap_ok "both dead: the availability key opens" opens
tap_like "in the audit" "Fallback to Availability Key; policy * user action; unavailable *, unavailable *" "$(last)"
tap_exits "a policy bounds how long users go on in an outage" 0 \
	env DEPD_SOCKET="$T/depd.sock" "$BUILDDIR/src/ctl/depctl" mailbox policy set p --outage-fallback 2h
dep GET "/policies/p?kind=mailbox"
tap_is "since it began, which is known" "7200 number" "$(json '"\(.outageFallback) \(.outageSince | type)"')"
dep_clock_fake 3600
restart
tap_ok "not yet over" opens
dep_clock_fake 7300
restart
tap_is "then they are refused" "503 ServiceUnavailable" "$(code)"
tap_ok "with an alarm since it lasts for an hour" dep_log_has "generation.outage.*hours=[12]"
dep PATCH "/policies/p?kind=mailbox" '{"outageFallback":"unlimited"}'
dep PATCH "/policies/p?kind=mailbox" '{"outageFallback":"2 weeks"}'
tap_is "what is no span changes nothing" "400 BadParameter" "$HTTP_STATUS $(json .error.code)"
dep_grant contosowestus $DEP_EXCHANGE
restart
tap_ok "one denied, one dead: it is no revocation" opens
tap_like "in the audit with both reasons" "* user action; denied Forbidden, unavailable *" "$(last)"
dep_grant contosocentralus $DEP_EXCHANGE
restart
tap_is "denied is known without the tokens" "403 AccessDenied" "$(code)"

daemon_stop
restart
tap_ok "the owners' custodyd stopped: the availability key opens" opens
tap_like "blind, in the audit" "* user action; unreachable , unreachable ; blind" "$(last)"
restart
tap_ok "again after a restart" opens
restart
tap_is "until the time is used up, which restarts do not give back" "503 ServiceUnavailable" "$(code)"
# The program where another user may run it.
mkdir "$T/bin" "$T/coverage"
chmod 777 "$T/coverage" # of builds that count what was run
cp "$BUILDDIR/src/ctl/.libs/depctl" "$BUILDDIR/src/lib/.libs/libcustody.so.0" "$T/bin" || bail "no depctl"
chmod 755 "$T"
chmod -R a+rX "$T/bin"
chmod 666 "$T/depd.sock"
by_other() { # ARGUMENT...: depctl, by another global administrator
	setpriv --reuid 1 --regid 1 --clear-groups env DEPD_SOCKET="$T/depd.sock" GCOV_PREFIX="$T/coverage" \
		LD_LIBRARY_PATH="$T/bin" "$T/bin/depctl" "$@" --server-uid "$(id -u)" 2>>"$T/other.log" ||
		diag "$(cat "$T/other.log")"
}
extend='{"hours":2,"reason":"their host burns"}'
dep POST /blind-fallback/extend "$extend"
tap_is "one person gives no time" "200 false 2" "$HTTP_STATUS $(json '"\(.extended) \(.blindFallback.proposal.hours)"')"
dep POST /blind-fallback/extend "$extend"
tap_is "nor does he twice" false "$(json .extended)"
tap_is "nor two who do not mean the same" false \
	"$(by_other blind-fallback extend --hours 3 --reason "it burns" | jq .extended)"
dep POST /blind-fallback/extend "$extend"
restart
chmod 666 "$T/depd.sock"
dep_clock_fake 20000
tap_is "nor two at different times" false "$(by_other blind-fallback extend --hours 2 --reason "it burns" | jq .extended)"
dep POST /blind-fallback/extend '{"hours":2}'
tap_is "nor who has no reason" "400 BadParameter" "$HTTP_STATUS $(json .error.code)"
tap_is "it is still used up" "503 ServiceUnavailable" "$(code)"
dep POST /blind-fallback/extend "$extend"
tap_is "two persons do" "true null" "$(json '"\(.extended) \(.blindFallback.proposal)"')"
tap_ok "and users go on" opens
tap_is "by two more hours" 7290 "$(by_other blind-fallback show | jq .allowedSeconds)"
tap_like "both are in the audit" "extended: 2 hours; their host burns; proposed by uid 1: it burns" \
	"$(jq -r 'select(.operation == "blind.extend") | .detail' "$T/log/dep-audit.jsonl" | tail -n 1)"
# each key of a policy is tried alone now and then, the availability key too
fallbacks=$(jq -r 'select(.operation == "generation.fallback" or (.operation == "generation.checked" and
	(.detail | contains("availability key opened")))) | .detail' "$T/log/dep-audit.jsonl" | wc -l)
tap_is "the service's custodyd counts as many uses of availability keys" "$fallbacks" "$(($(uses) - trials))"
daemon_start || bail "custodyd did not start"
dep POST /flush
tap_is "back again, its owners' word counts at once" "403 AccessDenied" "$(code)"
tap_ok "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_done
