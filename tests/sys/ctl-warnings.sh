#!/bin/sh
# What the daemon warns of reaches the person who makes an envelope, and does not stop him (akv-contract §8).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST weak '{"kty":"RSA","key_size":2048,"key_ops":["sign","verify","wrapKey","unwrapKey"]}'
weak=$KID
key_make $EAST good '{"kty":"oct"}'
good=$KID
key_make $WEST good '{"kty":"oct"}'
both=$KID
random_octets 32 >"$T/plain"

tap_ok "an envelope is made" ctl dual wrap --key "$weak" --key "$good" --in "$T/plain" --out "$T/envelope"
ctl dual wrap --key "$weak" --key "$good" --in "$T/plain" --out "$T/envelope" --force 2>"$T/said"
tap_like "and 2048 bits are warned of" "*custodyctl dual wrap: warning: *2048 bits*" "$(cat "$T/said")"
tap_like "as is a key that may sign as well" "*warning: *can do more than wrap and unwrap*" "$(cat "$T/said")"
ctl seal --key "$weak" --key "$good" --out "$T/sealed" "$T/plain" 2>"$T/said"
tap_like "sealing warns as well" "*custodyctl seal: warning: *2048 bits*" "$(cat "$T/said")"
ctl dual wrap --key "$both" --key "$good" --in "$T/plain" --out "$T/envelope" --force 2>"$T/said"
tap_is "good keys are not warned of" "" "$(cat "$T/said")"
tap_done
