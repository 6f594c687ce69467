#!/bin/sh
# A worker that is stopped: the other token opens in time, the stopped one is replaced (threats B3, B17).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
config_set custodyd operation-timeout 1s
world_start
dual_keys rsa
value=$(random_b64 32)
dual_wrap "$value"
for token in west east; do
	vault=$([ $token = west ] && echo "$WEST" || echo "$EAST")
	pid=$(worker_pid $token)
	process_stop "$pid"
	start=$(date +%s%N)
	dual unwrapkey
	elapsed=$((($(date +%s%N) - start) / 1000000))
	tap_is "$token stopped: the other one opens" "200 $value" "$HTTP_STATUS $(json .value)"
	tap_ok "within the deadline ($elapsed ms)" test $elapsed -lt 1500
	name=$token
	# Ask until it was needed: the deadline of one operation ends the worker.
	use "$vault" $token unwrapkey RSA-OAEP "$(jq -r '.recipients[0].encrypted_key' "$T/envelope")"
	# shellcheck disable=SC2317 # run by wait_for
	replaced() {
		[ "$(worker_pid "$name")" != "$pid" ] && token_is "$name" ready
	}
	tap_ok "the stopped worker is replaced" wait_for replaced
done
dual check
tap_is "both open again" "2 west opened, east opened" "$(json .redundancy) $(attempts)"
tap_done
