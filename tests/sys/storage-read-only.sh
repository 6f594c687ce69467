#!/bin/sh
# The file system turns read-only under load, as after a fault of its disk: nothing is answered without its record, no change is done, and
# when it can be written again custodyd goes on by itself (threats D13, D2). The kernel refuses to remount what somebody writes, so the
# calls on catalog and audit are made to fail as they would.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
audit=$T/log/audit.jsonl
key_make $EAST k '{"kty":"oct"}'
use $EAST k wrapkey A256KW "$(random_b64 32)"
printf '{"alg":"A256KW","value":"%s"}' "$(json .value)" >"$T/unwrap"

load() {
	while [ -e "$T/load" ]; do
		curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H "Host: $EAST.vault.azure.net" -H 'Authorization: Bearer test' \
			-H 'Content-Type: application/json' --data-binary "@$T/unwrap" -o "$T/opened" -w '%{http_code}\n' \
			"http://localhost/keys/k//unwrapkey?api-version=7.4" >>"$T/loaded"
	done
}
# shellcheck disable=SC2317 # run by wait_for
loaded() { # STATUS COUNT
	[ "$(grep -c "^$1$" "$T/loaded")" -gt "$2" ]
}
opened() {
	grep -c '"operation":"key.unwrap".*"outcome":"done"' "$audit"
}
catalog() {
	sqlite3 -readonly "$T/custody.db" 'SELECT name, state FROM key; SELECT hex(id), enabled FROM version; SELECT * FROM policy; SELECT * FROM intent'
}
calls=write,pwrite64,fdatasync,fallocate,ftruncate

: >"$T/load"
: >"$T/loaded"
load &
loader=$!
wait_for loaded 200 3 || bail "no load"
strace -p "$(daemon_pid)" -o "$T/trace" -P "$audit" -P "$T/custody.db-wal" -P "$T/custody.db" -e trace=$calls -e "inject=$calls:error=EROFS" 2>"$T/strace.err" &
tracer=$!
wait_for grep -qs attached "$T/strace.err" || bail "strace: $(cat "$T/strace.err")"
wait_for loaded 503 3 || bail "it goes on answering: $(sort "$T/loaded" | uniq -c)"
before=$(catalog)
while IFS='|' read -r what method path host body; do
	http "$method" "$path" "$host" "$body"
	tap_is "read-only: $what" 503 "$HTTP_STATUS"
done <<END
a use|POST|/keys/k//unwrapkey|$EAST|$(cat "$T/unwrap")
create|POST|/keys/new/create|$EAST|{"kty":"oct"}
delete|DELETE|/keys/k|$EAST|
a policy|PUT|/vaults/$EAST/policies/user:daemon||{"permissions":{"keys":["get"]}}
health|GET|/health||
END
tap_ok "it is in the log" log_has '^<[34]>audit.failed'
tap_is "nothing was done" "$before" "$(catalog)"
kill -TERM $tracer
wait $tracer
wait_for loaded 200 "$(grep -c '^200$' "$T/loaded")" || bail "it does not go on: $(tail -n 1 "$T/loaded")"
tap_pass "it goes on by itself when it can write"
rm "$T/load"
wait $loader
tap_is "each opened has its record" "$(grep -c '^200$' "$T/loaded")" "$(opened)"
answers "changes are made again" 200 POST /keys/new/create $EAST '{"kty":"oct"}'
answers "and the key is there" 200 GET /keys/k $EAST
tap_ok "the audit verifies" "$AUDIT_CHECK" "$audit"
tap_done
