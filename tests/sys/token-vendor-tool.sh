#!/bin/sh
# Somebody with PIN and module works on the token beside us: his objects are left alone and counted, ours are used on; one of ours
# that he deletes is missing, which is no denial (threats B20, B21).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
wrapped=$(json .value)

: >"$T/tool-runs"
: >"$T/tool-rounds"
(
	while [ -e "$T/tool-runs" ]; do
		token_tool west --keygen --key-type AES:32 --label theirs --id 77 >"$T/tool.log" 2>&1 || exit 1
		token_tool west --delete-object --type secrkey --label theirs >>"$T/tool.log" 2>&1 || exit 1
		echo >>"$T/tool-rounds"
	done
) &
tool=$!
used=0
while [ "$(wc -l <"$T/tool-rounds")" -lt 4 ]; do
	use $WEST k unwrapKey A256KW "$wrapped"
	[ "$(json .value)" = "$value" ] || bail "after $used uses: $HTTP_STATUS $(cat "$T/body")"
	key_make $WEST "made-$used" '{"kty":"oct"}'
	used=$((used + 1))
	kill -0 "$tool" 2>/dev/null || bail "the tool failed: $(cat "$T/tool.log")"
done
rm "$T/tool-runs"
wait "$tool"
tap_ok "$used uses and creations beside a tool that creates and deletes" test "$used" -gt 0
tap_is "the worker was not replaced" 0 "$(http GET /tokens/west "" && json .worker.restarts)"

token_tool west --keygen --key-type AES:32 --label theirs --id 77 >/dev/null 2>&1 || bail "keygen"
daemon_stop
daemon_start || bail "custodyd did not start (status $?)"
wait_for token_is west ready || bail "token west is $(token_state west)"
tap_is "his object is counted as foreign" 1 "$(http GET /tokens/west "" && json .objects.foreign)"
http GET /doctor ""
tap_is "doctor has nothing to say about it" 0 "$(json '[.findings[]? | select(.subject | contains("west"))] | length')"

http GET /keys/k $WEST
id=$(json .key.kid)
id=${id##*/}
use $WEST k unwrapKey A256KW "$wrapped" # cached in a session
token_tool west --delete-object --type secrkey --id "$id" >"$T/tool.log" 2>&1 || bail "delete: $(cat "$T/tool.log")"
# shellcheck disable=SC2317 # run by wait_for
missing() {
	use "$WEST" k unwrapKey A256KW "$wrapped"
	[ "$HTTP_STATUS" != 200 ]
}
wait_for missing || bail "the deleted key still opens"
tap_is "a key deleted behind us is missing: our records contradict each other" "503 ServiceUnavailable KeyMissing" "$(answer)"
http GET /doctor ""
tap_is "doctor names it" 1 "$(json "[.findings[] | select(.kind == \"missing-object\" and (.subject | contains(\"$id\")))] | length")"
use $WEST made-0 wrapKey A256KW "$value"
tap_is "other keys go on" 200 "$HTTP_STATUS"
tap_is "his object is still there" 1 "$(token_objects west theirs | wc -l)"
tap_done
