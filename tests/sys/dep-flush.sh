#!/bin/sh
# Opened keys are forgotten on demand: a revocation then counts at once, and only an administrator may demand it (threats G5, G6).
# shellcheck disable=SC2317,SC2119,SC2086 # functions are run by others
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
unwrap() {
	dep POST /scopes/mailbox/anna/datakeys/unwrap "{\"wrapped\":\"$wrapped\"}"
	printf '%s %s' "$HTTP_STATUS" "$(json '.error.code // .plaintext')"
}

dep_world_start
wait_for dep_is_set_up || bail "there is no organization: $HTTP_STATUS $(cat "$T/body")"
west=$(dep_key contosowestus root)
east=$(dep_key contosocentralus root)
tap_exits "a policy without keys" 2 dc mailbox policy create --name Legal
dc mailbox policy create --name Legal --key "$west", "$east" >"$T/out" 2>&1 || # as the cmdlet takes them
	bail "no policy: $(cat "$T/out")"
dc mailbox set anna --policy Legal >"$T/out" 2>&1
echo '{"id":"anna"}' | dc mailbox register >"$T/out" 2>&1 || bail "not registered: $(cat "$T/out")"
dep POST /scopes/mailbox/anna/datakeys
wrapped=$(json .wrapped)
plain=$(json .plaintext)

tap_is "a key opens" "200 $plain" "$(unwrap)"
tap_is "opened keys are counted" true "$(dc status | jq '.opening.cached > 0')"
tap_is "somebody else may not flush" 403 "$(someone 12345 curl -s -o "$T/refused" -w '%{http_code}' --unix-socket "$T/depd.sock" -X POST http://localhost/flush)"
tap_is "flushing wipes them" true "$(dc flush | jq '.flushed > 0')"
tap_is "none is left" "Flushed ------- 0 " "$(dc flush -o table | tr '\n' ' ')"
tap_is "the status as a table has a row for each policy's scopes" "True" \
	"$(dc status -o tsv | awk -F '\t' '$2 == "Legal" && $3 == 1 { print "True" }')"
tap_is "the assignment says which policy covers a workload" "teams service-managed" \
	"$(dc m365 assignment show -o tsv | awk -F '\t' '$1 == "teams" { print $1, $2 }')"
tap_is "a refresh says whether it did something" "Legal False" "$(dc mailbox policy refresh Legal -o tsv | awk -F '\t' '{ print $1, $2 }')"
tap_like "who is not there is named" "*no scope nobody;*" "$(dc mailbox show nobody 2>&1)"
echo '{"id":"fax"}' | dc scope register --kind workload >"$T/fax" 2>&1
tap_is "a group of commands is helped with, however many words it has" "14 14 14" "$(for words in "help mailbox policy" "mailbox policy -h" "mailbox policy"; do
	dc $words 2>&1 | grep -c '^  mailbox policy ' # words
done | tr '\n' ' ' | sed 's/ $//')"
tap_like "and a wrong one is told" "*no command mailbox policy remove; there are:*" "$(dc mailbox policy remove Legal 2>&1)"
tap_like "which workloads there are is said" "*teams, exchange*" "$(cat "$T/fax")"
tap_is "it opens again" "200 $plain" "$(unwrap)"
for vault in contosowestus contosocentralus; do
	dep_grant "$vault" "$DEP_EXCHANGE"
done
tap_ok "after a revocation" dc flush
tap_is "it is refused at once" "403 AccessDenied" "$(unwrap)"
tap_like "the application that lacks a permission is named" "*Application $DEP_EXCHANGE needs these*" \
	"$(dc mailbox policy create --name Other --key "$west" --key "$east" 2>&1)"
tap_is "which is counted" true "$(dc status | jq '.opening.denied > 0')"
tap_done
