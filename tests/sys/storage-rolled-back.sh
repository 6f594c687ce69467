#!/bin/sh
# An old catalog put back, its WAL removed, a copy without it, none at all: the audit is ahead, and the daemon does not start;
# a permission that was taken away does not come back silently (threats D8, D16).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
token_make west
daemon_start || bail "no start"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "west"
vault_make $WEST west
key_make $WEST k '{"kty":"oct"}'
policy_set $WEST user:daemon get unwrapKey

# keep DIRECTORY, put_back DIRECTORY: the catalog's files as they are.
keep() {
	mkdir "$T/$1" && cp -p "$T"/custody.db* "$T/$1"
}
put_back() {
	rm -f "$T"/custody.db "$T"/custody.db-*
	cp -p "$T/$1"/custody.db* "$T"
}

# ahead DESCRIPTION: the start is refused, and says why.
ahead() {
	timeout "$DEADLINE" "$CUSTODYD" --config "$T/custodyd.conf" >"$T/refused.log" 2>&1
	ahead_status=$?
	tap_like "$1: refused, and it says why" \
		"1:*error=CatalogIntegrity class=integrity message=\"The catalog is older than the audit: its change *, the audit knows of *. An old copy was put back.\"*" \
		"$ahead_status:$(cat "$T/refused.log")"
}

keep before
policy_delete $WEST user:daemon
daemon_kill
keep after
tap_ok "killed, its changes are in the WAL" test -s "$T/custody.db-wal"
put_back before
ahead "the catalog of before a permission was taken away"
put_back after
rm "$T/custody.db-wal"
ahead "without its WAL"
put_back after
rm "$T/custody.db-wal" "$T/custody.db-shm"
ahead "without WAL and shared memory"
rm -f "$T"/custody.db "$T"/custody.db-*
ahead "no catalog at all"
rm -f "$T"/custody.db "$T"/custody.db-*
cp -p "$T/after/custody.db" "$T/after/custody.db-wal" "$T"
daemon_start
tap_is "with its WAL, it starts: shared memory is made anew" 0 $?
http GET "/vaults/$WEST" ""
tap_is "and the permission is gone" 0 "$(json '[.accessPolicies[] | select(.principal == "user:daemon")] | length')"
answers "the key is there" 200 GET /keys/k $WEST

# a plain copy under load lacks what was in the WAL
for name in a b c; do
	key_make $WEST $name '{"kty":"oct"}'
done
cp -p "$T/custody.db" "$T/plain"
daemon_stop
keep clean
rm -f "$T"/custody.db "$T"/custody.db-*
cp -p "$T/plain" "$T/custody.db"
ahead "a plain copy made while it ran"
put_back clean
daemon_start
tap_is "its own catalog again, it starts" 0 $?
answers "with all keys" 200 GET /keys/c $WEST
tap_done
