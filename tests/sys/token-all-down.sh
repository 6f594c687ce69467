#!/bin/sh
# No token can start: custodyd does, and answers what the catalog knows; everything else is unavailable (threats B35).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"EC","crv":"P-256"}'
path=$(kid_path "$KID")
key_make $WEST off '{"kty":"oct"}'
off=$(kid_path "$KID")
http PATCH "$off" $WEST '{"attributes":{"enabled":false}}'
dual_keys oct
dual_wrap "$(random_b64 32)"
daemon_stop
for token in west east; do
	token_lose $token
	config_set token-$token module /nonexistent/module.so
done
daemon_start || bail "custodyd did not start (status $?)"

digest=$(random_b64 32)
answers "a key is read" 200 GET "$path" $WEST
answers "keys are listed" 200 GET /keys $WEST
answers "and changed, where no token is needed" 200 PATCH "$path" $WEST '{"tags":{"a":"b"}}'
use $WEST "${off#/keys/}" wrapKey A256KW "$digest"
tap_is "denied is denied, without a token" "403 Forbidden KeyDisabled" "$(answer)"
use $WEST k sign ES256 "$digest"
tap_is "a use is unavailable, with the time to wait" "503 ServiceUnavailable 1" \
	"$(answer) $(tr -d '\r' <"$T/headers" | grep -c '^Retry-After: [0-9]')"
answers "so is making a key" "503 ServiceUnavailable" POST /keys/new/create $WEST '{"kty":"oct"}'
tap_is "of which nothing stays" "404 KeyNotFound" "$(http GET /keys/new $WEST && answer)"
dual unwrapkey
tap_like "and the dual operation, by both tokens" "503 ServiceUnavailable* west unavailable *, east unavailable *" "$(answer) $(attempts)"
http GET /health
tap_is "health says so" 503 "$HTTP_STATUS"
tap_like "the token's state names the module" "*/nonexistent/module.so cannot be loaded*" "$(http GET /tokens/west "" && json .detail)"
answers "the status answers" 200 GET /status ""
tap_done
