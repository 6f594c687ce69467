#!/bin/sh
# Mailboxes from registration to a policy and back: what is assigned, what their keys are under, when they count as encrypted. (threats G8, G25)
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"

dep_is_set_up() {
	dep GET /assignments/tenant
	[ "$HTTP_STATUS" = 200 ]
}
dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
# mailbox NAME: its state, whether it is encrypted, and by what policy it is covered.
mailbox() {
	dc mailbox show "$1" >"$T/mailbox" 2>"$T/mailbox.err" || {
		cat "$T/mailbox.err"
		return
	}
	jq -r '"\(.state) \(.isEncrypted) \(.policy)"' "$T/mailbox"
}
# under NAME: the GUID of the generation that its key is under now.
under() {
	dc mailbox show "$1" | jq -r .dataEncryptionPolicyID
}
# current POLICY: the GUID of its current generation.
current() {
	dc mailbox policy show "$1" | jq -r '.generations[-1].id'
}
mailbox_is() {
	[ "$(mailbox "$1")" = "$2" ]
}

config_set depd rewrap-rate 0
dep_world_start
wait_for dep_is_set_up || bail "there is no organization: $HTTP_STATUS $(cat "$T/body")"
service_policy=$(json .policy.name)
west=$(dep_key contosowestus root)
east=$(dep_key contosocentralus root)

# ---- registration ----
cat >"$T/lines" <<'END'
{"id":"anna@contoso.com","type":"UserMailbox"}

{"id":"Shared.1","type":"SharedMailbox","state":"unencrypted"}
{"id":"carl"}
END
tap_is "mailboxes are registered" "3 0" "$(dc mailbox register --in "$T/lines" | jq -r '"\(.registered) \(.known)"')"
tap_is "once" "0 3" "$(dc mailbox register <"$T/lines" | jq -r '"\(.registered) \(.known)"')"
tap_is "one is born under the service-managed policy" "encrypted true $service_policy" "$(mailbox anna@contoso.com)"
tap_is "names differ not by case" "encrypted true $service_policy" "$(mailbox ANNA@contoso.com)"
tap_is "one in clear is not encrypted" "unencrypted false $service_policy" "$(mailbox shared.1)"
tap_is "and has no key" null "$(under shared.1)"
tap_is "it waits to be moved" Shared.1 "$(dc mailbox list --overdue 0s | jq -r '.[].id')"
tap_is "not for a week yet" "" "$(dc mailbox list --overdue 7d | jq -r '.[].id')"
dc mailbox moved shared.1 >"$T/out" 2>&1
tap_is "when it has moved it is encrypted" "encrypted true $service_policy" "$(mailbox shared.1)"
dep POST /scopes/mailbox/shared.1/moved '{}'
tap_is "it moves once" "409 Conflict" "$HTTP_STATUS $(json .error.code)"
tap_is "all are listed by name" "anna@contoso.com carl Shared.1" "$(dc mailbox list | jq -r '[.[].id] | join(" ")')"

# ---- wrong ones change nothing ----
for wrong in '{"id":"x y"}' '{"id":"x","type":"Fax"}' '{"name":"x"}' 'x' '{"id":"x","state":"half"}'; do
	dep POST /scopes/mailbox "{\"id\":\"dora\"}
$wrong"
	tap_is "refused: $wrong" "400 BadParameter Line" "$HTTP_STATUS $(json '.error.code + " " + .error.message' | cut -d ' ' -f 1,2)"
done
tap_is "the line before a wrong one was not registered" "404" "$(dep GET /mailboxes/dora && echo "$HTTP_STATUS")"
dep POST /scopes/workload '{"id":"fax"}'
tap_is "there is no such workload" "404 ScopeNotFound" "$HTTP_STATUS $(json .error.code)"
dep POST /scopes/workload '{"id":"teams"}'
tap_is "teams is one" "200 1" "$HTTP_STATUS $(json .registered)"
dep POST /scopes/fax '{"id":"teams"}'
tap_is "there is no such kind" "404 NotFound" "$HTTP_STATUS $(json .error.code)"

# ---- a policy: only intent changes; using it moves it ----
dc mailbox policy create --name Legal --key "$west" --key "$east" >"$T/out" 2>&1 || bail "no policy: $(cat "$T/out")"
old=$(under anna@contoso.com)
dc mailbox set anna@contoso.com --policy Legal >"$T/out" 2>&1
tap_is "an assigned mailbox is pending" "pending false Legal" "$(mailbox anna@contoso.com)"
tap_is "its key is where it was" "$old" "$(under anna@contoso.com)"
dep POST /scopes/mailbox/anna@contoso.com/datakeys '{}'
tap_is "whoever uses it gets his data key" 200 "$HTTP_STATUS"
tap_is "and it was moved first" "encrypted true Legal" "$(mailbox anna@contoso.com)"
tap_is "to the policy's generation" "$(current Legal)" "$(under anna@contoso.com)"
tap_is "which also finds the policy" Legal "$(dc mailbox policy show "$(under anna@contoso.com)" | jq -r .name)"
tap_exits "a policy that covers a mailbox is not disabled" 3 dc mailbox policy set Legal --enabled false
tap_exits "no mailbox gets a policy that is not there" 3 dc mailbox set carl --policy Illegal

# ---- before it exists ----
dc mailuser set emil --policy "$(current Legal)" >"$T/out" 2>&1
tap_is "a mailbox that does not exist is remembered" "remembered false Legal" "$(mailbox emil)"
tap_is "it has no data keys" "404 ScopeNotFound" "$(dep POST /scopes/mailbox/emil/datakeys '{}' && echo "$HTTP_STATUS $(json .error.code)")"
echo '{"id":"emil"}' | dc mailbox register >"$T/out" 2>&1
tap_is "and is born under its policy" "encrypted true Legal $(current Legal)" "$(mailbox emil) $(under emil)"

# ---- and back, in the background (threats G8, G25) ----
dc mailbox set emil --no-policy >"$T/out" 2>&1
dc mailbox set anna@contoso.com --no-policy >"$T/out" 2>&1
tap_is "without a policy of its own it waits" "pending false $service_policy" "$(mailbox emil)"
tap_is "it is overdue" "anna@contoso.com emil" "$(dc mailbox list --overdue 0s | jq -r '[.[].id] | join(" ")')"
config_set depd rewrap-rate 10000
dep_stop KILL
dep_start || bail "depd did not start again"
tap_ok "and is moved in the background, also after a kill" wait_for mailbox_is emil "encrypted true $service_policy"
tap_ok "all of them are" wait_for mailbox_is anna@contoso.com "encrypted true $service_policy"
tap_is "the policy can be disabled" disabled "$(dc mailbox policy set Legal --enabled false | jq -r .state)"
tap_exits "and is not assigned then" 3 dc mailbox set carl --policy Legal
tap_ok "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
tap_done
