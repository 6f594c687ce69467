#!/bin/sh
# A key is made or imported whole or not at all, whenever daemon or worker is killed (threats D7, C25).
# shellcheck disable=SC2317 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/sweep.sh"
world_start
create_before() { :; }
create_client() { client_http POST "/keys/$NAME/create" "$WEST" '{"kty":"oct"}'; }
create_after() { created oct '{"kty":"oct"}'; }
# both halves of an EC key are objects of their own
import_body="{\"key\":$(cat "$SRCDIR/vectors/import/ec256.jwk")}"
import_before() { :; }
import_client() { client_http PUT "/keys/$NAME" "$WEST" "$import_body"; }
import_after() { created EC '{"kty":"EC"}'; }
sweep create daemon 3
sweep import daemon 3
sweep import worker 3
sweep create worker 3
tap_done
