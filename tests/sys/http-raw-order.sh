#!/bin/sh
# Requests of one connection are answered in order, nothing is read behind an error, and a change that arrived whole is made
# though its client is gone; then retrying it is safe (threats C14, C25).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
version='?api-version=7.4'
wrap=$(raw_post "/keys/k//wrapkey$version" '{"alg":"A256KW","value":"AAAAAAAAAAAAAAAAAAAAAA"}')
get=$(raw_get "/keys/k$version")

# Every third asks the token, the others are answered at once; the name in the error tells which one was answered.
message=
expected=
for i in $(seq 100); do
	if [ $((i % 3)) -eq 0 ]; then
		message=$message$wrap
		expected="$expected 200"
	else
		message=$message$(raw_get "/keys/n$i$version")
		expected="$expected n$i"
	fi
done
order() {
	sed -n 's/^404 keep .*(name\/id) \(n[0-9]*\) was not found.*/\1/p; s/^200 keep {"kid":.*"alg":"A256KW".*/200/p' | paste -sd' '
}
raw "$message" -l >"$T/answers"
tap_is "100 pipelined requests have 100 answers" 100 "$(wc -l <"$T/answers")"
tap_is "in their order" "${expected# }" "$(order <"$T/answers")"
raw "$message" -l -s 7 >"$T/answers"
tap_is "in pieces of seven octets, too" "${expected# }" "$(order <"$T/answers")"
three=$get$wrap$get
raw "$three" | sed 's/\(request-id: \)[-0-9a-f]*/\1/' >"$T/whole"
raw "$three" -s 1 | sed 's/\(request-id: \)[-0-9a-f]*/\1/' >"$T/pieces"
tap_ok "octet by octet the answers are the same octets" cmp "$T/whole" "$T/pieces"

delete="$(raw_head DELETE "/keys/k$version")\\r\\n"
tap_is "behind an error nothing is read" "200 keep, 400 close BadParameter" "$(raw "${get}GET /keys/k HTTP/1.1\\n\\n$delete" -l | raw_codes)"
tap_is "nor behind a body that is too large" "413 close BadParameter" \
	"$(raw "$(raw_head POST "/keys/k/create$version" 'Content-Length: 1073741824')\\r\\n$delete" -l | raw_codes)"
tap_is "nor behind 'Connection: close'" "200 close" "$(raw "$(raw_head GET "/keys/k$version" 'Connection: close')\\r\\n$delete" -l | raw_codes)"
tap_is "nor behind HTTP/1.0" "200 close" "$(raw "GET /keys/k$version HTTP/1.0\\r\\nHost: $WEST\\r\\nAuthorization: t\\r\\n\\r\\n$delete" -l | raw_codes)"
tap_is "an error whose end is certain does not end the connection" "400 keep BadParameter, 404 keep NotFound, 405 keep MethodNotAllowed, 200 keep" \
	"$(raw "$(raw_get /keys/..)$(raw_get /nothing)$(raw_get /clock/confirm)$get" -l | raw_codes)"
tap_is "half a request has no answer" "200 keep" "$(raw "${get}GET /keys/k" -l | raw_codes)"
tap_is "half a body has none either" "" "$(raw "$(raw_head POST "/keys/n/create$version" 'Content-Length: 13')\\r\\n{\"kty\":\"oct\"" -l | raw_codes)"
answers "the key was not deleted" 200 GET /keys/k $WEST

# shellcheck disable=SC2317 # run by wait_for
quiet() { # no connection but the one that asks, and no request in flight but its own
	http GET /status "" && [ "$(json '[.connections, .requests.inFlight] | tojson')" = "[1,1]" ]
}
versions() { # KEY: how many there are when all that was sent is done
	wait_for quiet || diag "still busy: $(cat "$T/body")"
	http GET "/keys/$1/versions" $WEST
	json '.value | length'
}
# A connection for each octet of the request, left behind that octet: only the last one brought the whole request.
raw "$(raw_post "/keys/c/create$version" '{"kty":"oct"}')" -C
tap_is "create, left at every octet: one version" 1 "$(versions c)"
raw "$(raw_post "/keys/r/create$version" '{"kty":"RSA","key_size":3072}')" -C
tap_is "also one that takes its time" 1 "$(versions r)"
answers "which works" 200 POST /keys/r//sign $WEST "{\"alg\":\"RS256\",\"value\":\"$(random_b64 32)\"}"
raw "$(raw_post "/keys/c/create$version" '{"kty":"oct"}')" -l >"$T/answers"
tap_is "one version more for each request that arrives whole" 2 "$(versions c)"

body='{"tags":{"left":"yes"}}'
raw "$(raw_head PATCH "/keys/c$version" "Content-Length: ${#body}")\\r\\n$body" -C
wait_for quiet
http GET /keys/c $WEST
tap_is "update, left at every octet, is done" yes "$(json .tags.left)"
raw "$(raw_head DELETE "/keys/c$version")\\r\\n" -C
wait_for quiet
answers "delete is" 200 GET /deletedkeys/c $WEST
answers "and retrying it says so" "404 KeyNotFound" DELETE /keys/c $WEST
raw "$(raw_head POST "/deletedkeys/c/recover$version")\\r\\n" -C
wait_for quiet
answers "recover is" 200 GET /keys/c $WEST
http DELETE /keys/c $WEST
raw "$(raw_head DELETE "/deletedkeys/c$version")\\r\\n" -C
wait_for quiet
answers "purge is" "404 KeyNotFound" GET /deletedkeys/c $WEST
tap_is "and nothing of it stays on the token" "" "$(token_objects west $WEST/c)"
raw "$(raw_head PUT /vaults/left 'Content-Length: 16')\\r\\n{\"token\":\"west\"}" -C
wait_for quiet
answers "a vault is made" 200 GET /vaults/left ""
tap_is "each change is in the audit once" "1 3 1 2 1 1" \
	"$(for what in key.update key.create key.recover key.delete key.purge vault.create; do jq -r "select(.operation == \"$what\" and .code == null and (.key == \"c\" or .key == \"r\" or .detail == \"left\")) | .operation" "$T/log/audit.jsonl" | wc -l; done | paste -sd' ')"
tap_done
