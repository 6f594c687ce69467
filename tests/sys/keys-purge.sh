#!/bin/sh
# Purging answers 204, destroys the objects on the token, and frees the name (§10; threats B29).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
objects() {
	token_tool west --list-objects 2>/dev/null | grep -c "label: *$WEST/k$"
}

value=$(random_b64 32)
key_make $WEST k '{"kty":"oct"}'
first=$KID
use $WEST k wrapkey A256KW "$value"
wrapped=$(json .value)
key_make $WEST k '{"kty":"oct"}'
tap_is "two versions, two objects on the token" 2 "$(objects)"
answers "a live key is not purged" "404 KeyNotFound" DELETE /deletedkeys/k $WEST
answers "delete" 200 DELETE /keys/k $WEST
tap_is "destroys nothing" 2 "$(objects)"
answers "purge" 204 DELETE /deletedkeys/K $WEST
tap_is "has no body" "" "$(cat "$T/body")"
tap_unlike "and no type of one" "*[Cc]ontent-[Tt]ype*" "$(cat "$T/headers")"
tap_is "the objects are gone" 0 "$(objects)"
answers "purging again" "404 KeyNotFound" DELETE /deletedkeys/k $WEST
answers "the deleted key is gone" "404 KeyNotFound" GET /deletedkeys/k $WEST
answers "recovery comes too late" "404 KeyNotFound" POST /deletedkeys/k/recover $WEST
answers "its version is gone" "404 KeyNotFound" GET "$(kid_path "$first")" $WEST
http GET "/vaults/$WEST/keys/k/${first##*/}"
tap_is "and known to be" "200 $first purged true" "$HTTP_STATUS $(json '[.kid, .state, (.purged | type == "number")] | join(" ")')"
answers "what never was is not" "404 KeyNotFound" GET "/vaults/$WEST/keys/k/0123456789abcdef0123456789abcdef"
answers "nor under another name" "404 KeyNotFound" GET "/vaults/$WEST/keys/other/${first##*/}"
answers "nor in another vault" "404 KeyNotFound" GET "/vaults/$EAST/keys/k/${first##*/}"

key_make $WEST k '{"kty":"oct"}'
tap_unlike "the name is free" "$first" "$KID"
answers "the old version stays gone" "404 KeyNotFound" GET "$(kid_path "$first")" $WEST
use $WEST k unwrapkey A256KW "$wrapped"
tap_is "what the purged key wrapped opens never again" "400 BadParameter" "$(answer)"
http GET /keys/k/versions $WEST
tap_is "the new key has one version" 1 "$(json '.value | length')"
http GET /status
tap_is "nothing is pending" 0 "$(json .intents)"
tap_done
