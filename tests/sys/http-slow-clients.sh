#!/bin/sh
# Hundreds of slow connections of one user cost neither another user nor an administrator anything; they end when their time
# is over, however they drip; and when everybody else is at the bound, administrators get in (threats C11).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
need_root
config_set custodyd administrators "user:$(id -un) group:30009"
config_set custodyd request-timeout 60s
world_start
key_make $WEST k '{"kty":"oct"}'
policy_set $WEST user:12346 get wrapKey

head=$(raw_head GET '/keys/k?api-version=7.4')
slow() { # UID COUNT FILE OPTION...: in the background
	slow_uid=$1
	slow_count=$2
	slow_file=$3
	shift 3
	printf '%s' "$head" >"$T/message"
	someone "$slow_uid" "$T/raw" "$T/custodyd.sock" -o -n "$slow_count" "$@" <"$T/message" >"$T/$slow_file" &
}
connections() {
	http GET /status "" && json .connections
}
# shellcheck disable=SC2317 # run by wait_for
connected() { # COUNT: that many beside the one that asks
	[ "$(connections)" -eq $(($1 + 1)) ]
}
statuses() { # FILE: how often each, "100 408, 44 429"
	grep -v '^sent' "$T/$1" | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd, | sed 's/,/, /g'
}
# shellcheck disable=SC2317 # run by wait_for
ended() { # FILE COUNT
	[ "$(grep -vc '^sent' "$T/$1")" -eq "$2" ]
}

# A request in the middle of its headers, an octet more every 20 ms. The bound of one user is 256.
slow 12345 300 first -d
tap_ok "300 slow connections of one user: 256 stay" wait_for connected 256
wait_for ended first 44
tap_is "the others were told why" "44 429" "$(statuses first)"
count=0
for _ in $(seq 10); do
	[ "$(ask 12346 GET /keys/k $WEST)" = 200 ] && count=$((count + 1))
	[ "$(ask 12346 POST /keys/k//wrapkey $WEST '{"alg":"A256KW","value":"AAAAAAAAAAAAAAAAAAAAAA"}')" = 200 ] && count=$((count + 1))
	[ "$(ask "" GET /status)" = 200 ] && count=$((count + 1))
done
tap_is "another user and an administrator are served meanwhile" 30 "$count"
tap_is "while they are all there" 257 "$(connections)"
tap_is "the slow user himself has no connection left" "429 Throttled" "$(ask 12345 GET /health)"
raw_leave "$T/first"
tap_ok "those who leave are forgotten" wait_for connected 0

config_set custodyd request-timeout 1s
daemon_reload
wait_for log_has reloaded
slow 12345 100 second -d
tap_ok "the time for a request ends, whatever drips" wait_for ended second 100
tap_is "and they are told so" "100 408" "$(statuses second)"
tap_ok "none of them stays" wait_for connected 0

config_set custodyd request-timeout 60s
config_set custodyd connections 60
config_set custodyd connections-per-user 20
config_set custodyd connections-reserved 8
daemon_reload
# shellcheck disable=SC2317 # run by wait_for
reloads() {
	[ "$(grep -c reloaded "$T/custodyd.log")" -eq "$1" ]
}
wait_for reloads 2
for uid in 12345 12347 12348; do
	slow $uid 20 third-$uid
	wait_for grep -q '^sent' "$T/third-$uid"
done
tap_ok "three users fill what is not reserved" wait_for connected 52
tap_is "the last had to be refused in part" "8 429" "$(wait_for ended third-12348 8; statuses third-12348)"
tap_is "a fourth user does not get in" "429 Throttled" "$(ask 12349 GET /health)"
tap_is "an administrator does" 200 "$(ask "" GET /status)"
tap_is "an administrator by his group does, too" 200 "$(ask 20002:20002,30009 GET /status)"
tap_is "not by another's" "429 Throttled" "$(ask 20002:20002,30010 GET /status)"
for uid in 12345 12347 12348; do
	raw_leave "$T/third-$uid"
done
tap_ok "when they are gone" wait_for connected 0
tap_is "the fourth gets in" 200 "$(ask 12349 GET /health)"
tap_done
