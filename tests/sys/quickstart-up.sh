#!/bin/sh
# ./quickstart up and down: twice is harmless, after a kill -9 of any of the three daemons up picks up where it was.
. "$SRCDIR/tests/support/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL CUSTODY_SOCKET
# The longest directory that there may be: 85 characters.
D=$T/$(printf "%0$((84 - ${#T}))d" 0)

quickstart() {
	BUILD=$BUILDDIR "$SRCDIR/quickstart" "$@" </dev/null
}

# daemon [FOLDER/]PROGRAM: what runs that configuration, "" for nothing.
daemon() {
	grep -lzxF -e "$D/$1.conf" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		case $(tr '\0' ' ' 2>/dev/null <"$file") in
		*/custodyd\ * | */depd\ *) echo "$file" | cut -d / -f 3 ;;
		esac
	done
}

daemons() {
	for program in custodyd service/custodyd depd; do
		echo "$program $(daemon $program)"
	done
}

nothing="custodyd
service/custodyd
depd"

# shellcheck disable=SC2317 # called by the trap
stop_all() {
	for pid in $(daemons | cut -s -d ' ' -f 2); do
		kill -KILL "$pid"
	done
	for log in "$D/log/custodyd.log" "$D/service/log/custodyd.log" "$D/log/depd.log" "$BUILDDIR/logs/up.log"; do
		[ "$tap_failed" -eq 0 ] || show_file "$log"
	done
	cleanup
}
trap stop_all EXIT

# killed PROGRAM...: by kill -9; then up goes on where it was, and has left the others alone.
killed() {
	daemons >"$T/before"
	for program in "$@"; do
		victim=$(daemon "$program")
		kill -KILL "$victim"
		wait_for test ! -e "/proc/$victim" || bail "$program lives"
	done
	quickstart up "$D" >"$T/exports2" 2>"$T/up.log"
	tap_is "up after kill -9 of $*" 0 $?
	tap_is "says the same" "" "$(diff "$T/exports" "$T/exports2")"
	daemons >"$T/after"
	tap_is "and started nothing else" "$*" "$(diff "$T/before" "$T/after" | sed -n 's/^> \(.*\) [0-9][0-9]*$/\1/p' | tr '\n' ' ' | sed 's/ $//')"
}

tap_exits "down before anything was up" 1 quickstart down "$D"
quickstart up "$D" >"$T/exports" 2>"$T/up.log"
tap_is "up" 0 $?
tap_is "the sockets are exported first, and nothing else is said" \
	"export CUSTODY_SOCKET=$D/custodyd.sock export DEPD_SOCKET=$D/depd.sock export PATH=" \
	"$(sed 's/PATH=.*/PATH=/' "$T/exports" | tr '\n' ' ' | sed 's/ $//')"
for path in custodyd.sock custodyd.conf log tokens/west tokens/east depd.sock depd.conf service/custodyd.sock \
	service/custodyd.conf service/log service/tokens/sw service/tokens/se; do
	tap_ok "there is $path" test -e "$D/$path"
done
mine() {
	# shellcheck disable=SC1090,SC1091 # what is to be tested
	(. "$T/exports" && "$@")
}
for vault in contosowestus contosocentralus; do
	tap_is "the caller has every key permission on $vault" "$(grep -c '^PERMISSION(' "$SRCDIR/src/custodyd/perm.tbl")" \
		"$(mine custodyctl keyvault show --name $vault | jq '.properties.accessPolicies[0].permissions.keys | length')"
	tap_ok "and makes a key there" mine custodyctl key create --vault-name $vault --name root --kty oct
	tap_ok "protects it" mine custodyctl keyvault update --name $vault --enable-purge-protection true
	for application in 00000002-0000-0ff1-ce00-000000000000 00000003-0000-0ff1-ce00-000000000000 c066d759-24ae-40e7-a56f-027002b5d3e4; do
		tap_ok "lets the application $application use it" mine custodyctl keyvault set-policy --name $vault --spn $application \
			--key-permissions get wrapKey unwrapKey
	done
done
tap_is "both tokens are ready" "ready ready" "$(mine custodyctl token list -o tsv | cut -f 3 | tr '\n' ' ' | sed 's/ $//')"
west=https://contosowestus.vault.azure.net/keys/root
east=https://contosocentralus.vault.azure.net/keys/root
for kind in m365 mailbox; do
	tap_ok "a policy of kind $kind" mine depctl $kind policy create --name made --key $west --key $east
done
tap_ok "for the tenant" mine depctl m365 assignment set made
for kind in mailbox workload cloudpc; do
	echo '{"id":"teams"}' >"$T/scope"
	tap_ok "a scope of kind $kind" mine depctl scope register --kind $kind --in "$T/scope"
done
daemons >"$T/before"
tap_ok "up again" quickstart up "$D"
tap_is "leaves the same daemons" "$(cat "$T/before")" "$(daemons)"
killed custodyd
tap_ok "the keys are there" mine custodyctl key show --vault-name contosowestus --name root
tap_ok "and are used" mine custodyctl dual generate --key $west --key $east --out "$T/key" --envelope "$T/envelope"
killed service/custodyd depd
mine depctl datakey generate --kind mailbox --scope teams >"$T/datakey"
tap_ok "down" quickstart down "$D"
tap_is "nothing runs" "$nothing" "$(daemons | sed 's/ $//')"
tap_ok "down again" quickstart down "$D"
tap_ok "up after down" quickstart up "$D"
tap_ok "opens what was made before" mine custodyctl dual unwrap --in "$T/envelope" --out "$T/key2"
tap_ok "to the same key" cmp "$T/key" "$T/key2"
tap_is "and the key of the mailbox" "$(jq -r .plaintext "$T/datakey")" \
	"$(mine depctl datakey unwrap --kind mailbox --scope teams --wrapped "$(jq -r .wrapped "$T/datakey")" | jq -r .plaintext)"
kill -KILL "$(daemon custodyd)"
tap_ok "down when one of them is dead" quickstart down "$D"
tap_is "ends the others" "$nothing" "$(daemons | sed 's/ $//')"
sed -i 's/^administrators = .*/administrators = user:nobody/' "$D/custodyd.conf"
quickstart up "$D" >"$T/wrong.out" 2>"$T/wrong.err"
tap_is "up with a wrong configuration" 1 $?
tap_ok "says what is wrong with it" grep -q 'administrators.*nobody' "$T/wrong.err"
tap_is "and exports nothing" "" "$(cat "$T/wrong.out")"
tap_exits "a path that would break the configuration" 1 quickstart up "$T/a b"
tap_exits "a path that is too long for a socket in it" 1 quickstart up "${D}0"

# A copy that another user may read. What is not installed, and who he is, is said before anything is built.
mkdir "$T/clone" "$T/bin"
cp -r "$SRCDIR/quickstart" "$SRCDIR/packages.txt" "$SRCDIR/demo" "$T/clone"
# shellcheck disable=SC2016 # for the stub
printf '#!/bin/sh\n[ "$4" = softhsm2 ] || echo installed\n' >"$T/bin/dpkg-query"
printf '#!/bin/sh\nexit 99\n' >"$T/bin/apt-get"
chmod -R 755 "$T/clone" "$T/bin"
chmod 711 "$T"
stranger() {
	PATH=$T/bin:$PATH BUILD=$T/stranger/build setpriv --reuid "$1" --regid 12345 --clear-groups "$T/clone/quickstart" "$2" \
		</dev/null >"$T/stranger.out" 2>&1
}
mkdir -m 777 "$T/stranger"
if [ "$(id -u)" -eq 0 ]; then
	stranger 12345 "$T/clone"
	tap_is "a user without a package" 1 $?
	tap_is "is told the line, and nothing else" "Run this line as root, then start again: apt-get update && apt-get install -y --no-install-recommends softhsm2" \
		"$(sed 's/^Some packages are missing. //' "$T/stranger.out" | tr -s '\n ' ' ' | sed 's/ $//')"
	sed -i 's/ softhsm2 / none /' "$T/bin/dpkg-query"
	stranger 12345 "$T/clone"
	tap_is "a user without a name" 1 $?
	tap_like "is told" "*permissions are given to names*" "$(cat "$T/stranger.out")"
fi
tap_done
