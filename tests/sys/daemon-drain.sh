#!/bin/sh
# SIGTERM under work: what is in flight is answered, nothing new is taken, the end is clean and within its bound; what does not end
# in time is told so, and undone (threats D7, D13 and the daemon's contract with its supervisor).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $EAST k '{"kty":"RSA","key_size":2048}'
use $EAST k wrapkey RSA-OAEP-256 "$(random_b64 32)"
wrapped=$(json .value)

# later NAME PATH VAULT JSON: a request in the background; its status in $T/NAME.status.
later() {
	curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H "Host: $3.vault.azure.net" -H 'Authorization: Bearer test' \
		-H 'Content-Type: application/json' --data-binary "$4" -o "$T/$1.body" -w '%{http_code}' \
		"http://localhost$2?api-version=7.4" >"$T/$1.status" &
}
# shellcheck disable=SC2317 # run by wait_for
intended() {
	[ "$(sqlite3 -readonly "$T/custody.db" "SELECT count(*) FROM intent WHERE key_name = '$1'")" = 1 ]
}

worker=$(worker_pid west)
process_stop "$worker" # the creation is in flight, as long as we like
later slow /keys/slow/create $WEST '{"kty":"RSA","key_size":2048}'
tap_ok "a slow creation is in flight" wait_for intended slow
for n in 1 2 3 4; do
	later "unwrap$n" /keys/k//unwrapkey $EAST "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$wrapped\"}"
done
kill -TERM "$(daemon_pid)"
tap_ok "it says that it stops" wait_for log_has '^<6>stopping '
kill -CONT "$worker"
wait_for test -e "$T/custodyd.exit"
tap_is "it ends cleanly" 0 "$(cat "$T/custodyd.exit")"
wait
tap_is "the creation was answered" 200 "$(cat "$T/slow.status")"
tap_is "as was everything else, each once" "" "$(for n in 1 2 3 4; do grep -v -x -e 200 -e 503 -e 000 "$T/unwrap$n.status"; done)"
tap_ok "the socket is gone" test ! -e "$T/custodyd.sock"
tap_ok "and the workers" sh -c "! kill -0 $worker 2>/dev/null"
tap_is "the last record is whole" "$(wc -l <"$T/log/audit.jsonl")" "$(tail -n 1 "$T/log/audit.jsonl" | jq .seq)"
tap_is "every answer has its record" 1 "$(jq -r 'select(.operation == "key.create" and .key == "slow" and .outcome == "done") | .key' "$T/log/audit.jsonl" | wc -l)"

config_set custodyd drain-timeout 500ms
daemon_start || bail "no restart"
wait_for token_is west ready
answers "the key is there" 200 GET /keys/slow $WEST
worker=$(worker_pid west)
process_stop "$worker"
later never /keys/never/create $WEST '{"kty":"RSA","key_size":2048}'
wait_for intended never
daemon_stop
tap_is "a worker that hangs does not hold it up beyond its bound" 0 "$(cat "$T/custodyd.exit")"
wait
tap_like "its caller is told, or left" "[05]0[03]" "$(cat "$T/never.status")"
daemon_start || bail "no restart"
wait_for token_is west ready
# shellcheck disable=SC2317 # run by wait_for
settled() {
	http GET /status "" && [ "$(json .intents)" = 0 ]
}
tap_ok "what it had begun is settled after the start" wait_for settled
answers "and is not there" "404 KeyNotFound" GET /keys/never $WEST
http GET /doctor ""
tap_is "token and catalog agree" 0 "$(json '.findings | length')"
daemon_stop INT
tap_is "SIGINT is the same" 0 "$(cat "$T/custodyd.exit")"
tap_done
