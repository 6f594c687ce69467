#!/bin/sh
# Deleting hides all versions at once; recovery brings them back as they were (§10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

value=$(random_b64 32)
key_make $WEST Mine '{"kty":"oct","tags":{"v":"1"}}'
first=$KID
use $WEST mine wrapkey A256KW "$value"
wrapped=$(json .value)
key_make $WEST Mine '{"kty":"oct","tags":{"v":"2"},"attributes":{"enabled":false}}'
second=$KID
http GET "$(kid_path "$first")" $WEST
cp "$T/body" "$T/first"
http GET "$(kid_path "$second")" $WEST
cp "$T/body" "$T/second"

answers "delete" 200 DELETE /keys/mINE $WEST
tap_is "answers the bundle of the newest version" "$second 2" "$(json '.key.kid + " " + .tags.v')"
tap_is "the way back" "https://$WEST.vault.azure.net/deletedkeys/Mine" "$(json .recoveryId)"
tap_is "and when the key is purged: the retention later" 7776000 "$(json '.scheduledPurgeDate - .deletedDate')"
cp "$T/body" "$T/deleted"
answers "deleting again" "404 KeyNotFound" DELETE /keys/Mine $WEST
for path in /keys/Mine /keys/Mine/ "$(kid_path "$first")" /keys/Mine/versions; do
	answers "GET $path while deleted" "404 KeyNotFound" GET "$path" $WEST
done
answers "PATCH while deleted" "404 KeyNotFound" PATCH /keys/Mine/ $WEST '{}'
use $WEST "Mine/${first##*/}" unwrapkey A256KW "$wrapped"
tap_is "unwrapkey while deleted" "404 KeyNotFound" "$(answer)"
http GET /keys $WEST
tap_is "it is in no list of keys" "[]" "$(json '.value | tojson')"
answers "create under its name" "409 Conflict ObjectIsDeletedButRecoverable" POST /keys/mine/create $WEST '{"kty":"oct"}'
answers "the deleted key is shown" 200 GET /deletedkeys/mine $WEST
tap_is "as it was answered" "$(jq -S . "$T/deleted")" "$(jq -S . "$T/body")"
answers "the list of deleted keys" 200 GET /deletedkeys $WEST
tap_is "has it, with its base id" "${first%/*} $(jq -r '"\(.recoveryId) \(.deletedDate) \(.scheduledPurgeDate)"' "$T/deleted")" \
	"$(json '.value[0] | "\(.kid) \(.recoveryId) \(.deletedDate) \(.scheduledPurgeDate)"')"
daemon_kill
daemon_start || bail "no restart"
wait_for token_is west ready
answers "a kill -9 later it is still there" 200 GET /deletedkeys/mine $WEST

answers "recover" 200 POST /deletedkeys/MINE/recover $WEST
tap_is "answers the newest version" "$second" "$(json .key.kid)"
tap_is "without the marks of deletion" false "$(json 'has("recoveryId") or has("deletedDate") or has("scheduledPurgeDate")')"
http GET "$(kid_path "$first")" $WEST
tap_is "the first version is as it was" "$(jq -S . "$T/first")" "$(jq -S . "$T/body")"
http GET "$(kid_path "$second")" $WEST
tap_is "the second too, disabled as it was" "$(jq -S . "$T/second")" "$(jq -S . "$T/body")"
use $WEST "Mine/${first##*/}" unwrapkey A256KW "$wrapped"
tap_is "what was wrapped opens again" "200 $value" "$HTTP_STATUS $(json .value)"
for request in "GET /deletedkeys/Mine" "POST /deletedkeys/Mine/recover" "DELETE /deletedkeys/Mine" "GET /deletedkeys/never"; do
	answers "$request of a live or unknown key" "404 KeyNotFound" "${request% *}" "${request#* }" $WEST
	tap_like "says that there is no deleted key" "Deleted Key not found: *" "$(json .error.message)"
done
answers "delete of a key that never was" "404 KeyNotFound" DELETE /keys/never $WEST
tap_done
