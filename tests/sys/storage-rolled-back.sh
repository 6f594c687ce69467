#!/bin/sh
# An old catalog put back: the daemon serves what that cannot have wrong and changes nothing, until a person accepts it. A
# permission that was taken away does not come back silently (threats D8, D16).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
rolled="503 ServiceUnavailable CatalogRolledBack"

# keep DIRECTORY, put_back DIRECTORY: the catalog's files as they are.
keep() {
	mkdir "$T/$1" && cp -p "$T"/custody.db* "$T/$1"
}
put_back() {
	rm -f "$T"/custody.db "$T"/custody.db-*
	cp -p "$T/$1"/custody.db* "$T"
}

# read_only DESCRIPTION: it starts, and says what it is in.
read_only() {
	: >"$T/custodyd.log"
	rm -f "$T/custodyd.status"
	tap_ok "$1: it starts" daemon_start
	tap_ok "$1: an alarm is in the log" log_has \
		'^<3>catalog.rolled-back error=CatalogRolledBack class=integrity message="The catalog is older than the audit: its change [0-9]*, the audit knows of [0-9]*. An old copy was put back."'
	tap_like "$1: the service manager is told" "read-only: *" "$(cat "$T/custodyd.status")"
	http GET /health ""
	tap_like "$1: health shows it" "503 *an old copy*" "$HTTP_STATUS $(cat "$T/body")"
	answers "$1: nothing is changed" "$rolled" PUT "/vaults/other$1" "" '{"token":"west"}'
}

ready() {
	if ! wait_for token_is west ready || ! wait_for token_is east ready; then
		bail "$1: west is $(token_state west), east $(token_state east)"
	fi
}

world_start
dual_keys oct
key_make $WEST same '{"kty":"oct"}'
key_make $EAST same '{"kty":"oct"}'
key_make $EAST off '{"kty":"oct"}'
key_make $EAST gone '{"kty":"oct"}'
key_make $EAST back '{"kty":"oct"}'
http DELETE /keys/back $EAST
policy_set $WEST user:daemon get unwrapKey
use $EAST same wrapkey A256KW "$(random_b64 32)"
wrapped=$(json .value)
dual_wrap "$(random_b64 32)"
keep before
policy_delete $WEST user:daemon
http PATCH /keys/off $EAST '{"attributes":{"enabled":false}}'
http DELETE /keys/gone $EAST
http POST /deletedkeys/back/recover $EAST
key_make $EAST new '{"kty":"oct"}'
tap_is "what was refused is no change" "403 Forbidden ForbiddenByPolicy" "$(ask 1 DELETE /keys/same $EAST)"
daemon_kill
keep after
tap_ok "killed, its changes are in the WAL" test -s "$T/custody.db-wal"

put_back before
read_only before
ready before
http GET /status ""
tap_like "status shows it" "true The catalog is older*" "$(json '"\(.readOnly) \(.rolledBack)"')"
ctl doctor >"$T/doctor"
tap_is "doctor ends with 7" 7 $?
tap_is "doctor names what was changed since" "$EAST/back $EAST/gone $EAST/new $EAST/off $WEST custody.db" \
	"$(jq -r '.[] | select(.kind == "rolled-back") | .subject' "$T/doctor" | sort | paste -sd ' ')"
use $EAST same unwrapkey A256KW "$wrapped"
tap_is "a key that was not changed is used" 200 "$(answer)"
answers "and read" 200 GET /keys/same $EAST
for name in off gone new; do
	answers "one that was is not: $name" "$rolled" GET "/keys/$name" $EAST
	use $EAST $name wrapkey A256KW "$(random_b64 32)"
	tap_is "or used: $name" "$rolled" "$(answer)"
done
answers "nor is one that was recovered" "$rolled" GET /deletedkeys/back $EAST
answers "a list may be wrong" "$rolled" GET /keys $EAST
answers "a vault whose policies were changed is refused whole" "$rolled" GET /keys/same $WEST
dual unwrapkey
tap_is "but a dual envelope opens by its other key" "200 west integrity CatalogRolledBack, east opened" "$HTTP_STATUS $(attempts)"
http POST /dual/wrapkey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"value\":\"$(random_b64 32)\"}"
tap_is "and none is made" "$rolled" "$(answer)"
answers "administrators see the vault as the copy has it" 200 GET "/vaults/$WEST" ""
tap_is "others do not" "$rolled" "$(ask 1 GET "/vaults/$WEST" "")"
tap_is "others do not list it" "200 0" "$(ask 1 GET /vaults "") $(json '.value | length')"
for change in "DELETE /keys/same" "PATCH /keys/same" "POST /keys/x/create" "POST /keys/same/create"; do
	answers "$change is refused" "$rolled" "${change% *}" "${change#* }" $EAST '{"kty":"oct"}'
done
answers "a policy, too" "$rolled" DELETE "/vaults/$EAST/policies/user:daemon" ""

daemon_stop
read_only restarted
ready restarted
tap_is "not everybody accepts it" "403 Forbidden AccessDenied" "$(ask 1 POST /catalog/accept "" '{"reason":"mine"}')"
answers "nor without a reason" "400 BadParameter" POST /catalog/accept "" '{}'
tap_exits "custodyctl asks" 2 ctl catalog accept --reason "the disk is lost"
answers "until then nothing is changed" "$rolled" DELETE /keys/same $EAST
tap_ok "an administrator accepts it" ctl catalog accept --reason "the disk is lost" --yes
for operation in catalog.accept.begin catalog.accept; do
	tap_like "the audit has $operation" "0 changes after [0-9]*, up to [0-9]* or more, are given up: the disk is lost" \
		"$(jq -r "select(.operation == \"$operation\" and .outcome == \"done\") | \"\(.uid) \(.detail)\"" "$T/log/audit.jsonl")"
done
answers "there is nothing more to accept" "409 Conflict" POST /catalog/accept "" '{"reason":"again"}'
answers "health is well" 200 GET /health ""
answers "it is served without a restart, as it was" 200 GET /keys/off $EAST
answers "and changed" 200 PATCH /keys/off $EAST '{"attributes":{"enabled":false}}'
http GET /deletedkeys/back $EAST
tap_is "retention begins again" 90 "$((($(json .scheduledPurgeDate) - $(date +%s) + 43200) / 86400))"
answers "what came later is not there" "404 KeyNotFound" GET /keys/new $EAST
tap_is "but its object is" 1 "$(token_objects east "$EAST/new" | wc -l)"
daemon_kill
daemon_start
tap_is "killed, it starts as usual" 0 $?
answers "with what was changed" 200 GET "/vaults/$WEST" ""
daemon_stop

# its WAL removed, no catalog at all
for lost in wal "wal shm"; do
	put_back after
	for file in $lost; do
		rm "$T/custody.db-$file"
	done
	read_only "without$(echo "$lost" | tr -d ' ')"
	answers "a key that was changed is not used" "$rolled" GET /keys/off $EAST
	daemon_stop
done
rm -f "$T"/custody.db "$T"/custody.db-*
read_only none
answers "a vault of which nothing is known is not said to be missing" "$rolled" GET /keys/same $WEST
daemon_stop
tap_done
