#!/bin/sh
# The audit's disk is full: nothing is answered without its record, and no change is done that could not be recorded; with room
# again it goes on without a restart (threats D2, D1).
. "$SRCDIR/tests/support/smallfs.sh"
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
smallfs_make "$T/small"
FILL=$T/small
audit=$T/small/audit.jsonl
config_set custodyd audit "$audit"
world_start
key_make $EAST k '{"kty":"oct"}'
key_make $EAST gone '{"kty":"oct"}'
http DELETE /keys/gone $EAST
use $EAST k wrapkey A256KW "$(random_b64 32)"
wrapped=$(json .value)
full="503 ServiceUnavailable StorageFull"

catalog() { # what stands in the catalog but its head of the audit
	sqlite3 -readonly "$T/custody.db" \
		'SELECT name, state FROM key; SELECT hex(id), enabled, tags FROM version; SELECT name, tags FROM vault; SELECT * FROM policy; SELECT * FROM intent'
}

records() {
	wc -l <"$audit"
}

smallfs_fill "$FILL"
# what is left of the last page takes a few records of reads: until not even the shortest fits, that of health
# shellcheck disable=SC2317 # run by wait_for
reads_fail() {
	http GET /health ""
	[ "$(answer)" = "$full" ]
}
tap_ok "reads end when their records do" wait_for reads_fail
tap_ok "an alarm is in the log" log_has '^<4>audit.failed error=StorageFull'
before=$(catalog)
written=$(records)
token=$(token_objects east "contosocentralus/*" | wc -l)
http GET /keys/k $EAST
tap_unlike "and nothing of the key is told" '*kid*' "$(cat "$T/body")"
use $EAST k unwrapkey A256KW "$wrapped"
tap_is "nothing is opened" "$full" "$(answer)"
tap_unlike "or told" "*\"value\"*" "$(cat "$T/body")"
answers "a list" "$full" GET /keys $EAST
answers "health" "$full" GET /health ""
answers "create" "$full" POST /keys/new/create $EAST '{"kty":"oct"}'
answers "a new version" "$full" POST /keys/k/create $EAST '{"kty":"oct"}'
answers "update" "$full" PATCH /keys/k $EAST '{"attributes":{"enabled":false}}'
answers "delete" "$full" DELETE /keys/k $EAST
answers "recover" "$full" POST /deletedkeys/gone/recover $EAST
answers "purge" "$full" DELETE /deletedkeys/gone $EAST
answers "a policy" "$full" PUT "/vaults/$EAST/policies/user:daemon" "" '{"permissions":{"keys":["get"]}}'
answers "a vault" "$full" PUT /vaults/another "" '{"token":"west"}'
answers "a vault's tags" "$full" PATCH "/vaults/$EAST" "" '{"tags":{"a":"b"}}'
tap_is "nothing of it was done in the catalog" "$before" "$(catalog)"
tap_is "or on the token" "$token" "$(token_objects east "contosocentralus/*" | wc -l)"
tap_is "and nothing recorded" "$written" "$(records)"

smallfs_free "$FILL"
answers "with room it goes on without a restart" 200 POST /deletedkeys/gone/recover $EAST
use $EAST k unwrapkey A256KW "$wrapped"
tap_is "and opens" 200 "$(answer)"

# --- room for the record of a change is set aside before it, however little there is and whatever comes between
smallfs_fill "$FILL"
wait_for reads_fail
results=
for pages in 0 1 2 3 4 5 6 7 8 9; do
	http POST "/keys/n$pages/create" $EAST '{"kty":"oct"}'
	results="$results $HTTP_STATUS"
	case $HTTP_STATUS in
	200) expected="200 1" ;;
	*) expected="404 KeyNotFound 0" ;;
	esac
	truncate -s "-$SMALLFS_PAGE" "$FILL/fill"
	http GET "/keys/n$pages" $EAST
	tap_is "$pages pages: done and recorded, or neither" "$expected" \
		"$(answer) $(jq -r "select(.operation == \"key.create\" and .key == \"n$pages\" and .outcome == \"done\") | .key" "$audit" | wc -l)"
done
tap_like "without room it is refused, with enough it is done" " 503*200" "$results"
smallfs_free "$FILL"

# a creation that takes long, and reads that fill the disk meanwhile
smallfs_fill "$FILL" 6
curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H "Host: $WEST.vault.azure.net" -H 'Authorization: Bearer test' \
	-H 'Content-Type: application/json' --data-binary '{"kty":"RSA","key_size":3072}' -o "$T/slow" -w '%{http_code}' \
	'http://localhost/keys/slow/create?api-version=7.4' >"$T/slow.status" &
slow=$!
# shellcheck disable=SC2317 # run by wait_for
begun() {
	[ "$(sqlite3 -readonly "$T/custody.db" "SELECT count(*) FROM intent WHERE key_name = 'slow'")" = 1 ] || [ -s "$T/slow.status" ]
}
wait_for begun
wait_for reads_fail
wait "$slow"
tap_is "a creation that was admitted is answered" 200 "$(cat "$T/slow.status")"
smallfs_free "$FILL"
tap_is "and recorded" 1 "$(jq -r 'select(.operation == "key.create" and .key == "slow" and .outcome == "done") | .key' "$audit" | wc -l)"

daemon_stop
tap_is "the chain has no gap" "$(records)" "$(jq -r .seq "$audit" | sort -n | uniq | tail -n 1)"
daemon_start || bail "no restart"
wait_for token_is east ready
answers "and is taken up at the next start" 200 GET /keys/k $EAST
tap_done
