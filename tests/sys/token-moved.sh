#!/bin/sh
# A token that goes away and comes back, also under another slot number: unavailable meanwhile, never missing keys, and back by
# itself without a restart of the daemon (threats B6, B7, B8).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
config_set custodyd idle-ping 200ms
world_start
key_make $WEST k '{"kty":"oct"}'
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
wrapped=$(json .value)
daemon=$(daemon_pid)

token_lose west
http POST /keys/k//unwrapKey $WEST "{\"alg\":\"A256KW\",\"value\":\"$wrapped\"}"
first=$(answer)
tap_ok "the idle probe notices it" wait_for token_is west unavailable
use $WEST k unwrapKey A256KW "$wrapped"
tap_is "its keys are unavailable" "503 ServiceUnavailable" "$(answer)"
tap_unlike "and never were missing or denied" "40*" "$first"
tap_is "the catalog did not change" 200 "$(http GET /keys/k $WEST && answer)"

# Another token comes first in the module's list of slots.
token_return west
mv "$T/tokens/west.conf" "$T/tokens/west.conf.kept"
mv "$T/pin-west" "$T/pin-west.kept"
mkdir "$T/tokens/kept"
mv "$T/tokens/west"/* "$T/tokens/kept"
cp "$T/conf/token-west" "$T/token-west.kept"
token_make west other
mv "$T/tokens/kept"/* "$T/tokens/west"
mv "$T/tokens/west.conf.kept" "$T/tokens/west.conf"
mv "$T/pin-west.kept" "$T/pin-west"
tap_ok "it comes back by itself, with another token beside it" wait_for token_is west ready
use $WEST k unwrapKey A256KW "$wrapped"
tap_is "and opens" "200 $value" "$(answer) $(json .value)"
tap_is "the daemon is the same" "$daemon" "$(daemon_pid)"
tap_done
