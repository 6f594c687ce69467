#!/bin/sh
# custodyctl killed or interrupted in the middle leaves no half of a result (threats E22).
. "$SRCDIR/tests/support/lib.sh"
world_start
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct >"$T/create.log" 2>&1 || bail "$(cat "$T/create.log")"
done
seal() {
	ctl seal --key https://contosowestus.vault.azure.net/keys/root \
		--key https://contosocentralus.vault.azure.net/keys/root "$@"
}
mkdir "$T/out" "$T/in"
random_octets 4000000 >"$T/in/data"
seal --out "$T/file.sealed" "$T/in/data" || bail "no file was sealed"
seal --out "$T/tree.sealed" "$T/in" || bail "no tree was sealed"

# slow FILE OUT SIGNAL: opens FILE from a pipe that stops in its middle, and kills it there.
slow() {
	mkfifo "$T/pipe"
	CUSTODY_SOCKET=$T/custodyd.sock "$CUSTODYCTL" open --out "$2" - <"$T/pipe" 2>"$T/slow.err" &
	slow_pid=$!
	{
		head -c 3000000 "$1"
		kill -"$3" $slow_pid
		[ "$3" = KILL ] || tail -c +3000001 "$1" # lets it come round and see
	} >"$T/pipe" 2>/dev/null
	wait $slow_pid
	slow_status=$?
	rm "$T/pipe"
}

slow "$T/file.sealed" "$T/out/file" KILL
tap_is "killed with a file half open" 137 $slow_status
tap_is "nothing is there" "" "$(ls -A "$T/out")"
slow "$T/file.sealed" "$T/out/file" TERM
tap_is "stopped with a file half open" 143 $slow_status
tap_is "nothing is there" "" "$(ls -A "$T/out")"
slow "$T/tree.sealed" "$T/out/tree" TERM
tap_is "stopped with a tree half open" 143 $slow_status
tap_like "it says so" "*Stopped before the end*" "$(cat "$T/slow.err")"
tap_is "nothing is there" "" "$(ls -A "$T/out")"
tap_ok "undisturbed, the file opens" ctl open --out "$T/out/file" "$T/file.sealed"
tap_ok "and the tree" ctl open --out "$T/out/tree" "$T/tree.sealed"
tap_done
