#!/bin/sh
# A key is made whole or not at all, whenever daemon or worker is killed (threats D7, C25).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
create_before() { :; }
create_client() { client_http POST "/keys/$NAME/create" "$WEST" '{"kty":"oct"}'; }
create_after() { created oct '{"kty":"oct"}'; }
sweep create daemon 3
sweep create worker 3
tap_done
