#!/bin/sh
# A client that repeats what broke or was answered 503 makes nothing twice: 503 means that nothing was done (threats C25).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
host="Host: $WEST.vault.azure.net"

# create NAME JSON: as a client of the dialect does, again after 408, 429 and 5xx; in the background, CREATE is its pid.
create() {
	curl -s --max-time "$DEADLINE" --retry 20 --retry-delay 1 --unix-socket "$T/custodyd.sock" -H "$host" -H 'Authorization: t' \
		-H 'Content-Type: application/json' -d "$2" -o "$T/created" "http://localhost/keys/$1/create?api-version=7.4" &
	CREATE=$!
}
# shellcheck disable=SC2317 # run by wait_for
working() { # the token has a request of somebody's
	http GET /tokens/west "" && [ "$(json '.inFlight + .queued')" -ge 1 ]
}
answers_of() { # NAME: the statuses of all creates of the key, in order
	jq -r "select(.operation == \"key.create\" and .key == \"$1\") | .status" "$T/log/audit.jsonl" | paste -sd' '
}
# shellcheck disable=SC2317 # run by wait_for
objects_are() { # NAME COUNT
	[ "$(token_objects west "$WEST/$1" | wc -l)" -eq "$2" ]
}
versions() {
	http GET "/keys/$1/versions" $WEST
	json '.value | length'
}

# The worker is lost before it did anything.
pid=$(worker_pid west)
process_stop "$pid"
create lost '{"kty":"oct"}'
tap_ok "a create waits for the token" wait_for working
kill -KILL "$pid"
wait $CREATE
tap_like "the token was lost: 503, and again until it is there" "503*200" "$(answers_of lost)"
tap_is "one version was made" 1 "$(versions lost)"
tap_is "it is the answer's" "$(json '.value[0].kid')" "$(json .key.kid "$T/created")"
tap_ok "the token has one object of it" wait_for objects_are lost 1

# It is lost while it makes the key: whatever it had done by then is taken back before the next is made.
wait_for token_is west ready
create busy '{"kty":"RSA","key_size":4096}'
wait_for working
kill -KILL "$(worker_pid west)"
wait $CREATE
tap_is "lost in the middle ($(answers_of busy)): one version" 1 "$(versions busy)"
tap_ok "and one object" wait_for objects_are busy 1

# A version behind another: what is there stays what it was.
wait_for token_is west ready
http GET /keys/lost $WEST
before=$(json .key.kid)
pid=$(worker_pid west)
process_stop "$pid"
curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H "$host" -H 'Authorization: t' -d '{"kty":"oct"}' -H 'Content-Type: application/json' \
	-o "$T/body" -w '%{http_code}' "http://localhost/keys/lost/create?api-version=7.4" >"$T/status" &
CREATE=$!
wait_for working
kill -KILL "$pid"
wait $CREATE
tap_is "without a second attempt it is 503" "503 ServiceUnavailable" "$(cat "$T/status") $(json .error.code)"
answers "and nothing was done" 200 GET /keys/lost $WEST
tap_is "the newest is the one before" "$before" "$(json .key.kid)"
tap_is "as a client sees that lists" 1 "$(versions lost)"

# shellcheck disable=SC2317 # run by wait_for
no_intents() {
	http GET /status "" && [ "$(json .intents)" = 0 ]
}
tap_ok "nothing is left half done" wait_for no_intents
tap_done
