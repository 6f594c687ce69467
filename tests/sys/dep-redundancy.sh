#!/bin/sh
# Each generation is opened by each of its keys alone, daily and after token events; a damaged half of an envelope, a damaged wrap
# and a lost availability key are noticed and made anew (threats G28).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
config_set depd token-watch 1s
dep_clock_fake 0
dep_world_start
dep_policy_world
policy_make mailbox USA
id=$(json .id)
availability=$(json '.generations[0].availabilityKey')
dep POST /scopes/mailbox '{"id":"alice","type":"UserMailbox"}'
dep PATCH /mailboxes/alice '{"policy":"USA"}'
dep POST /scopes/mailbox/alice/datakeys '{}'
[ "$HTTP_STATUS" = 200 ] || bail "the data key: $HTTP_STATUS $(cat "$T/body")"
plain=$(json .plaintext)
jq -c '{wrapped}' "$T/body" >"$T/wrapped"

# shellcheck disable=SC2317 # run by tap_ok and wait_for
{
	opens() {
		dep POST /flush
		dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
		[ "$HTTP_STATUS $(json .plaintext)" = "200 $plain" ]
	}
	redundancy_is() { # KEYS AVAILABILITY: what status tells of the policy
		dep GET /status
		[ "$(json '.redundancy[] | select(.policy == "USA") | "\(.redundancy) \(.availabilityKeyOpens)"')" = "$1 $2" ]
	}
	repairs() {
		jq -se 'map(select(.operation == "generation.repaired")) | length' "$T/log/dep-audit.jsonl"
	}
	repaired() { # HOW-OFTEN
		[ "$(repairs)" -ge "$1" ]
	}
}
# row COLUMN: of the policy's generation.
row() {
	sqlite3 "file:$T/dep.db?mode=ro" "SELECT $1 FROM generation g JOIN policy p ON p.current = g.id WHERE p.name = 'USA'"
}
# damage COLUMN EXPRESSION: behind depd's back, as a disk does it.
damage() {
	sqlite3 "$T/dep.db" ".timeout 10000" ".dbconfig enable_trigger off" \
		"UPDATE generation SET $1 = $2 WHERE id = (SELECT current FROM policy WHERE name = 'USA')" >"$T/damage.log" 2>&1 ||
		bail "damage: $(cat "$T/damage.log")"
}

tap_ok "a new policy is opened by both" redundancy_is 2 true
token_die west
tap_ok "a lost token is noticed by itself" wait_for redundancy_is 1 true
tap_ok "with an alarm" dep_log_has "generation.weak.*keys=1"
token_return west
tap_ok "and that it is back" wait_for redundancy_is 2 true

half=$(row envelope | jq -r '.recipients[1].encrypted_key')
case $half in A*) flipped=B${half#?} ;; *) flipped=A${half#?} ;; esac
damage envelope "replace(envelope, '$half', '$flipped')"
tap_ok "a bit flipped in one half: the other one opens" opens
dep_clock_fake 90000
tap_ok "within a day it is made anew" wait_for repaired 1
tap_unlike "not as it was" "*$flipped*" "$(row envelope)"
tap_ok "and both open it again" redundancy_is 2 true
tap_like "the audit has it" "policy $id generation *; envelope; availability key $availability" \
	"$(jq -r 'select(.operation == "generation.repaired") | .detail' "$T/log/dep-audit.jsonl")"
dep_grant "$WEST" $DEP_EXCHANGE
tap_ok "the half that was damaged opens alone" opens
dep_grant "$WEST" $DEP_EXCHANGE get wrapKey unwrapKey

service token_tool sw --delete-object --type secrkey --label "availability/ak-$id" >"$T/tool.log" 2>&1 ||
	bail "delete: $(cat "$T/tool.log")"
dep_clock_fake 180000
tap_ok "a lost availability key is made anew" wait_for repaired 2
tap_is "another version of it" "${availability%/*} false" \
	"$(row g.availability_kid | sed 's|/[^/]*$||') $([ "$(row g.availability_kid)" = "$availability" ] && echo true || echo false)"
tap_is "it is the policy's from now on" "$(row g.availability_kid)" "$(row p.availability_kid)"
tap_ok "and opens" redundancy_is 2 true

damage envelope "'!' || envelope"
dep POST /flush
dep POST /scopes/mailbox/alice/datakeys/unwrap "$(cat "$T/wrapped")"
tap_is "nothing left of an envelope is no outage: nobody falls back" "503 CatalogIntegrity" "$(dep_answer)"
dep_clock_fake 270000
tap_ok "it is made anew from the availability key, as both keys let it" wait_for repaired 3
tap_ok "and opens" opens
tap_is "no fallback was needed" 0 "$(jq -se 'map(select(.operation == "generation.fallback")) | length' "$T/log/dep-audit.jsonl")"

damage availability_wrap "zeroblob(40)"
dep_grant "$WEST" $DEP_EXCHANGE
dep_clock_fake 360000
tap_ok "a damaged availability wrap is made anew by one customer key" wait_for repaired 4
tap_ok "the other one being denied" redundancy_is 1 true
tap_done
