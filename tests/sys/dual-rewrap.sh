#!/bin/sh
# Rewrapping moves an envelope to newer versions or other keys, with a new content key, and mends a degraded one (threats E9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
old_west=$WEST_KID
context=$(b64 policy-1)
value=$(random_b64 32)
dual_wrap "$value" "$context"
cp "$T/envelope" "$T/old"
key_make $WEST west '{"kty":"oct"}'
new_west=$KID

dual rewrapkey "$T/old" "$context"
tap_is "rewrap goes to the newest versions" "200 $new_west $EAST_KID" "$HTTP_STATUS $(json '.envelope.recipients | map(.header.kid) | join(" ")')"
tap_is "both recipients were opened" "false west opened, east opened" "$(json .degraded) $(attempts)"
tap_is "the plaintext is not told" false "$(json 'has("value")')"
jq -c .envelope "$T/body" >"$T/new"
for member in iv tag ciphertext; do
	tap_unlike "$member is new" "$(jq -r .$member "$T/old")" "$(jq -r .$member "$T/new")"
done
envelope_id() {
	unb64 "$(jq -r .protected "$1")" | jq -r '."urn:custodyd:v1".id'
}
tap_unlike "so is the id" "$(envelope_id "$T/old")" "$(envelope_id "$T/new")"
tap_unlike "and each encrypted key" "$(jq -r '.recipients[1].encrypted_key' "$T/old")" "$(jq -r '.recipients[1].encrypted_key' "$T/new")"
dual unwrapkey "$T/new" "$context"
tap_is "the new one opens" "200 $value" "$HTTP_STATUS $(json .value)"
http PATCH "$(kid_path "$old_west")" $WEST '{"attributes":{"enabled":false}}'
dual check "$T/new" "$context"
tap_is "without the old version" 2 "$(json .redundancy)"
dual check "$T/old" "$context"
tap_is "which the old one needs" "1 west denied KeyDisabled, east opened" "$(json .redundancy) $(attempts)"
dual rewrapkey "$T/old" "$context"
tap_is "one that opens is enough to rewrap" "200 true west denied KeyDisabled, east opened" "$HTTP_STATUS $(json .degraded) $(attempts)"

key_make $WEST third '{"kty":"oct"}'
third=$KID
key_make $EAST fourth '{"kty":"oct"}'
fourth=$KID
dual rewrapkey "$T/new" "$context" "\"keys\":[\"$third\",\"${fourth%/*}\"]"
tap_is "or to other keys" "200 $third $fourth" "$HTTP_STATUS $(json '.envelope.recipients | map(.header.kid) | join(" ")')"
jq -c .envelope "$T/body" >"$T/other"
dual unwrapkey "$T/other" "$context"
tap_is "which open it" "200 $value" "$HTTP_STATUS $(json .value)"
dual rewrapkey "$T/new" "$context" "\"keys\":[\"$third\",\"$new_west\"]"
tap_is "never to one vault" "400 BadParameter SameVault" "$(answer)"

jq -c '.recipients |= .[0:1]' "$T/new" >"$T/half"
dual rewrapkey "$T/half" "$context"
tap_is "a lost recipient comes back" "200 $new_west $EAST_KID true" "$HTTP_STATUS $(json '(.envelope.recipients | map(.header.kid) | join(" ")) + " " + (.degraded | tostring)')"
jq -c .envelope "$T/body" >"$T/whole"
dual check "$T/whole" "$context"
tap_is "and the envelope is whole" 2 "$(json .redundancy)"
self=user:$(id -un)
policy_set $EAST "$self" unwrapKey
dual rewrapkey "$T/new" "$context"
tap_is "rewrapping needs wrapKey on both" "403 Forbidden ForbiddenByPolicy" "$(answer)"
tap_done
