#!/bin/sh
# Every kind of operation at once, creations between them, on a token with threads and on one of a module that is not thread-safe:
# nothing fails, no worker is lost (threats B34, B38).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
EACH=8
token_make west
token_make east
config_set token-west sessions 4
config_set token-east one-thread yes
daemon_start || bail "custodyd did not start (status $?)"
for token in west east; do
	ctl token enroll --name $token >/dev/null || bail "enroll"
	wait_for token_is $token ready || bail "token $token is $(token_state $token)"
done
vault_make $WEST west
vault_make $EAST east
tap_is "four sessions, and one" "4 1" "$(http GET /tokens/west "" && json .sessions) $(http GET /tokens/east "" && json .sessions)"
digest=$(random_b64 32)
# order FILE VAULT PATH BODY: adds requests to a client's list.
order() {
	i=0
	while [ $i -lt $EACH ]; do
		[ ! -s "$1" ] || echo next >>"$1"
		cat >>"$1" <<-END
			url = "http://localhost$(printf '%s' "$3" | sed "s/@/$i/")?api-version=7.4"
			unix-socket = "$T/custodyd.sock"
			header = "Host: $2.vault.azure.net"
			header = "Authorization: Bearer test"
			header = "Content-Type: application/json"
			data = "$(printf '%s' "$4" | sed 's/"/\\"/g')"
			silent
			max-time = $DEADLINE
			output = "$1.answer"
			write-out = "%{http_code}\\n"
		END
		i=$((i + 1))
	done
}
for vault in $WEST $EAST; do
	key_make "$vault" rsa '{"kty":"RSA","key_size":2048}'
	key_make "$vault" ec '{"kty":"EC","crv":"P-256"}'
	key_make "$vault" kw '{"kty":"oct"}'
	key_make "$vault" gcm '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
	use "$vault" rsa encrypt RSA-OAEP-256 "$digest"
	order "$T/client-rsa-$vault" "$vault" /keys/rsa//decrypt "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$(json .value)\"}"
	order "$T/client-sign-$vault" "$vault" /keys/rsa//sign "{\"alg\":\"PS256\",\"value\":\"$digest\"}"
	order "$T/client-ec-$vault" "$vault" /keys/ec//sign "{\"alg\":\"ES256\",\"value\":\"$digest\"}"
	order "$T/client-kw-$vault" "$vault" /keys/kw//wrapKey "{\"alg\":\"A256KW\",\"value\":\"$digest\"}"
	order "$T/client-gcm-$vault" "$vault" /keys/gcm//encrypt "{\"alg\":\"A256GCM\",\"value\":\"$digest\"}"
	order "$T/client-make-$vault" "$vault" /keys/made-@/create '{"kty":"EC","crv":"P-384"}'
done
pids=
for client in "$T"/client-*; do
	curl -K "$client" >"$client.statuses" 2>&1 &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
tap_is "all of them are answered" "$((12 * EACH)) 200" "$(cat "$T"/client-*.statuses | sort | uniq -c | awk '{ print $1, $2 }')"
for token in west east; do
	http GET /tokens/$token ""
	tap_is "no worker of $token was lost, nothing went wrong" "ready 0 closed null" \
		"$(json '[.state, .worker.restarts, .breaker, .lastError] | map(tostring) | join(" ")')"
done
http GET /doctor ""
tap_is "doctor finds nothing" 0 "$(json '.findings | length')"
tap_done
