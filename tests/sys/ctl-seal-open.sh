#!/bin/sh
# What custodyctl seals opens with both tokens, and with either one; it says which is missing, and why nothing opens.
. "$SRCDIR/tests/support/lib.sh"
world_start
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct >"$T/create.log" 2>&1 || bail "$(cat "$T/create.log")"
done
west=$(ctl key show --vault-name contosowestus --name root | jq -r .key.kid)
east=https://contosocentralus.vault.azure.net/keys/root # without a version: the daemon pins the newest
mkdir -p "$T/data/sub"
random_octets 3000000 >"$T/data/large"
: >"$T/data/empty"
echo 'two words' >"$T/data/sub/a file with blanks"
ln -s sub/none "$T/data/dangling"
chmod 640 "$T/data/large"
seal() {
	ctl seal --key "$west" --key "$east" "$@"
}

tap_ok "a directory is sealed" seal "$T/data"
tap_is "to its name with .sealed" 600 "$(stat -c %a "$T/data.sealed")"
tap_exits "which is not replaced" 3 seal "$T/data"
tap_ok "but by force" seal --force "$T/data"
tap_ok "and opened" ctl open --out "$T/opened" "$T/data.sealed"
tap_ok "the same" diff -r --no-dereference "$T/data" "$T/opened"
tap_is "with its modes" 640 "$(stat -c %a "$T/opened/large")"
tap_exits "not over what is there" 3 ctl open --out "$T/opened" "$T/data.sealed"
tap_exits "not with another context" 3 ctl open --context x --out "$T/other" "$T/data.sealed"

seal --context 'mail 7' - <"$T/data/large" >"$T/stream"
tap_is "a stream is sealed" "$(sha256sum <"$T/data/large")" "$(ctl open --context 'mail 7' - <"$T/stream" | sha256sum)"

head -c 2000000 "$T/stream" >"$T/cut.sealed"
tap_exits "cut content does not open" 3 ctl open --context 'mail 7' "$T/cut.sealed"
tap_ok "and leaves no file" test ! -e "$T/cut"
ctl open --context 'mail 7' --out - "$T/cut.sealed" >"$T/part" 2>"$T/part.err"
tap_is "on standard output the exit status tells" 3 $?
tap_like "and a warning" "*is a part: throw it away*" "$(cat "$T/part.err")"
tap_ok "that what came out is the genuine beginning" \
	cmp -n "$(stat -c %s "$T/part")" "$T/part" "$T/data/large"

# E9, architecture: either token alone is enough
token_lose west
kill -KILL "$(worker_pid west)"
wait_for token_is west unavailable || wait_for token_is west refused || diag "west is $(token_state west)"
rm -rf "$T/opened"
ctl open --out "$T/opened" "$T/data.sealed" 2>"$T/open.err"
tap_is "with token west gone it opens" 0 $?
tap_like "and says so" "*degraded: only https://contosocentralus*" "$(cat "$T/open.err")"
tap_ok "the same" diff -r --no-dereference "$T/data" "$T/opened"

ctl key delete --vault-name contosocentralus --name root --yes >/dev/null 2>&1
tap_exits "with the other key deleted it does not: unavailable" 5 ctl open --out "$T/none" "$T/data.sealed"
tap_ok "and nothing is there" test ! -e "$T/none"
ctl key recover --vault-name contosocentralus --name root >/dev/null 2>&1
tap_ok "recovered, it opens again" ctl open --out "$T/none" "$T/data.sealed"
tap_done
