#!/bin/sh
# A token whose files are gone and whose worker is dead: the other one opens, and says who failed; both gone is unavailable.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
value=$(random_b64 32)
dual_wrap "$value"

token_die west
dual unwrapkey
tap_is "west lost: east opens" "200 $value true" "$HTTP_STATUS $(json '.value + " " + (.degraded | tostring)')"
tap_like "the attempts say who failed" "west unavailable *, east opened" "$(attempts)"
dual check
tap_like "check counts one" "200 1 west unavailable *, east opened" "$HTTP_STATUS $(json .redundancy) $(attempts)"
dual rewrapkey
tap_is "rewrap works with RSA keys: it needs public keys only" "200 true" "$HTTP_STATUS $(json .degraded)"
jq -c .envelope "$T/body" >"$T/new"
dual_wrap "$value"
tap_is "so does wrapping" "$WEST_KID" "$(jq -r '.recipients[0].header.kid' "$T/envelope")"
use $WEST west unwrapkey RSA-OAEP "$(random_b64 256)"
tap_is "the key alone is unavailable, with the time to wait" "503 ServiceUnavailable 1" \
	"$(answer) $(tr -d '\r' <"$T/headers" | grep -c '^Retry-After: [0-9]')"
answers "the catalog answers" 200 GET /keys/west $WEST
http GET /health
tap_is "health is degraded" "503 degraded" "$HTTP_STATUS $(json .status)"
token_die east
dual unwrapkey
tap_like "both lost: unavailable, with both reasons" "503 ServiceUnavailable* west unavailable *, east unavailable *" "$(answer) $(attempts)"
tap_is "and the time to wait" 1 "$(tr -d '\r' <"$T/headers" | grep -c '^Retry-After: [0-9]')"
http PATCH "$(kid_path "$EAST_KID")" $EAST '{"attributes":{"enabled":false}}'
dual unwrapkey
tap_like "one lost, one denied: unavailable, for it may come back" "503 ServiceUnavailable* west unavailable *, east denied KeyDisabled" "$(answer) $(attempts)"
token_return west
wait_for token_is west ready || bail "token west is $(token_state west)"
dual unwrapkey "$T/new"
tap_is "west comes back by itself, and opens what was made without it" "200 $value" "$HTTP_STATUS $(json .value)"
tap_is "the identity was proved again" west "$(json '.attempts[0].token')"
tap_done
