#!/bin/sh
# depctl seal and open: files, trees and pipes under a scope. A data key moves with its scope; what was changed, cut, reordered or mixed does not
# open and leaves nothing (threats E22, G16, G17).
# shellcheck disable=SC2119,SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
need_root
dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
dc_as() { # UID ARGUMENT...
	dc_uid=$1
	shift
	someone "$dc_uid" env DEPD_SOCKET="$T/depd.sock" CUSTODY_SERVER_UID=0 "$BUILDDIR/src/ctl/depctl" "$@"
}
under_current() { # MAILBOX POLICY
	[ "$(dc mailbox show "$1" | jq -r .dataEncryptionPolicyID)" = "$(dc mailbox policy show "$2" | jq -r '.generations[-1].id')" ]
}
config_set workload-cloudpc principals "user:12345"
dep_world_start
dep_policy_world
policy_make mailbox USA
policy_make mailbox Europe
printf '{"id":"anna"}\n{"id":"bert"}\n{"id":"cold","state":"unencrypted"}\n' | dc mailbox register >"$T/out" 2>&1 ||
	bail "not registered: $(cat "$T/out")"
dc mailbox set anna --policy USA >"$T/out" 2>&1 || bail "not assigned: $(cat "$T/out")"
cd "$T" || bail "no $T"

# ---- a file, a tree, a pipe ----
seal() {
	dc seal --kind mailbox --scope anna "$@"
}
random_octets 2200000 >a
random_octets 2200000 >b
mkdir -p tree/sub
echo text >tree/sub/file
ln -s sub/file tree/link
for name in a b tree; do
	tap_ok "$name is sealed" seal "$name"
done
tap_is "and is not to be read" 0 "$(grep -c text tree.sealed)"
tap_ok "a file opens" dc open -o x a.sealed
tap_ok "to the same" cmp a x
tap_ok "a tree opens" dc open -o opened tree.sealed
tap_ok "to the same" diff -r --no-dereference tree opened
tap_is "a pipe goes through both" "$(sha256sum <a)" "$(seal - <a | dc open - | sha256sum)"
tap_is "so does nothing at all" "" "$(seal - </dev/null | dc open -)"
tap_exits "what is there is not replaced" 3 dc open -o x a.sealed
tap_ok "but by --force" dc open --force -o x a.sealed
rm x

# ---- who may not, and what is no scope ----
dc_as 12345 open - <a.sealed >out 2>err
tap_is "a workload of another kind" 4 $?
tap_like "is told so" "*[[]Access*" "$(cat err)"
tap_is "and gets nothing" "" "$(cat out)"
tap_ok "a scope in clear seals what is to be moved" dc seal --kind mailbox --scope cold a -o cold.sealed
tap_is "and goes on being in clear until that is reported" unencrypted "$(dc mailbox show cold | jq -r .state)"
dc seal --kind mailbox --scope 'nobody+1@x%41' a -o none 2>err
tap_like "nor has one that is not there" "*[[]ScopeNotFound]" "$(cat err)"
tap_exits "a scope is needed" 2 dc seal --kind mailbox a
tap_exits "and its kind" 2 dc seal --scope anna a
tap_ok "nothing of these is left" test ! -e none
ctl seal --key "$WEST_KID" --key "$EAST_KID" -o two a >out 2>&1 || bail "custodyctl seal: $(cat out)"
tap_exits "what two keys sealed is custodyctl's" 3 dc open -o x two
ctl open -o x a.sealed 2>err
tap_is "and what a scope sealed" 3 $?
tap_like "depctl's, as it says" "*depctl open opens it*" "$(cat err)"

# ---- damage (the layout is custody-sealed(5)'s) ----
segment=1048576
start_of() {
	echo $((48 + 0x$(tail -c +45 "$1" | head -c 4 | hex)))
}
part() { # FILE SEGMENT
	tail -c +$(($(start_of "$1") + $2 * segment + 1)) "$1" | head -c $segment
}
head_of() {
	head -c "$(start_of "$1")" "$1"
}
refused() { # DESCRIPTION
	tap_exits "$1" 3 dc open -o x x.sealed
	tap_is "and leaves nothing" "" "$(find . -name 'x' -o -name '.x*')"
}
a=a.sealed
b=b.sealed
for count in 0 1 2; do
	head -c $(($(start_of $a) + count * segment)) $a >x.sealed
	refused "cut after $count segments"
done
for count in 0 20 48 60; do
	head -c $count $a >x.sealed
	refused "cut after $count octets"
done
{ head_of $a; part $a 0; part $a 2; part $a 1; } >x.sealed
refused "segments in another order"
{ cat $a; part $a 2; } >x.sealed
refused "the last segment twice"
{ head_of $a; part $a 0; part $b 1; part $a 2; } >x.sealed
refused "a segment of another file of the scope"
{ head_of $a; part $b 0; part $b 1; part $b 2; } >x.sealed
refused "another file's stream under this header"
{ head -c 44 $a; tail -c +45 $b; } >x.sealed
refused "another file's data key and stream under this file id"
{ head -c 25 $b; tail -c +26 $a | head -c 16; tail -c +42 $b; } >x.sealed
refused "another file's data key id" # the first 16 octets of the file id are from 9 on
# A flipped bit, at every place of the header and the wrapped data key that differs in kind.
size=$(start_of $a)
for at in 0 8 9 24 25 40 41 42 43 47 48 49 51 52 56 72 88 $((size - 90)) $((size - 1)) $((size + 1)) $((size + 50)) 2000000; do
	{ head -c "$at" $a; unhex "$(printf '%02x' $((0x$(tail -c +$((at + 1)) $a | head -c 1 | hex) ^ 1)))"; tail -c +$((at + 2)) $a; } >x.sealed
	dc open -o x x.sealed 2>err
	[ $? -eq 3 ] && [ ! -e x ] && continue
	tap_fail "a bit flipped at $at"
	diag "$(cat err)"
done
tap_pass "a flipped bit is found wherever it is"

# ---- a data key moves with its scope ----
dc mailbox set anna --policy Europe >out 2>&1 || bail "not assigned: $(cat out)"
wait_for under_current anna Europe
tap_ok "under another policy it opens" dc open -o x a.sealed
tap_ok "to the same" cmp a x
dep_key "$EAST" root-east "$AES" >newer
dc mailbox policy refresh Europe >out 2>&1 || bail "not refreshed: $(cat out)"
wait_for under_current anna Europe
tap_ok "and under another generation" dc open --force -o x a.sealed
tap_ok "to the same" cmp a x
rm x

dep_stop
dc open --retries 0 -o x a.sealed 2>err
tap_is "without depd it is unavailable" 5 $?
tap_ok "and there is no output" test ! -e x
tap_done
