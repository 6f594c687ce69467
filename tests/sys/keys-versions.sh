#!/bin/sh
# A second creation is a new version: it is the current one, nothing is inherited, the old one goes on (§7, §9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

value=$(random_b64 32)
key_make $WEST k '{"kty":"oct","tags":{"a":"1"},"attributes":{"exp":4000000000}}'
first=$KID
use $WEST k wrapkey A256KW "$value"
tap_is "a versionless operation names the version that it used" "$first" "$(json .kid)"
wrapped=$(json .value)

key_make $WEST K '{"kty":"RSA","key_size":2048}'
second=$KID
tap_is "the type may differ, the name keeps its first spelling" "https://$WEST.vault.azure.net/keys/k/" "${second%/*}/"
tap_is "attributes and tags are not inherited" '{} false' "$(json '(.tags | tojson) + " " + (.attributes | has("exp") | tostring)')"
answers "get without a version" 200 GET /keys/k $WEST
tap_is "is the newest" "$second" "$(json .key.kid)"
answers "get with an empty version" 200 GET "/keys/k/" $WEST
tap_is "is the newest" "$second" "$(json .key.kid)"
answers "get of the old version" 200 GET "$(kid_path "$first")" $WEST
tap_is "shows it as it was" "$first 1 4000000000" "$(json '.key.kid + " " + .tags.a + " " + (.attributes.exp | tostring)')"
use $WEST "${first##*/keys/}" unwrapkey A256KW "$wrapped"
tap_is "what the old version wrapped opens with it" "200 $value $first" "$HTTP_STATUS $(json '.value + " " + .kid')"
use $WEST k unwrapkey A256KW "$wrapped"
tap_is "and not with the newest" "400 BadParameter" "$(answer)"

http GET /keys/k/versions $WEST
tap_is "both versions are listed" "$(printf '%s\n' "$first" "$second" | sort)" "$(json '.value[].kid' | sort)"
answers "the newest is disabled" 200 PATCH "/keys/k/" $WEST '{"attributes":{"enabled":false}}'
answers "no older one takes its place" "403 Forbidden KeyDisabled" POST /keys/k//wrapkey $WEST '{"alg":"RSA-OAEP","value":"AAAA"}'
http GET /keys $WEST
tap_is "the list shows the newest version's attributes" "false" "$(json '.value[0].attributes.enabled')"

answers "a version nobody has" "404 KeyNotFound" GET /keys/k/00000000000000000000000000000000 $WEST
answers "a malformed version" "404 KeyNotFound" GET /keys/k/1 $WEST
key_make $WEST other '{"kty":"oct"}'
answers "a version of another key" "404 KeyNotFound" GET "/keys/k/${KID##*/}" $WEST
answers "a version in the other vault" "404 KeyNotFound" GET "/keys/k/${first##*/}" $EAST
tap_like "the message names it" "A key with (name/id) k/${first##*/} was not found in this key vault.*" "$(json .error.message)"
answers "the version in upper case" 200 GET "/keys/K/$(printf '%s' "${first##*/}" | tr a-f A-F)" $WEST
tap_is "is the same" "$first" "$(json .key.kid)"
tap_done
