#!/bin/sh
# With one recipient taken out an envelope opens, and the answer says that it is degraded (threats E9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
value=$(random_b64 32)
dual_wrap "$value"
for row in 0:west 1:east; do
	gone=${row%:*}
	jq -c "del(.recipients[$gone])" "$T/envelope" >"$T/half"
	dual unwrapkey "$T/half"
	tap_is "without ${row#*:} it opens" "200 $value" "$HTTP_STATUS $(json .value)"
	tap_is "and is degraded" true "$(json .degraded)"
	dual check "$T/half"
	tap_is "check counts one" "200 1" "$HTTP_STATUS $(json .redundancy)"
done
jq -c '.recipients |= reverse' "$T/envelope" >"$T/turned"
dual unwrapkey "$T/turned"
tap_is "recipients in another order than the protected list are not ours" "400 BadParameter" "$(answer)"
jq -c '.recipients = []' "$T/envelope" >"$T/none"
dual unwrapkey "$T/none"
tap_is "without any recipient it does not open" "400 BadParameter" "$(answer)"
jq -c 'del(.recipients[0].encrypted_key)' "$T/envelope" >"$T/none"
dual unwrapkey "$T/none"
tap_is "nor is a recipient without its key one" "400 BadParameter" "$(answer)"
jq -c '.recipients[0].encrypted_key = "'"$(flip "$(jq -r '.recipients[0].encrypted_key' "$T/envelope")" 9)"'"' "$T/envelope" >"$T/damaged"
dual unwrapkey "$T/damaged"
tap_is "a damaged recipient loses nothing" "200 $value" "$HTTP_STATUS $(json .value)"
dual check "$T/damaged"
tap_is "check finds it" "1 west bad BadCiphertext, east opened" "$(json .redundancy) $(attempts)"
tap_done
