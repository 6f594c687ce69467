#!/bin/sh
# The official JavaScript SDK does all that its clients can, over the socket, changed in nothing (§15): tests/sdk/keyvault_keys.js.
# Its challenges are answered with tokens that mean nothing: who asks is known by the socket (threats C1).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
for sdk in "$BUILDDIR/sdk/node_modules" "$BUILDDIR/../sdk/node_modules"; do # of this build, or of the one that it is within
	[ ! -d "$sdk/@azure/keyvault-keys" ] || break
done
[ -d "$sdk/@azure/keyvault-keys" ] || bail "the SDK is not installed: make sdk gets it from npm, as quickstart check does"
world_start
NODE_PATH=$sdk node "$SRCDIR/tests/sdk/keyvault_keys.js" "$T/custodyd.sock" https://$WEST.vault.azure.net >"$T/sdk.log" 2>&1
tap_is "the script comes to its end" 0 $?
while read -r verdict rest; do
	case $verdict in
	ok) tap_pass "$rest" ;;
	not) tap_fail "${rest#ok }" ;;
	*) echo "$verdict $rest" ;;
	esac
done <"$T/sdk.log"
tap_is "and tried everything" 14 "$((tap_count - 1))"
tap_is "no token is kept" "" "$(grep -rla -e of-no-meaning -e 'anything else' "$T/log" "$T/custodyd.log" "$T"/custody.db*)"
tap_done
