#!/bin/sh
# Pipes of any length in constant memory, and what a person at a terminal sees of it (threats E22).
. "$SRCDIR/tests/support/lib.sh"
world_start
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct >"$T/create.log" 2>&1 || bail "$(cat "$T/create.log")"
done
keys="--key https://contosowestus.vault.azure.net/keys/root --key https://contosocentralus.vault.azure.net/keys/root"
export CUSTODY_SOCKET="$T/custodyd.sock"

# The most memory that a process ever had, in KiB.
peak() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

mkfifo "$T/plain" "$T/sealed" "$T/opened"
# shellcheck disable=SC2086 # a list
"$CUSTODYCTL" seal $keys - <"$T/plain" >"$T/sealed" &
seal_pid=$!
"$CUSTODYCTL" open - <"$T/sealed" >"$T/opened" &
open_pid=$!
sha256sum <"$T/opened" >"$T/sum" &
sum_pid=$!
{
	head -c 20000000 /dev/zero
	echo "$(peak $seal_pid) $(peak $open_pid)" >"$T/before"
	head -c 300000000 /dev/zero
	echo "$(peak $seal_pid) $(peak $open_pid)" >"$T/after"
} >"$T/plain"
wait $seal_pid
tap_is "a long pipe is sealed" 0 $?
wait $open_pid
tap_is "and opened" 0 $?
wait $sum_pid
tap_is "the same" "$(head -c 320000000 /dev/zero | sha256sum)" "$(cat "$T/sum")"
read -r seal_before open_before <"$T/before"
read -r seal_after open_after <"$T/after"
diag "KiB: sealing $seal_before, then $seal_after; opening $open_before, then $open_after"
tap_ok "sealing takes no more memory after 300 MB more" test $((seal_after - seal_before)) -lt 16384
tap_ok "nor does opening" test $((open_after - open_before)) -lt 16384

# seen COMMAND: what it shows on a terminal is in $T/seen; its exit status.
seen() {
	script -q -e -c "$1" "$T/typescript" </dev/null >"$T/seen"
}
cd "$T" || bail "no $T"
head -c 5000000 /dev/zero >"$T/file"
seen "'$CUSTODYCTL' seal $keys file"
tap_is "a file is sealed on a terminal" 0 $?
tap_like "with a progress bar that knows its length" "*%*of 4 MiB*MiB/s*" "$(cat "$T/seen")"
seen "'$CUSTODYCTL' open -o out file.sealed"
tap_like "so is opening" "*%*of 4 MiB*MiB/s*" "$(cat "$T/seen")"
truncate -s -1 file.sealed
seen "'$CUSTODYCTL' open -o none file.sealed"
tap_is "damage is found" 3 $?
# The bar may not have been drawn yet; if it was, it is taken away first.
tap_like "and told on a line of its own" "custodyctl open: The sealed content is damaged*" "$(sed "s/.*$(printf '\r\033')\[K//" "$T/seen")"
# shellcheck disable=SC2086
"$CUSTODYCTL" seal $keys --force file 2>"$T/quiet" || bail "the file was not sealed"
tap_is "elsewhere there is none" "" "$(cat "$T/quiet")"
seen "'$CUSTODYCTL' seal $keys -"
tap_is "sealed content is not for a terminal" 2 $?
seen "'$CUSTODYCTL' open -o - file.sealed"
tap_is "nor is what was sealed" 2 $?

# stopped by the keyboard: the shell must see it
random_octets 3000000 >"$T/input"
mkfifo "$T/slow"
# shellcheck disable=SC2086
"$CUSTODYCTL" seal $keys -o stopped - <"$T/slow" 2>"$T/stopped.err" &
stopped_pid=$!
{
	cat "$T/input"
	kill -TERM $stopped_pid
	cat "$T/input"
} >"$T/slow" 2>/dev/null
wait $stopped_pid
tap_is "it ends by the signal" 143 $?
tap_like "says so" "*Stopped before the end*" "$(cat "$T/stopped.err")"
tap_is "and leaves nothing" "" "$(find "$T" -name 'stopped*' ! -name '*.err')"
tap_done
