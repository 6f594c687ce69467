#!/bin/sh
# No half of a key pair stays, no key is half known, whenever daemon or worker is killed (threats B28, D7).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
rsa='{"kty":"RSA","key_size":2048}'
ec_before() { :; }
ec_client() { client_http POST "/keys/$NAME/create" "$WEST" '{"kty":"EC"}'; }
ec_after() { created EC '{"kty":"EC"}'; }
rsa_before() { :; }
rsa_client() { client_http POST "/keys/$NAME/create" "$WEST" "$rsa"; }
rsa_after() { created RSA "$rsa"; }
sweep ec daemon 1
sweep ec worker 3
sweep rsa daemon 0
sweep rsa worker 2
tap_done
