#!/bin/sh
# Headers of answers, and an error body under every status from 400 on, also below the router (§0, §13, §14; threats C26).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'

request() { # CURL ARGUMENT...: prints the status
	curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "$T/custodyd.sock" -D "$T/headers" -o "$T/body" -w '%{http_code}' "$@"
}
# error_is DESCRIPTION STATUS CODE CURL-ARGUMENT...
error_is() {
	error_description=$1
	error_expected="$2 $3 json"
	shift 3
	error_status=$(request "$@")
	error_type=$(grep -qi '^content-type: application/json' "$T/headers" && echo json)
	tap_is "$error_description" "$error_expected" "$error_status $(json .error.code 2>&1) $error_type"
}
header() {
	tr -d '\r' <"$T/headers" | sed -n "s/^$1: //Ip"
}

vault="Host: $WEST.vault.azure.net"
auth='Authorization: Bearer t'
error_is "unknown path" 404 NotFound -H "$vault" -H "$auth" 'http://x/nothing?api-version=7.4'
tap_ok "has its line in the log, too" log_has '^<6>request op=unknown status=404 us=[0-9]* uid=[0-9]* id=[-0-9a-f]* error=NotFound$'
error_is "unknown vault" 404 VaultNotFound -H 'Host: nobody.vault.azure.net' -H "$auth" 'http://x/keys/k?api-version=7.4'
error_is "wrong method" 405 MethodNotAllowed -X PUT -H "$vault" -H "$auth" 'http://x/deletedkeys/k?api-version=7.4'
tap_is "with the right ones" "DELETE, GET" "$(header Allow | tr ',' '\n' | tr -d ' ' | sort | paste -sd, | sed 's/,/, /')"
error_is "a method of nobody's" 405 MethodNotAllowed -X BREW -H "$vault" -H "$auth" 'http://x/keys/k?api-version=7.4'
tap_is "HEAD is no method of a version" "405 GET,PATCH" "$(request -I -H "$vault" -H "$auth" "http://x/keys/k/$(printf '%032d' 0)?api-version=7.4") $(header Allow | tr -d ' ' | tr ',' '\n' | sort | paste -sd,)"
tap_ok "and what it is told is a head alone" cmp "$T/headers" "$T/body"
error_is "a body of another type" 415 BadParameter -H "$vault" -H "$auth" -H 'Content-Type: text/plain' -d '{"kty":"oct"}' 'http://x/keys/n/create?api-version=7.4'
error_is "a compressed body" 415 BadParameter -H "$vault" -H "$auth" -H 'Content-Type: application/json' -H 'Content-Encoding: gzip' -d '{"kty":"oct"}' \
	'http://x/keys/n/create?api-version=7.4'
error_is "a chunked body" 411 BadParameter -H "$vault" -H "$auth" -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' -d '{"kty":"oct"}' \
	'http://x/keys/n/create?api-version=7.4'
head -c 70000 /dev/zero | tr '\0' ' ' >"$T/large"
error_is "a body over the limit" 413 BadParameter -H "$vault" -H "$auth" -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$T/large" \
	'http://x/keys/n/create?api-version=7.4'
error_is "headers over the limit" 431 BadParameter -H "$vault" -H "$auth" -H "X: $(printf 'x%.0s' $(seq 17000))" 'http://x/keys/k?api-version=7.4'
error_is "a target over the limit" 414 BadParameter -H "$vault" -H "$auth" "http://x/keys/k?api-version=7.4&x=$(printf 'x%.0s' $(seq 5000))"
error_is "no such vault of ours" 404 VaultNotFound 'http://x/vaults/nobody'
tap_unlike "no error body repeats what it was sent" "*nobody/*" "$(cat "$T/body")"

type='Content-Type: application/json'
tap_is "the type of a body may carry a character set" 200 "$(request -H "$vault" -H "$auth" -H "$type; charset=utf-8" -d '{"kty":"oct"}' 'http://x/keys/n/create?api-version=7.4')"
tap_is "and may be absent" 200 "$(request -H "$vault" -H "$auth" -H 'Content-Type:' -d '{"kty":"oct"}' 'http://x/keys/n/create?api-version=7.4')"
tap_is "a body on GET is ignored" 200 "$(request -X GET -H "$vault" -H "$auth" -H "$type" -d 'nonsense' 'http://x/keys/k?api-version=7.4')"

# There are no entity tags: a condition decides nothing, and nothing is answered by 304 or 412.
for condition in 'If-Match: "x"' 'If-Match: *' 'If-None-Match: *' 'If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT' 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT' 'If-Range: "x"' 'Range: bytes=0-1'; do
	tap_is "'$condition' of a read" 200 "$(request -H "$vault" -H "$auth" -H "$condition" 'http://x/keys/k?api-version=7.4')"
	tap_is "and of a change" 200 "$(request -X PATCH -H "$vault" -H "$auth" -H "$condition" -H "$type" -d '{}' 'http://x/keys/k/?api-version=7.4')"
done
request -H "$vault" -H "$auth" -H 'x-ms-client-request-id: 3f2504e0-4f89-41d3-9a0c-0305e82c3301' 'http://x/keys/k?api-version=7.4' >"$T/status"
first=$(header x-ms-request-id)
tap_is "the client's request id is repeated" 3f2504e0-4f89-41d3-9a0c-0305e82c3301 "$(header x-ms-client-request-id)"
tap_like "ours is a UUID" "????????-????-4???-????-????????????" "$first"
tap_is "caches keep nothing" no-cache "$(header Cache-Control)"
tap_is "the length is right" "$(wc -c <"$T/body")" "$(header Content-Length)"
tap_is "the connection stays" "" "$(header Connection)"
request -H "$vault" -H "$auth" -H 'x-ms-client-request-id: <script>' 'http://x/keys/k?api-version=7.4' >"$T/status"
tap_is "a client's id that is none is not repeated" "" "$(header x-ms-client-request-id)"
tap_unlike "the next request has another id of ours" "$first" "$(header x-ms-request-id)"
tap_is "the audit has it" 1 "$(grep -c "\"request\":\"$(header x-ms-request-id)\"" "$T/log/audit.jsonl")"
tap_is "ten requests on one connection are answered in order" "1 0 0 0 0 0 0 0 0 0 " \
	"$(curl -s --unix-socket "$T/custodyd.sock" -H "$vault" -H "$auth" -o "$T/body" -w '%{num_connects} ' 'http://x/keys/k?api-version=7.4&n=[1-10]')"
tap_done
