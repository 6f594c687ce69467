#!/bin/sh
# Objects planted under a key's id: a twin, and a key of known value in the key's place. The version stops, others go on, and
# taking them away heals it without a restart of the daemon (threats A9, A10, A22).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
for key in k other; do
	key_make $WEST $key '{"kty":"oct"}'
	eval "id_$key=\${KID##*/}"
done
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
wrapped=$(json .value)
use $WEST other wrapKey A256KW "$value"
wrapped_other=$(json .value)
restart_worker() {
	pid=$(worker_pid west)
	kill -KILL "$pid"
	# shellcheck disable=SC2317 # run by wait_for
	restarted() {
		[ "$(worker_pid west)" != "$pid" ] && token_is west ready
	}
	wait_for restarted || bail "token west is $(token_state west)"
}
# opens KEY CIPHERTEXT: what came of it.
opens() {
	use $WEST "$1" unwrapKey A256KW "$2"
	answer
}
bad="503 ServiceUnavailable KeyIntegrity"

# The thief writes a key of his own under our id, hardened as ours are.
printf '0123456789abcdef0123456789abcdef' >"$T/known"
# shellcheck disable=SC2154 # id_k: by eval
plant() {
	token_tool west --write-object "$T/known" --type secrkey --key-type AES:32 --id "$id_k" --label thief \
		--usage-wrap --sensitive --private >"$T/tool.log" 2>&1 || bail "plant: $(cat "$T/tool.log")"
}
delete() {
	token_tool west --delete-object --type secrkey --label "$1" >"$T/tool.log" 2>&1 || bail "delete: $(cat "$T/tool.log")"
}
plant
restart_worker
tap_is "a twin stops the key: a contradiction, not a denial" "$bad" "$(opens k "$wrapped")"
use $WEST k wrapKey A256KW "$value"
tap_is "nothing is protected by it either" "$bad" "$(answer)"
tap_is "other keys go on" 200 "$(opens other "$wrapped_other")"
delete thief
use $WEST k unwrapKey A256KW "$wrapped"
tap_is "without the twin it opens, by the same worker" "200 $value" "$(answer) $(json .value)"

delete contosowestus/k
plant
restart_worker
tap_is "a key of known value in its place opens nothing" "$bad" "$(opens k "$wrapped")"
use $WEST k wrapKey A256KW "$value"
tap_is "and wraps nothing" "$bad" "$(answer)"
tap_is "other keys go on" 200 "$(opens other "$wrapped_other")"
http DELETE /keys/k $WEST
http DELETE /deletedkeys/k $WEST
tap_is "it is not purged as if it were ours" 1 "$(token_objects west thief | wc -l)"
tap_done
