#!/bin/sh
# Trees of everything that a file system has: what comes back, for whom, what is left out and what is refused (threats E22).
. "$SRCDIR/tests/support/lib.sh"
world_start
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct >"$T/create.log" 2>&1 || bail "$(cat "$T/create.log")"
	ctl keyvault set-policy --name $vault --user daemon --key-permissions get wrapKey unwrapKey >"$T/policy.log" 2>&1 ||
		bail "$(cat "$T/policy.log")"
done
keys="--key https://contosowestus.vault.azure.net/keys/root --key https://contosocentralus.vault.azure.net/keys/root"
# shellcheck disable=SC2086 # a list
seal() {
	ctl seal $keys "$@"
}
# The program where everybody may run it, and a place where everybody may write.
mkdir "$T/bin" "$T/shared" "$T/coverage"
cp "$BUILDDIR/src/ctl/.libs/custodyctl" "$BUILDDIR/src/lib/.libs/libcustody.so.0" "$T/bin" || bail "no custodyctl"
chmod 711 "$T"
chmod -R 755 "$T/bin"
chmod 1777 "$T/shared" "$T/coverage" # the second for builds that count what was run
cd "$T/shared" || bail "no $T/shared"
as_daemon() {
	setpriv --reuid 1 --regid 1 --clear-groups \
		env CUSTODY_SOCKET="$T/custodyd.sock" GCOV_PREFIX="$T/coverage" LD_LIBRARY_PATH="$T/bin" "$T/bin/custodyctl" "$@"
}

mkdir -p tree/sub/deeper tree/closed
echo text >tree/file
ln tree/file tree/sub/hard
ln -s ../file tree/sub/link
ln -s /nonexistent/target tree/dangling
: >tree/empty
truncate -s 5000000 tree/sparse
echo end >>tree/sparse
: >"tree/$(printf '%0250d' 1)"
: >"$(printf 'tree/not UTF-8 \377\376\n')"
mkfifo tree/fifo
chown 123:123 tree/file
chmod 4751 tree/file
touch -h -d 2001-02-03T04:05:06.789 tree/empty tree/dangling tree/sub
chmod 500 tree/closed

seal tree 2>"$T/seal.err"
tap_is "the tree is sealed" 0 $?
tap_is "and what is left out is told" "custodyctl seal: warning: devices, sockets and FIFOs are not sealed; 1 left out." \
	"$(cat "$T/seal.err")"
rm tree/fifo
tap_ok "root opens it" ctl open -o opened tree.sealed
tap_ok "the same" diff -r --no-dereference tree opened
tap_is "one file with two names" 2 "$(stat -c %h opened/sub/hard)"
tap_is "without set-user-ID" "751 root" "$(stat -c '%a %U' opened/file)"
list() {
	(cd "$1" && find . ! -name file ! -name hard -printf '%y %m %s %T@ %p -> %l\n' | sort)
}
tap_is "modes, times, lengths and links of all others" "$(list tree | grep -v '^d.* \. ->')" "$(list opened | grep -v '^d.* \. ->')"
chmod 644 tree.sealed
tap_ok "somebody else opens it, with permission on the keys" as_daemon open -o theirs tree.sealed
tap_ok "the same" diff -r --no-dereference tree theirs
tap_is "all of it his" "" "$(find theirs ! -user 1)"

# what cannot be read is told by its name, and nothing is made
umask 022
chmod -R a+rX tree
chmod 700 tree/closed
# shellcheck disable=SC2086
as_daemon seal $keys -o unreadable.sealed tree 2>"$T/unreadable.err"
tap_is "a directory that cannot be read" 3 $?
tap_like "is named" "custodyctl seal: *tree/closed*[[]FileError]" "$(cat "$T/unreadable.err")"
chmod 755 tree/closed
chmod 600 tree/file
# shellcheck disable=SC2086
as_daemon seal $keys -o unreadable.sealed tree 2>"$T/unreadable.err"
tap_is "a file that cannot be read" 3 $?
tap_like "is named, or its other name" "custodyctl seal: *tree/*Permission denied. [[]FileError]" "$(cat "$T/unreadable.err")"
tap_ok "and there is no output" test ! -e unreadable.sealed
as_daemon open -o /nonexistent/out tree.sealed 2>"$T/out.err"
tap_like "a target that cannot be made is named" "*/nonexistent/out cannot be made: No such file*" "$(cat "$T/out.err")"

# names that are none
for path in . .. tree/. tree/..; do
	tap_exits "seal $path asks for a name" 2 seal $path
done
# shellcheck disable=SC2317 # run by tap_ok
here() {
	(cd tree && seal -o ../here.sealed .)
}
tap_ok "or takes one" here
tap_exits "a link to a directory is not the directory" 3 seal -o link.sealed /proc/self/cwd
tap_exits "the output in the tree is not in itself" 0 seal -o tree/self.sealed tree
tap_is "and is no loss to be told" "" "$(seal --force -o tree/self.sealed tree 2>&1)"

# a write that fails in the middle
(
	trap '' XFSZ
	ulimit -f 1000 # blocks of 512 octets
	ctl open -o limited tree.sealed
) 2>"$T/limited.err"
tap_is "a tree too large for its place" 3 $?
tap_like "says so" "*File too large*" "$(cat "$T/limited.err")"
tap_ok "and leaves nothing" test ! -e limited
head -c 3000000 tree/sparse >large
seal large || bail "large was not sealed"
(
	trap '' XFSZ
	ulimit -f 1000
	ctl open -o limited large.sealed
) 2>"$T/limited.err"
tap_is "so does a file" 3 $?
tap_is "of which nothing is left" "" "$(find . -name '*limited*')"
ctl open --out - large.sealed >/dev/full 2>"$T/full.err"
tap_is "a full disk is unavailable" 5 $?
tap_like "and tells what to do" "*The disk is full; free space*" "$(cat "$T/full.err")"
tap_done
