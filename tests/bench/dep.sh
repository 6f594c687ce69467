#!/bin/sh
# What depd does a second: data keys opened singly and in batches, scopes registered and rewrapped, status over all of them, the first
# opening of a policy after its key was forgotten. BENCH_SCOPES: how many scopes.
# shellcheck disable=SC2317 # functions are run by others
. "$SRCDIR/tests/bench/bench.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
SCOPES=${BENCH_SCOPES:-1000000}
AT_ONCE=50000 # scopes of one request to register them

bench_begin "Data encryption policies, $SCOPES scopes ($ROUNDS rounds of $SLICE_MS ms for each line)"
config_set depd rewrap-rate 1000000
dep_world_start
dep_policy_world

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
# result NAME FIGURE
result() {
	echo "$1|$2" >>"$T/results"
}
# dep_load CONNECTIONS FILE: as load, of depd.
dep_load() {
	"$BENCH_TOOLS/bench-load" "$T/depd.sock" "$1" "$SLICE_MS" "$2"
}

# --- scopes, before they have anything to do

seq -f '{"id":"mailbox-%07.0f@contoso.example.com"}' 1 "$SCOPES" >"$T/scopes"
split -l "$AT_ONCE" "$T/scopes" "$T/lines-"
start=$(now_ms)
for lines in "$T"/lines-*; do
	curl -s --fail --unix-socket "$T/depd.sock" -H 'Expect:' --data-binary "@$lines" -o /dev/null http://localhost/scopes/mailbox ||
		bail "scopes were not registered"
done
result register $(($(now_ms) - start))

# --- one policy over all of them

dep POST /policies "$(policy_body m365 Global "$WEST_URI" "$EAST_URI")"
[ "$HTTP_STATUS" = 201 ] || bail "no policy: $(cat "$T/body")"
start=$(now_ms)
dep PUT /assignments/tenant '{"policy":"Global"}'
all_moved() {
	dep GET /assignments/tenant
	[ "$(json '.workloads[] | select(.name == "mailbox") | .percentage')" = 100 ]
}
DEADLINE=600 wait_for all_moved || bail "not all were rewrapped: $(cat "$T/body")"
result rewrap $(($(now_ms) - start))
result status "$(curl -s --unix-socket "$T/depd.sock" -o "$T/status" -w '%{time_total}' http://localhost/status)"

# --- data keys

path=/scopes/mailbox/mailbox-0000001@contoso.example.com/datakeys
dep POST $path
request "$T/one.http" POST $path/unwrap "" "{\"wrapped\":\"$(json .wrapped)\"}"
dep POST $path '{"count":1000}'
request "$T/batch.http" POST $path/unwrap "" "$(jq -c '{value: [.value[].wrapped]}' "$T/body")"
request "$T/generate.http" POST $path "" '{"count":1000}'

round=0
while [ "$round" -lt "$ROUNDS" ]; do
	for what in "one 1" "one 8" "batch 8" "generate 8"; do
		# shellcheck disable=SC2086 # two words
		set -- $what
		rate=$(dep_load "$2" "$T/$1.http") || bail "$what"
		result "$what" "$rate"
	done
	dep POST /flush
	dep POST $path/unwrap "$(tail -n 1 "$T/one.http")"
	round=$((round + 1))
done
# The first opening after each flush, and the owners' part of it, from the lines that the daemons write of each request.
sed -n '/^<6>request op=flush /{n;s/.* us=\([0-9]*\) .*/first|\1/p}' "$T/depd.log" >>"$T/results"
sed -n 's/^<6>request op=dual.unwrap .* us=\([0-9]*\) .*/owners|\1/p' "$T/custodyd.log" | tail -n "$ROUNDS" >>"$T/results"

awk -F '|' -v scopes="$SCOPES" -v memory="$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$(cat "$T/depd.pid")/status")" "$MEDIAN"'
	{
		split($2, of, " ")
		all[$1] = all[$1] " " of[1]
		p50[$1] = p50[$1] " " of[2]
	}
	function row(name, aim, here) { printf "%-66s %10s %10s\n", name, aim, here }
	END {
		printf "\n"
		row("", "aim", "here")
		row("data keys opened a second, one a request, 1 connection", "", int(median(all["one 1"])))
		row("the same, 8 connections", ">= 20000", int(median(all["one 8"])))
		row("data keys opened a second, 1,000 a request, 8 connections", ">= 300000", int(1000 * median(all["batch 8"])))
		row("data keys made a second, 1,000 a request, 8 connections", "", int(1000 * median(all["generate 8"])))
		row(scopes " scopes registered, s", "< 60", decimal(all["register"] / 1000))
		row("scopes rewrapped a second", ">= 30000", int(scopes * 1000 / all["rewrap"]))
		row("status, ms", "< 50", decimal(all["status"] * 1000))
		row("first opening after the key was forgotten, ms", "", decimal(median(all["first"]) / 1000))
		row("of it, without the owners\047 dual unwrap, ms", "<= 1", decimal((median(all["first"]) - median(all["owners"])) / 1000))
		row("depd resident, MB", "< 100", decimal(memory))
	}' "$T/results"
bench_end
