# What a worker asks its PKCS#11 module, counted by OpenSC's spy in front of it.
#
#   . "$SRCDIR/tests/support/lib.sh"
#   . "$SRCDIR/tests/support/spy.sh"
#   token_make west
#   spy_on west
#
# shellcheck shell=sh

# spy_module: path of pkcs11-spy.
spy_module() {
	for spy_path in /usr/lib/*/pkcs11/pkcs11-spy.so /usr/lib/*/pkcs11-spy.so /usr/lib/pkcs11-spy.so; do
		[ ! -e "$spy_path" ] || break
	done
	echo "$spy_path"
}

# spy_on TOKEN: its worker loads the spy, which writes every call to $T/spy-TOKEN.
spy_on() {
	[ -e "$(spy_module)" ] || bail "pkcs11-spy (package opensc) is missing"
	config_set "token-$1" module "$(spy_module)"
	config_set "token-$1" env "SOFTHSM2_CONF=$T/tokens/$1.conf PKCS11SPY=$SOFTHSM_MODULE PKCS11SPY_OUTPUT=$T/spy-$1"
	: >"$T/spy-$1"
}

# spy_count TOKEN FUNCTION: how often it was called since the worker's first start.
spy_count() {
	grep -cE "^[0-9]+: $2\$" "$T/spy-$1"
}
