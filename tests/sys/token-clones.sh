#!/bin/sh
# Tokens that are not what they seem: two of one label, one that was initialised anew, one that is a copy of another. None serves,
# each says why, and the catalog keeps its word (threats B22, B23, B24).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
wrapped=$(json .value)
http GET /keys/k $WEST
json '.key' >"$T/key"
identity=$(http GET /tokens/west "" && json .identity)
# kill_worker NAME: its replacement looks at the token afresh.
kill_worker() {
	kill -KILL "$(worker_pid "$1")"
}
detail() {
	http GET "/tokens/$1" ""
	json '.lastError.code + ": " + .detail'
}

softhsm() {
	SOFTHSM2_CONF=$T/tokens/west.conf softhsm2-util "$@" >"$T/util.log" 2>&1 || bail "softhsm2-util: $(cat "$T/util.log")"
}
softhsm --init-token --free --label west --pin 1234 --so-pin 12345678
kill_worker west
tap_ok "two tokens of one label are refused" wait_for token_is west refused
tap_like "both are named by their serials" "TokenAmbiguous: *label 'west' serial '*' and label 'west' serial '*'*" "$(detail west)"
twin=$(find "$T/tokens/west" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)
mv "$twin" "$T/second"
daemon_reload
tap_ok "with one of them it is ready after a reload" wait_for token_is west ready

# The same label and PIN, but another token.
cp -a "$T/tokens/west" "$T/true-west"
rm -r "$T/tokens/west"/*
softhsm --init-token --free --label west --pin "$(cat "$T/pin-west")" --so-pin 12345678
kill_worker west
tap_ok "one that was initialised anew is refused" wait_for token_is west refused
tap_like "as an impostor" "TokenImpostor: *" "$(detail west)"
use $WEST k unwrapKey A256KW "$wrapped"
tap_unlike "its keys are not denied" "403 *" "$(answer)"
tap_exits "and it cannot be enrolled in the place of the other" 3 ctl token enroll --name west
http GET /keys/k $WEST
tap_is "nothing changed in the catalog" "$(cat "$T/key")" "$(json .key)"
tap_is "nor the identity" "$identity" "$(http GET /tokens/west "" && json .identity)"
rm -r "$T/tokens/west"
mv "$T/true-west" "$T/tokens/west"
daemon_reload
tap_ok "the true one is taken again" wait_for token_is west ready
use $WEST k unwrapKey A256KW "$wrapped"
tap_is "and opens" "200 $value" "$(answer) $(json .value)"

# A third token that is a copy of west, in another region.
mkdir "$T/tokens/copy"
cp -a "$T/tokens/west/." "$T/tokens/copy"
sed "s|$T/tokens/west|$T/tokens/copy|" "$T/tokens/west.conf" >"$T/tokens/copy.conf"
sed "s|tokens/west|tokens/copy|; s|^region.*|region = farus|" "$T/conf/token-west" >"$T/conf/token-copy"
daemon_stop
daemon_start || bail "custodyd did not start (status $?)"
wait_for token_is copy not-enrolled || bail "token copy is $(token_state copy)"
ctl token enroll --name copy >"$T/enroll.log" 2>&1
tap_like "a copy is not enrolled as a token of its own" "*copy of it*" "$(cat "$T/enroll.log")"
tap_ok "it is refused" wait_for token_is copy refused
tap_is "while the original serves" ready "$(token_state west)"
tap_done
