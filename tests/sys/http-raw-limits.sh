#!/bin/sh
# Long targets, headers, many headers, huge and endless bodies: a small answer, and no memory (threats C15, C16, C26).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
# A sanitizer keeps freed memory for a while: not here, where memory is measured.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1:thread_local_quarantine_size_kb=64
export ASAN_OPTIONS
world_start
key_make $WEST k '{"kty":"oct"}'
version='?api-version=7.4'
fill() { # N: so many characters
	printf "%$1s" '' | tr ' ' a
}
ask_raw() { # as raw -l, codes only; the message may be longer than an argument
	"$T/raw" "$T/custodyd.sock" -l "$@" <"$T/message" | raw_codes
}
get_padded() { # N: a request whose target has N octets more
	raw_get "/keys/k$version&$(fill "$1")"
}
resident() { # KiB
	awk '/^VmRSS:/ { print $2 }' "/proc/$(daemon_pid)/status"
}

get_padded 4000 >"$T/message"
tap_is "a target of 4 KiB" "200 keep" "$(ask_raw)"
get_padded 4100 >"$T/message"
tap_is "a longer one" "414 close BadParameter" "$(ask_raw)"
printf 'GET /%s' "$(fill 100000)" >"$T/message"
tap_is "one without an end" "414 close BadParameter" "$(ask_raw -o)"
printf '%s' "$(fill 100000)" >"$T/message"
tap_is "a method without an end" "414 close BadParameter" "$(ask_raw -o)"
{
	raw_head GET "/keys/k$version" "X: $(fill 15000)"
	printf '\\r\\n'
} >"$T/message"
tap_is "a header of 15 KB" "200 keep" "$(ask_raw)"
{
	raw_head GET "/keys/k$version"
	printf 'X: %s' "$(fill 100000)"
} >"$T/message"
tap_is "one without an end" "431 close BadParameter" "$(ask_raw -o)"
{
	raw_head GET "/keys/k$version"
	printf 'X%s' "$(fill 100000)"
} >"$T/message"
tap_is "a name without an end" "431 close BadParameter" "$(ask_raw -o)"
many() { # N: headers beside the two that are always there
	raw_head GET "/keys/k$version"
	seq "$1" | sed 's/.*/X-&: y\\r\\n/'
	printf '\\r\\n'
}
many 62 >"$T/message"
tap_is "64 headers" "200 keep" "$(ask_raw)"
many 63 >"$T/message"
tap_is "65" "431 close BadParameter" "$(ask_raw)"
many 100000 >"$T/message"
tap_is "headers without an end" "431 close BadParameter" "$(ask_raw)"

post() { # HEADER...: behind them nothing is sent, and the client waits
	{
		raw_head POST "/keys/n/create$version" "$@"
		printf '\\r\\n'
	} >"$T/message"
}
post 'Content-Length: 1073741824'
tap_is "1 GiB declared is refused before a body comes" "413 close BadParameter" "$(ask_raw -o)"
post 'Content-Length: 65537'
tap_is "so is one octet too much" "413 close BadParameter" "$(ask_raw -o)"
post 'Expect: 100-continue' 'Content-Length: 1073741824'
tap_is "and nobody is told to go on" "413 close BadParameter" "$(ask_raw -o)"
post 'Content-Length: 65537'
head -c 3000000 /dev/zero | tr '\0' a >>"$T/message"
tap_is "a client that sends it nevertheless reads the answer" "413 close BadParameter" "$(ask_raw)"
post 'Expect: 200-ok' 'Content-Length: 13'
tap_is "another expectation" "400 close BadParameter" "$(ask_raw -o)"
for coding in gzip deflate br identity x; do
	raw_post "/keys/n/create$version" '{"kty":"oct"}' "Content-Encoding: $coding" >"$T/message"
	tap_is "Content-Encoding: $coding" "415 keep BadParameter" "$(ask_raw)"
done
{
	raw_head POST "/keys/n/create$version" 'Expect: 100-continue' 'Content-Length: 13'
	printf '\\r\\n'
} >"$T/message"
"$T/raw" "$T/custodyd.sock" <"$T/message" | tr -d '\r' >"$T/answer"
tap_is "a body that is welcome is asked for" "HTTP/1.1 100 Continue" "$(paste -sd' ' <"$T/answer" | sed 's/ *$//')"
answers "nothing was made" "404 KeyNotFound" GET /keys/n $WEST
curl -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST" -H 'Authorization: x' -H 'Expect: 100-continue' -H 'Content-Type: application/json' \
	--expect100-timeout "$DEADLINE" -d '{"kty":"oct"}' "http://x/keys/n/create$version" >"$T/body"
tap_is "and a client that waits for it is served" n "$(json '.key.kid | split("/")[4]')"

# 250 connections, each as much as is read of one at all: 16 KiB of head and 64 KiB of body at most. All of them at once may
# cost so much, not more, and nothing when they are gone.
before=$(resident)
{
	raw_head POST "/keys/n/create$version" "X: $(fill 15000)" 'Content-Length: 65536'
	printf '\\r\\n'
	fill 65535
} >"$T/message"
"$T/raw" "$T/custodyd.sock" -n 250 -o <"$T/message" >"$T/flood" &
# shellcheck disable=SC2317 # run by wait_for
held() {
	grep -q '^sent' "$T/flood" && http GET /status "" && [ "$(json .connections)" -eq 251 ]
}
tap_ok "250 connections hold a request each that is never complete" wait_for held
tap_ok "which costs no more than their buffers" test "$(($(resident) - before))" -lt $((250 * 160 + 8192))
raw_leave "$T/flood"
# shellcheck disable=SC2317 # run by wait_for
gone() {
	http GET /status "" && [ "$(json .connections)" -eq 1 ]
}
tap_ok "they go" wait_for gone
"$T/raw" "$T/custodyd.sock" -n 250 -o <"$T/message" >"$T/flood" &
wait_for held
peak=$(resident)
raw_leave "$T/flood"
wait_for gone
tap_ok "and come back without costing more" test "$peak" -lt $((before + 250 * 160 + 8192))
answers "the daemon is well" 200 GET /keys/k $WEST
tap_done
