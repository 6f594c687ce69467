#!/bin/sh
# Sealed files that were cut at a segment's end, reordered, mixed with another file of the same keys, or given another header do not open, and
# leave nothing; a rewrapped envelope is the only part that may be exchanged (threats E22).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
segment=1048576
for name in a b; do
	random_octets 2200000 >"$T/$name"
	ctl seal --key "$WEST_KID" --key "$EAST_KID" "$T/$name" >"$T/seal.log" 2>&1 || bail "seal: $(cat "$T/seal.log")"
done
# Layout: 44 octets of context, 4 of length, the envelope, then segments of 1 MiB each, the first with its header of 40 octets.
start_of() {
	echo $((48 + 0x$(tail -c +45 "$1" | head -c 4 | hex)))
}
part() { # FILE SEGMENT: octets of one
	tail -c +$(($(start_of "$1") + $2 * segment + 1)) "$1" | head -c $segment
}
head_of() {
	head -c "$(start_of "$1")" "$1"
}
# refused DESCRIPTION: $T/x.sealed does not open.
refused() {
	tap_exits "$1" 3 ctl open --out "$T/x" "$T/x.sealed"
	tap_ok "and leaves nothing" test ! -e "$T/x"
}
a=$T/a.sealed
b=$T/b.sealed
tap_ok "whole, it opens" ctl open --out "$T/x" "$a"
tap_ok "to the same" cmp "$T/a" "$T/x"
rm "$T/x"
for count in 0 1 2; do
	head -c $(($(start_of "$a") + count * segment)) "$a" >"$T/x.sealed"
	refused "cut after $count segments"
done
head -c $(($(start_of "$a") + 40)) "$a" >"$T/x.sealed"
refused "cut after the stream's header"
head -c 48 "$a" >"$T/x.sealed"
refused "cut before the envelope"
: >"$T/x.sealed"
refused "an empty file"
{ head_of "$a"; part "$a" 0; part "$a" 2; part "$a" 1; } >"$T/x.sealed"
refused "segments in another order"
{ head_of "$a"; part "$a" 0; part "$a" 2; } >"$T/x.sealed"
refused "a segment left out"
{ head_of "$a"; part "$a" 0; part "$a" 1; part "$a" 1; part "$a" 2; } >"$T/x.sealed"
refused "a segment twice"
{ cat "$a"; part "$a" 2; } >"$T/x.sealed"
refused "the last segment twice"
{ cat "$a"; printf x; } >"$T/x.sealed"
refused "an octet behind it"
{ head_of "$a"; part "$a" 0; part "$b" 1; part "$a" 2; } >"$T/x.sealed"
refused "a segment of another file"
{ head_of "$a"; part "$b" 0; part "$b" 1; part "$b" 2; } >"$T/x.sealed"
refused "another file's stream under this header"
{ head -c 44 "$a"; head_of "$b" | tail -c +45; part "$b" 0; part "$b" 1; part "$b" 2; } >"$T/x.sealed"
refused "another file's everything but the file id"
{ head -c 42 "$a"; printf '\002'; tail -c +44 "$a"; } >"$T/x.sealed"
refused "a file said to be a tree"

head_of "$a" | tail -c +49 >"$T/envelope"
dual rewrapkey "$T/envelope" "$(head -c 44 "$a" | b64_of)"
tap_is "its envelope is rewrapped in its context" 200 "$HTTP_STATUS"
jq -cj .envelope "$T/body" >"$T/rewrapped"
length=$(printf '%08x' "$(wc -c <"$T/rewrapped")")
{ head -c 44 "$a"; unhex "$length"; cat "$T/rewrapped"; part "$a" 0; part "$a" 1; part "$a" 2; } >"$T/x.sealed"
tap_ok "and takes the old one's place" ctl open --out "$T/x" "$T/x.sealed"
tap_ok "the same" cmp "$T/a" "$T/x"
tap_done
