#!/bin/sh
# token show tells what an auditor asks: how each algorithm is served, which attributes are honoured, the worker's life, what went
# wrong last; and a module that prints the PIN prints it to nobody (threats A13, B31).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/spy.sh"
token_make west
config_set token-west sessions 3
config_set token-west module "$(spy_module)"
config_set token-west env "SOFTHSM2_CONF=$T/tokens/west.conf PKCS11SPY=$SOFTHSM_MODULE" # no file: to standard error
config_set custodyd log-level debug
daemon_start || bail "custodyd did not start (status $?)"
show() {
	ctl token show --name west -o json >"$T/show" || bail "token show"
	json "$1" "$T/show"
}
tap_is "not enrolled yet" "not-enrolled false null" "$(show '.state, .enrolled, .identity' | tr '\n' ' ' | sed 's/ $//')"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "token west is $(token_state west)"
tap_is "enrolled, by its identity's digest" "ready true 64" "$(show '.state, .enrolled, (.identity | length)' | tr '\n' ' ' | sed 's/ $//')"
tap_is "its device" "west SoftHSM project SoftHSM v2 2.6 16" \
	"$(show '.label, .manufacturer, .model, .firmware, (.serial | length)' | tr '\n' ' ' | sed 's/ $//')"
tap_is "its sessions" 3 "$(show .sessions)"
tap_is "its worker" "$(worker_pid west) 0 number null" "$(show '[.worker.pid, .worker.restarts, (.worker.startedAt | type), .lastError] | map(tostring) | join(" ")')"
tap_like "RSA-OAEP-256 by raw RSA, and who checks the padding" "raw RSA, padding by OpenSSL in constant time" \
	"$(show '.algorithms[] | select(.alg == "RSA-OAEP-256") | .how')"
tap_is "signatures natively" native "$(show '.algorithms[] | select(.alg == "PS256") | .how')"
tap_like "key wrapping through session objects" "*session objects" "$(show '.algorithms[] | select(.alg == "A256KW") | .how')"
tap_is "every hardening attribute was tried and is honoured" "" "$(show '.attributes[] | select(.honoured == false) | .name')"
tap_like "they have names" "*modifiable*" "$(show '[.attributes[].name] | join(" ")')"
tap_like "without an option the same is shown" "*raw RSA*" "$(ctl token show --name west)"
tap_like "and in short as a table" "*west*ready*$(worker_pid west)*" "$(ctl token show --name west -o table)"

pid=$(worker_pid west)
kill -SEGV "$pid"
# shellcheck disable=SC2317 # run by wait_for
replaced() {
	[ "$(worker_pid west)" != "$pid" ] && token_is west ready
}
wait_for replaced || bail "token west is $(token_state west)"
tap_is "a restart is counted" 1 "$(show .worker.restarts)"
tap_like "the last error stays to be seen" "ServiceUnavailable: *worker ended*" "$(show '.lastError | .code + ": " + .message')"

tap_ok "the module's own words are in the log" log_has 'worker.output.*C_FindObjectsInit'
pin=$(cat "$T/pin-west")
tap_is "but not the PIN that it was given" 0 "$(grep -cF "$pin" "$T/custodyd.log")"
# The spy writes octets in hexadecimal, eight and a text at a time.
dump=$(printf '%s' "$pin" | hex | cut -c 1-16 | sed 's/../& /g; s/ $//' | tr a-f A-F)
tap_is "nor its octets" 0 "$(grep -ciF "$dump" "$T/custodyd.log")"
tap_done
