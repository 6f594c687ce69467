#!/bin/sh
# Resident memory and start of custodyd with 10,000 keys in its catalog. One RSA-3072 key is made by the daemon; its row is copied
# under other names and ids by sqlite3 while the daemon is stopped. All of them are then read once, so that every cache is full.
. "$SRCDIR/tests/bench/bench.sh"
KEYS=${BENCH_KEYS:-10000}

bench_begin "Footprint with $KEYS keys in the catalog ($ROUNDS starts)"
world_start
key_make $WEST first '{"kty":"RSA","key_size":3072}'

# resident PID: MB, and the process's highest.
resident() {
	awk '/^VmRSS/ { now = $2 } /^VmHWM/ { peak = $2 } END { printf "%.1f %.1f\n", now / 1024, peak / 1024 }' "/proc/$1/status"
}

few=$(resident "$(daemon_pid)")
daemon_stop || bail "custodyd did not stop"
sqlite3 "$T/custody.db" >"$T/sqlite3.log" 2>&1 <<END_OF_SQL || bail "sqlite3: $(cat "$T/sqlite3.log")"
BEGIN;
CREATE TEMP TABLE number AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $KEYS - 1) SELECT n FROM n;
INSERT INTO key (vault, name, state, created) SELECT k.vault, 'key-' || number.n, k.state, k.created FROM key k, number WHERE k.name = 'first';
INSERT INTO version (id, key, sequence, kty, curve, bits, ops_born, ops, enabled, created, updated, tags, spki, fingerprint, attestation, provenance, state, gcm_count)
SELECT randomblob(16), copy.id, 1, kty, curve, bits, ops_born, ops, enabled, v.created, updated, tags, spki, fingerprint, attestation, provenance, v.state, gcm_count
FROM version v JOIN key k ON k.id = v.key, key copy WHERE k.name = 'first' AND copy.name LIKE 'key-%';
COMMIT;
END_OF_SQL

number=1
while [ "$number" -lt "$KEYS" ]; do
	request /dev/stdout GET "/keys/key-$number" $WEST
	number=$((number + 1))
done >"$T/gets.http"

round=0
while [ "$round" -lt "$ROUNDS" ]; do
	[ "$round" -eq 0 ] || daemon_stop || bail "custodyd did not stop"
	start=$(date +%s%N)
	daemon_start || bail "custodyd did not start"
	echo "start|$((($(date +%s%N) - start) / 1000000))" >>"$T/results"
	round=$((round + 1))
done
if ! token_is west ready || ! token_is east ready; then
	bail "the tokens are not ready"
fi
fresh=$(resident "$(daemon_pid)")
load 8 "$T/gets.http" 0 >"$T/gets.log"
echo "get|$(cut -d ' ' -f 1 "$T/gets.log")" >>"$T/results"

awk -F '|' -v few="$few" -v fresh="$fresh" -v read="$(resident "$(daemon_pid)")" "$MEDIAN"'
	{ all[$1] = all[$1] " " $2 }
	END {
		split(few, f, " "); split(fresh, n, " "); split(read, r, " ")
		printf "\n%-58s %8s %8s\n", "", "aim", "here"
		printf "%-58s %8s %8s\n", "custodyd resident, one key, MB", "", f[1]
		printf "%-58s %8s %8s\n", "with all keys, after its start, MB", "< 30", n[1]
		printf "%-58s %8s %8s\n", "after every key was read once, MB", "< 30", r[1]
		printf "%-58s %8s %8s\n", "its highest, MB", "", r[2]
		printf "%-58s %8s %8d\n", "from its start until both tokens are ready, ms", "< 2000", median(all["start"])
		printf "%-58s %8s %8d\n", "get key, none of them cached, a second", "", median(all["get"])
	}' "$T/results"
bench_end
