#!/bin/sh
# A policy over two keys in two vaults on two tokens: made, shown by each of its names, listed in pages, recorded in the audit.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
dep_world_start
dep_policy_world

dep_answers "a mailbox policy is made" 201 POST /policies \
	"$(policy_body mailbox USA_mailboxes "$WEST_URI" "$EAST_URI" | jq -c '.description = "Root key for mailboxes in USA"')"
id=$(json .id)
generation=$(json '.generations[0].id')
tap_is "as wanted" "mailbox USA_mailboxes enabled false Root key for mailboxes in USA" \
	"$(json '[.kind, .name, .state, .assigned, .description] | join(" ")')"
tap_is "its keys are kept as they were named" "$WEST_URI $EAST_URI" "$(json '.keys | join(" ")')"
tap_is "its first generation is under their versions, recorded (threats G9)" "1 1 $WEST_KID $EAST_KID 2" \
	"$(json '[(.generations | length), .generations[0].number, .generations[0].keys[], .generations[0].redundancy] | join(" ")')"
tap_like "and under an availability key of its own" "https://availability.vault.azure.net/keys/ak-$id/*" \
	"$(json '.generations[0].availabilityKey')"
tap_is "which is the one in the service's custody" "1 0" "$(availability_keys)"
# shellcheck disable=SC2016 # jq's own
tap_ok "the audit names policy, keys and availability key" jq -se --arg west "$WEST_KID" --arg east "$EAST_KID" \
	'.[-1] | .operation == "policy.create" and .subject == "USA_mailboxes" and (.detail | contains($west) and contains($east) and contains("/ak-"))' \
	"$T/log/dep-audit.jsonl"

dep_answers "the name is taken, in whatever case" "409 PolicyExists" POST /policies \
	"$(policy_body mailbox usa_MAILBOXES "$WEST_URI" "$EAST_URI")"
dep_answers "but not for the other kind of policy" 201 POST /policies "$(policy_body m365 USA_mailboxes "$WEST_KID" "$EAST_URI")"
tap_is "one key may be named with its version" "$WEST_KID" "$(json '.keys[0]')"

for name in "usa_mailboxes?kind=mailbox" "$id" "$generation"; do
	dep_answers "it is found as $name" 200 GET "/policies/$name"
	tap_is "the same one" "$id" "$(json .id)"
done
dep_answers "a name needs a kind" "400 BadParameter" GET /policies/USA_mailboxes
dep_answers "a name that nobody has" "404 PolicyNotFound" GET "/policies/Contoso?kind=m365"
dep_answers "a GUID that nobody has" "404 PolicyNotFound" GET "/policies/01234567-89ab-4cde-8f01-23456789abcd"

policy_make mailbox Second
dep_answers "they are listed by kind" 200 GET "/policies?kind=mailbox&top=1"
tap_is "in pages" "Second Second" "$(json '[.value[].name, .next] | join(" ")')"
dep_answers "by name" 200 GET "/policies?kind=mailbox&top=5&after=Second"
tap_is "to the end" "USA_mailboxes " "$(json '[.value[].name, .next] | join(" ")')"
dep_answers "the description can be changed" 200 PATCH "/policies/$id" '{"description":"Other words"}'
tap_is "and nothing else is" "Other words enabled 1" "$(json '[.description, .state, (.generations | length)] | join(" ")')"
dep_stop TERM
tap_is "depd ends well" 0 "$(cat "$T/depd.exit")"
dep_start
dep_answers "and keeps its policies" 200 GET "/policies/$id"
tap_done
