#!/bin/sh
# When neither key opens, custodyctl tells each key's reason, and waits only where waiting helps, saying so.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
echo "the content" >"$T/plain"
ctl seal --key "$WEST_KID" --key "$EAST_KID" --out "$T/sealed" "$T/plain" || bail "not sealed"
dual_wrap "$(random_b64 32)"

# open OPTION...: opens, with what it said in $T/said.
open() {
	ctl open "$@" --out "$T/opened" "$T/sealed" 2>"$T/said"
}

token_lose west
kill -KILL "$(worker_pid west)"
wait_for token_is west unavailable || bail "token west is $(token_state west)"
ctl key delete --vault-name $EAST --name east --yes >"$T/delete.log" || bail "$(cat "$T/delete.log")"

open --retries 0
tap_is "one unavailable, one denied: unavailable" 5 $?
tap_is "a line for the whole, one for each key" 3 "$(wc -l <"$T/said")"
tap_like "the whole" "custodyctl open: No key of the envelope can be used now*[[]ServiceUnavailable]" "$(sed -n 1p "$T/said")"
tap_like "the lost one" "    $WEST_KID (token west): unavailable. *[[]ServiceUnavailable]" "$(sed -n 2p "$T/said")"
tap_is "the deleted one" "    $EAST_KID (token east): denied. The key is deleted; recover it to use it again. [KeyDeleted]" "$(sed -n 3p "$T/said")"
ctl dual unwrap --in "$T/envelope" --retries 0 2>"$T/said"
tap_is "dual unwrap tells them too" 3 "$(wc -l <"$T/said")"

# Retry-After of the next answer.
# shellcheck disable=SC2317 # called by is_given_up
retry_after() {
	dual unwrapkey
	tr -d '\r' <"$T/headers" | sed -n 's/^Retry-After: //p'
}
# shellcheck disable=SC2317 # called by wait_for
is_given_up() {
	[ "$(retry_after)" -ge 10 ]
}
tap_ok "a token that cannot be started is worth no waiting" wait_for is_given_up
open
tap_is "so nobody waits" 5 $?
tap_is "and no word is lost about it" 0 "$(grep -c 'Trying again' "$T/said")"
ctl key set-attributes --vault-name $WEST --name west --enabled false >"$T/update.log" || bail "$(cat "$T/update.log")"
open
tap_is "both denied: denied" 4 $?
tap_like "with the reasons" "*custodyctl open: *[[]AccessDenied]*west): denied. *[[]KeyDisabled]*east): denied. *[[]KeyDeleted]" "$(cat "$T/said")"

ctl status --socket "$T/none.sock" --retries 1 2>"$T/said"
tap_is "no daemon: unavailable" 5 $?
tap_like "waiting is announced" "custodyctl status: warning: No connection *Trying again in 0.1 s.*" "$(sed -n 1p "$T/said")"
tap_is "once" 2 "$(wc -l <"$T/said")"
tap_done
