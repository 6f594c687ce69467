#!/bin/sh
# Once a day every key of a token is looked at again: one that is missing and one with a twin are told, the catalog is left as it is,
# and the next look finds them well (threats A9, A11, B21).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
config_set custodyd clock-jump-limit 30d
world_start
for key in good gone twin; do
	key_make $WEST $key '{"kty":"oct"}'
	eval "id_$key=\${KID##*/}"
done
key_make $EAST ec '{"kty":"EC","crv":"P-384"}'
key_make $EAST rsa '{"kty":"RSA","key_size":2048}'
http DELETE /keys/rsa $EAST
head -c 32 /dev/urandom >"$T/known"
# shellcheck disable=SC2154 # by eval
token_tool west --write-object "$T/known" --type secrkey --key-type AES:32 --id "$id_twin" --label thief --sensitive --private \
	>"$T/tool.log" 2>&1 || bail "plant: $(cat "$T/tool.log")"
# shellcheck disable=SC2154
token_tool west --delete-object --type secrkey --id "$id_gone" >"$T/tool.log" 2>&1 || bail "delete: $(cat "$T/tool.log")"

# Every tick of the trusted time looks whether something is due; readiness was seen by one.
# shellcheck disable=SC2317 # run by wait_for
done_times() {
	[ "$(grep -c "inspect.done token=$1" "$T/custodyd.log")" -eq "$2" ]
}
wait_for log_has 'op=key.delete' || bail "no delete"
tap_is "nothing is looked at before its time" 0 "$(grep -c 'inspect\.' "$T/custodyd.log")"
DEADLINE=$((DEADLINE + 10)) # the tick comes every five seconds, and the first only sees the tokens
hours=1
# shellcheck disable=SC2317
west_done() {
	hours=$((hours + 24))
	clock_fake $((hours * 3600))
	done_times west 1
}
tap_ok "a day later west is" wait_for west_done
tap_ok "and east" wait_for log_has 'inspect.done token=east'
tap_ok "three keys, two of them wrong" log_has 'inspect.done token=west keys=3 wrong=2'
tap_ok "deleted keys too, and all well" log_has 'inspect.done token=east keys=2 wrong=0'
# shellcheck disable=SC2154
tap_ok "the missing one is named" log_has "inspect.wrong error=KeyMissing.* subject=contosowestus/gone/$id_gone"
tap_ok "so is the one with a twin" log_has "inspect.wrong error=KeyIntegrity.* subject=contosowestus/twin/$id_twin"
tap_like "status shows it" "*key*token*" "$(http GET /status "" && json '.lastError | tostring')"
value=$(random_b64 32)
use $WEST good wrapKey A256KW "$value"
tap_is "the good one goes on" 200 "$HTTP_STATUS"
token_tool west --delete-object --type secrkey --label thief >/dev/null 2>&1
use $WEST twin wrapKey A256KW "$value"
tap_is "without the twin, its key too: nothing was written down against it" 200 "$HTTP_STATUS"
tap_done
