#!/bin/sh
# The owner's "no" is told apart from an accident, for each key: one denied key leaves the other, two are 403 with both reasons (threats E20).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
value=$(random_b64 32)
dual_wrap "$value"
self=user:$(id -un)
words="get list create update delete recover purge wrapKey"
opened="200 $value true"
unwrap() {
	dual unwrapkey
	echo "$HTTP_STATUS $(json '.value + " " + (.degraded | tostring)')"
}

http PATCH "$(kid_path "$WEST_KID")" $WEST '{"attributes":{"enabled":false}}'
tap_is "west disabled: east opens, degraded" "$opened" "$(unwrap)"
dual unwrapkey
tap_is "and both attempts are told" "west denied KeyDisabled, east opened" "$(attempts)"
http PATCH "$(kid_path "$EAST_KID")" $EAST '{"attributes":{"enabled":false}}'
dual unwrapkey
tap_is "both disabled" "403 Forbidden AccessDenied west denied KeyDisabled, east denied KeyDisabled" "$(answer) $(attempts)"
dual check
tap_is "check says so too" "200 0 west denied KeyDisabled, east denied KeyDisabled" "$HTTP_STATUS $(json .redundancy) $(attempts)"
http PATCH "$(kid_path "$WEST_KID")" $WEST '{"attributes":{"enabled":true}}'
tap_is "west enabled again: west opens" "$opened" "$(unwrap)"
http PATCH "$(kid_path "$EAST_KID")" $EAST '{"attributes":{"enabled":true},"key_ops":["wrapKey"]}'
dual check
tap_is "an operation taken" "1 west opened, east denied KeyOperationForbidden" "$(json .redundancy) $(attempts)"
http PATCH "$(kid_path "$EAST_KID")" $EAST '{"key_ops":["wrapKey","unwrapKey"],"attributes":{"exp":1000}}'
dual check
tap_is "an expired key still opens" "2 west opened, east opened" "$(json .redundancy) $(attempts)"
http DELETE /keys/west $WEST
dual check
tap_is "a deleted key" "1 west denied KeyDeleted, east opened" "$(json .redundancy) $(attempts)"
# shellcheck disable=SC2086 # words
policy_set $EAST "$self" $words
dual unwrapkey
tap_is "a deleted key and a permission taken: 403, with both reasons, and no token of a vault that one may not know" \
	"403 Forbidden AccessDenied west denied KeyDeleted, null denied Forbidden" "$(answer) $(json '.error.details | map([.token // "null", .outcome, .code] | join(" ")) | join(", ")')"
cp "$T/body" "$T/denied"
jq -c '.tag = "'"$(flip "$(jq -r .tag "$T/envelope")")"'"' "$T/envelope" >"$T/damaged"
dual unwrapkey "$T/damaged"
tap_is "denied looks the same for a damaged envelope (E20)" "$(cat "$T/denied")" "$(cat "$T/body")"
dual unwrapkey "$T/envelope" "$(b64 wrong)"
tap_is "and for a wrong context" "$(cat "$T/denied")" "$(cat "$T/body")"
http POST /deletedkeys/west/recover $WEST
tap_is "recovered: it opens, though east is not permitted" "$opened" "$(unwrap)"
http DELETE /keys/west $WEST
http DELETE /deletedkeys/west $WEST
policy_set $EAST "$self" all
dual check
tap_is "a purged key stays denied" "1 west denied KeyPurged, east opened" "$(json .redundancy) $(attempts)"
key_make $WEST west '{"kty":"oct"}'
dual check
tap_is "also when its name is taken again" "1 west denied KeyPurged, east opened" "$(json .redundancy) $(attempts)"
tap_is "what was denied is in the audit" "west denied: KeyPurged" \
	"$(tail -n 1 "$T/log/audit.jsonl" | jq -r .detail | sed -n 's|.*/keys/west/[0-9a-f]*: denied \(.*\);.*|west denied: \1|p')"
tap_done
