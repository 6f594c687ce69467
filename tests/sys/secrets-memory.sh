#!/bin/sh
# After the answers no process holds a PIN, a plaintext or a data key any more (threats F12, F13): nowhere in the memory of custodyd and of its
# workers, whatever operations they were in, whether the requests were good or not.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
PIN_OCTETS=40 # so long that a piece in the middle is told from everything else
world_start
# --- canaries: raw octets, and as they stand in JSON

mkdir "$T/canary"
# canary NAME: standard input is one; in $T/canary/NAME and as base64url in $T/canary/NAME.b64.
canary() {
	cat >"$T/canary/$1"
	b64_of <"$T/canary/$1" >"$T/canary/$1.b64"
}
for token in west east; do
	cp "$T/pin-$token" "$T/canary/pin-$token"
done
value_of() {
	cat "$T/canary/$1.b64"
}
# held PID: where of the canaries something is, a line each.
held() {
	"$MEMORY_SEARCH" "$1" "$T/canary"/* | sed "s|$T/canary/||"
}
none_held() { # DESCRIPTION
	for process in custodyd west east; do
		case $process in
		custodyd) held_pid=$(daemon_pid) ;;
		*) held_pid=$(worker_pid $process) ;;
		esac
		tap_is "$1: nothing in $process" "" "$(held "$held_pid")"
	done
}

# The search itself: it finds what is there for certain.
printf 'contosocentralus' >"$T/name"
"$MEMORY_SEARCH" "$(daemon_pid)" "$T/name" >/dev/null
tap_is "the search finds a vault's name in custodyd" 1 $?
none_held "after logins and enrolment"

# --- the dialect

key_make $WEST rsa '{"kty":"RSA","key_size":2048,"key_ops":["encrypt","decrypt","wrapKey","unwrapKey"]}'
key_make $WEST kw '{"kty":"oct"}'
key_make $WEST gcm '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
for row in "rsa wrapkey unwrapkey RSA-OAEP-256" "rsa encrypt decrypt RSA-OAEP" "kw wrapkey unwrapkey A256KW" "gcm encrypt decrypt A256GCM"; do
	# shellcheck disable=SC2086 # words
	set -- $row
	random_octets 64 | canary "$1-$2"
	use $WEST "$1" "$2" "$4" "$(value_of "$1-$2")"
	cipher=$(json .value)
	more=$(json 'if .iv then "\"iv\":\"" + .iv + "\",\"tag\":\"" + .tag + "\"" else "" end')
	use $WEST "$1" "$3" "$4" "$cipher" "$more"
	tap_is "$1: $2 and $3" "200 $(value_of "$1-$2")" "$HTTP_STATUS $(json .value)"
done
none_held "after the dialect's operations"

# --- requests that fail, with a secret in them

random_octets 64 | canary refused
value=$(value_of refused)
for body in "{\"alg\":\"A256KW\",\"value\":\"$value\"" "{\"alg\":\"A256KW\",\"value\":\"$value\",\"value\":\"$value\"}" "{\"alg\":\"A256KW\",\"value\":\"$value\",\"x\":1}" \
	"{\"alg\":\"A256KW\",\"value\":\"$value=+\"}" "{\"alg\":\"none\",\"value\":\"$value\"}" "{\"value\":\"$value\"}" "{\"alg\":\"$value\"}" "{\"$value\":1}" \
	"[\"$value\"]" "{\"alg\":\"A256KW\",\"value\":\"${value}AAAA\"}"; do
	http POST /keys/kw//wrapkey $WEST "$body"
	tap_unlike "no answer repeats the body: $(answer)" "*$(printf '%.16s' "$value")*" "$(cat "$T/body")"
done
http POST /keys/nobody//wrapkey $WEST "{\"alg\":\"A256KW\",\"value\":\"$value\"}"
http POST /keys/kw//wrapkey nobody "{\"alg\":\"A256KW\",\"value\":\"$value\"}"
http POST "/keys/kw//wrapkey?api-version=1" $WEST "{\"alg\":\"A256KW\",\"value\":\"$value\"}"
http POST /nowhere $WEST "{\"value\":\"$value\"}"
none_held "after refused requests"

# --- dual operations

key_make $EAST kw '{"kty":"oct"}'
EAST_KID=$KID
http GET /keys/rsa $WEST
WEST_KID=$(json .key.kid)
random_octets 64 | canary dual
dual_wrap "$(value_of dual)" "$(b64 context)"
dual rewrapkey "$T/envelope" "$(b64 context)"
json .envelope >"$T/rewrapped"
dual unwrapkey "$T/rewrapped" "$(b64 context)"
tap_is "wrapped, rewrapped, unwrapped" "200 $(value_of dual)" "$HTTP_STATUS $(json .value)"
http POST /dual/generatekey "" "{\"keys\":[\"$WEST_KID\",\"$EAST_KID\"],\"context\":\"\",\"length\":64}"
unb64 "$(json .value)" | canary generated
json .envelope >"$T/generated"
dual check "$T/generated" ""
tap_is "generated and checked" "200 2" "$HTTP_STATUS $(json .redundancy)"
# the content key, which no answer ever shows, as either recipient's key gives it
use $EAST kw unwrapkey A256KW "$(jq -r '.recipients[1].encrypted_key' "$T/generated")"
unb64 "$(json .value)" | canary content-key
none_held "after dual operations"
tap_done
