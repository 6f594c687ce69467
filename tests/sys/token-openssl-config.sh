#!/bin/sh
# A host whose openssl.cnf loads the PKCS#11 module into every program that uses OpenSSL, or cannot even be parsed: neither daemon nor
# worker reads it (threats B37).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
cat >"$T/openssl.cnf" <<EOF
openssl_conf = init
[init]
providers = providers
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = $SOFTHSM_MODULE
init = 1
[providers]
hostile = hostile
default = default
[default]
activate = 0
[hostile]
module = $SOFTHSM_MODULE
activate = 1
EOF
OPENSSL_CONF=$T/openssl.cnf openssl rand 1 >/dev/null 2>"$T/rand.log" && bail "the configuration is not hostile"
token_make west
OPENSSL_CONF=$T/openssl.cnf
export OPENSSL_CONF
daemon_start || bail "custodyd did not start (status $?)"
unset OPENSSL_CONF # our own tools would fail
tap_is "the daemon's environment names it" 1 "$(tr '\0' '\n' <"/proc/$(daemon_pid)/environ" | grep -cx "OPENSSL_CONF=$T/openssl.cnf")"
tap_is "the daemon did not load the module" "" "$(grep softhsm "/proc/$(daemon_pid)/maps")"
ctl token enroll --name west >"$T/enroll.log" 2>&1 || bail "enroll: $(cat "$T/enroll.log")"
tap_ok "the token is ready" wait_for token_is west ready
vault_make contosowestus west
key_make $WEST k '{"kty":"RSA","key_size":2048}'
value=$(random_b64 32)
use $WEST k wrapKey RSA-OAEP-256 "$value"
use $WEST k unwrapKey RSA-OAEP-256 "$(json .value)"
tap_is "and opens what the daemon sealed" "200 $value" "$(answer) $(json .value)"
tap_is "one module of it in the worker, loaded once" 1 "$(grep softhsm "/proc/$(worker_pid west)/maps" | awk '{ print $6 }' | sort -u | wc -l)"
tap_done
