#!/bin/sh
# A user with hundreds of slow RSA operations in flight does not delay another's by more than his share, and learns that it
# is too much (threats C23).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
need_root
config_set custodyd in-flight-per-caller 400
world_start
key_make $WEST slow '{"kty":"RSA","key_size":4096}'
use $WEST slow wrapkey RSA-OAEP "$(random_b64 32)"
unwrap=$(raw_post '/keys/slow//unwrapkey?api-version=7.4' "{\"alg\":\"RSA-OAEP\",\"value\":\"$(json .value)\"}")
policy_set $WEST user:12345 unwrapKey
policy_set $WEST user:12346 unwrapKey

flood() { # COUNT TIMES OPTION...: so many connections of 12345, so many requests on each; in the background, FLOOD is its pid
	flood_count=$1
	: >"$T/message"
	for _ in $(seq "$2"); do
		printf '%s' "$unwrap" >>"$T/message"
	done
	shift 2
	someone 12345 "$T/raw" "$T/custodyd.sock" -n "$flood_count" "$@" <"$T/message" >"$T/flood" &
	FLOOD=$!
}
# shellcheck disable=SC2317 # run by wait_for
in_flight() { # AT-LEAST
	http GET /status "" && [ "$(json .requests.inFlight)" -ge "$1" ]
}
lines() { # UID: his unwraps in the log
	grep -c "op=key.unwrap .* uid=$1 " "$T/custodyd.log"
}

flood 250 20
tap_ok "one user has hundreds of unwraps in flight" wait_for in_flight 200
printf '%s%s%s%s%s%s%s%s' "$unwrap" "$unwrap" "$unwrap" "$unwrap" "$unwrap" "$unwrap" "$unwrap" "$unwrap" >"$T/message"
got=$(someone 12346 "$T/raw" "$T/custodyd.sock" -l <"$T/message" | raw_codes)
tap_is "another's are answered" "200 keep, 200 keep, 200 keep, 200 keep, 200 keep, 200 keep, 200 keep, 200 keep" "$got"
tap_ok "long before the flood is over" test "$(lines 12345)" -lt 4000
# Between two of his there is what ran already, one for each session, and the other's turn: in one queue it would be 250.
grep 'op=key.unwrap' "$T/custodyd.log" | awk '
	/ uid=12346 / { if (seen++ > 0 && between > worst) worst = between; between = 0 }
	/ uid=12345 / { between++ }
	END { print worst + 0 }' >"$T/worst"
tap_ok "his wait is his share, not the flood's: $(cat "$T/worst") between two" test "$(cat "$T/worst")" -le 16
tap_ok "the flood went on meanwhile" test "$(lines 12345)" -gt 0
tap_is "an administrator is served, too" 200 "$(ask "" GET /status)"
raw_leave "$T/flood"
# shellcheck disable=SC2317 # run by wait_for
idle() {
	http GET /status "" && [ "$(json .requests.inFlight)" -eq 1 ]
}
tap_ok "what was in flight ends although nobody waits for it" wait_for idle

config_set custodyd in-flight-per-caller 8
daemon_reload
wait_for log_has reloaded
flood 100 1
wait "$FLOOD"
tap_is "each request has an answer" 100 "$(grep -cE '^(200|429)$' "$T/flood")"
tap_ok "some were too many" grep -q '^429' "$T/flood"
tap_ok "and at least the allowed ones were served" test "$(grep -c '^200' "$T/flood")" -ge 8
flood 8 200
# shellcheck disable=SC2317 # run by wait_for
throttled() {
	[ "$(ask 12345 POST /keys/slow//unwrapkey "$WEST" '{}')" = "429 Throttled" ]
}
tap_ok "one more than allowed is answered 429" wait_for throttled
tap_is "with the time after which to ask again" "Retry-After: 1" "$(tr -d '\r' <"$T/headers" | grep -i '^retry-after')"
raw_leave "$T/flood"
wait_for idle
tap_is "afterwards he is served again" "400 BadParameter" "$(ask 12345 POST /keys/slow//unwrapkey $WEST '{}')"
tap_done
