#!/bin/sh
# Descriptors run out: accepting pauses and does not spin, what is in flight is answered by its token, and all of it goes on when
# there are descriptors again (threats C12).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
use $WEST k wrapkey A256KW "$(random_b64 32)"
wrapped=$(json .value)
worker=$(worker_pid west)
pid=$(daemon_pid)

# In flight before there are none: it waits for a worker that is stopped.
process_stop "$worker"
raw "$(raw_post '/keys/k//unwrapkey?api-version=7.4' "{\"alg\":\"A256KW\",\"value\":\"$wrapped\"}" 'Content-Type: application/json')" \
	-l >"$T/kept" &
kept=$!
# shellcheck disable=SC2317 # run by wait_for
in_flight() {
	http GET /tokens/west "" && [ "$(json .inFlight)" = 1 ]
}
wait_for in_flight || bail "nothing is in flight"
open=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
prlimit --pid "$pid" --nofile=$((open + 5)) || bail "prlimit"
raw '' -n 24 -o >"$T/flood" &
paused() {
	grep -c '^<4>http.accept-paused' "$T/custodyd.log"
}
# shellcheck disable=SC2317 # run by wait_for
paused_over() {
	[ "$(paused)" -gt "$1" ]
}
tap_ok "descriptors run out, and it says so" wait_for paused_over 0
ticks() { # user and system time of the daemon
	echo $(($(cut -d ' ' -f 14,15 "/proc/$pid/stat" | tr ' ' '+')))
}
cpu=$(ticks)
pauses=$(paused)
began=$(date +%s%N)
wait_for paused_over $((pauses + 5))
tap_ok "it looks again, but not at once" test $(($(paused) - pauses)) -le $((($(date +%s%N) - began) / 100000000 + 2))
tap_ok "and waiting costs no processor time" test $(($(ticks) - cpu)) -lt 40
kill -CONT "$worker"
wait "$kept"
tap_like "what was in flight is answered" "200 keep*" "$(cat "$T/kept")"
raw_leave "$T/flood"
wait
http GET /tokens/west ""
tap_is "with descriptors again it accepts" 200 "$HTTP_STATUS"
tap_is "the token lost no worker" "$worker ready 0" "$(json '[.worker.pid, .state, .worker.restarts] | join(" ")')"
use $WEST k unwrapkey A256KW "$wrapped"
tap_is "and serves" 200 "$(answer)"
tap_done
