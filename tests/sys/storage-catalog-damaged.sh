#!/bin/sh
# Bytes of the catalog flipped, page for page: the daemon does not start, or serves what verifies, or refuses; never a wrong key,
# never a crash, and with the file put right everything is there (threats D6).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
token_make west
daemon_start || bail "no start"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "west"
vault_make $WEST west
key_make $WEST k '{"kty":"EC"}'
kid=$KID
http GET /keys/k $WEST
json .key >"$T/key"
daemon_stop
cp -p "$T/custody.db" "$T/whole"
cp -p "$T/log/audit.jsonl" "$T/audit"
whole() {
	rm -f "$T"/custody.db-*
	cp -p "$T/whole" "$T/custody.db"
	cp -p "$T/audit" "$T/log/audit.jsonl"
}
page=$(sqlite3 "$T/custody.db" 'PRAGMA page_size')
pages=$(($(stat -c %s "$T/custody.db") / page))
tap_ok "the catalog has pages" test "$pages" -gt 10

starts=0 refusals=0 served=0 wrong='' crashed=''
# Every third page here, with and without its head: rows are at the end of a page, and only they can verify where they lie.
number=1
while [ $number -lt "$pages" ]; do
	whole
	offset=$((number * page + page - 20 - number))
	[ $((number % 2)) -eq 0 ] || offset=$((number * page + 3))
	printf '\125' | dd of="$T/custody.db" bs=1 seek=$offset conv=notrunc status=none
	if daemon_start; then
		starts=$((starts + 1))
		http GET /keys/k $WEST
		case $HTTP_STATUS in
		200)
			served=$((served + 1))
			[ "$(json .key)" = "$(cat "$T/key")" ] || wrong="$wrong $number"
			;;
		4?? | 503) ;;
		*) crashed="$crashed $number:$HTTP_STATUS" ;;
		esac
		http POST /keys/new/create $WEST '{"kty":"EC"}'
		case $HTTP_STATUS in
		200 | 4?? | 503) ;;
		*) crashed="$crashed $number:$HTTP_STATUS" ;;
		esac
		daemon_stop
		[ "$(cat "$T/custodyd.exit")" = 0 ] || crashed="$crashed $number:exit$(cat "$T/custodyd.exit")"
	else
		status=$?
		refusals=$((refusals + 1))
		[ $status = 1 ] || crashed="$crashed $number:$status"
		tail -n 1 "$T/custodyd.log" | grep -q '^<3>start.failed error=\(CatalogIntegrity\|ConfigError\|StorageError\) ' ||
			crashed="$crashed $number:$(tail -n 1 "$T/custodyd.log")"
	fi
	number=$((number + 3))
done
tap_is "no wrong key was ever shown" "" "$wrong"
tap_is "nothing crashed, every refusal was said" "" "$crashed"
diag "$starts starts, $refusals refusals, $served times the key was served"
tap_ok "damage was found" test $refusals -gt 0
tap_ok "and what verifies is served" test $served -gt 0
whole
daemon_start
tap_is "put right again, it starts" 0 $?
answers "and has its keys" 200 GET "$(kid_path "$kid")" $WEST
tap_done
