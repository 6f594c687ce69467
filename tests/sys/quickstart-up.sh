#!/bin/sh
# ./quickstart up and down: twice is harmless, after a kill -9 of the daemon up picks up where it was.
. "$SRCDIR/tests/support/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL CUSTODY_SOCKET
D=$T/up

quickstart() {
	BUILD=$BUILDDIR "$SRCDIR/quickstart" "$@" </dev/null
}

# What runs our configuration, "" for nothing.
daemon() {
	grep -lzxF -e "$D/custodyd.conf" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		case $(tr '\0' ' ' 2>/dev/null <"$file") in
		*/custodyd\ *) echo "$file" | cut -d / -f 3 ;;
		esac
	done
}

# shellcheck disable=SC2317 # called by the trap
stop_all() {
	pid=$(daemon)
	[ -z "$pid" ] || kill -KILL "$pid"
	for log in "$D/log/custodyd.log" "$BUILDDIR/logs/up.log"; do
		[ "$tap_failed" -eq 0 ] || show_file "$log"
	done
	cleanup
}
trap stop_all EXIT

tap_exits "down before anything was up" 1 quickstart down "$D"
quickstart up "$D" >"$T/exports" 2>"$T/up.log"
tap_is "up" 0 $?
tap_is "the socket is exported first, and nothing else is said" "export CUSTODY_SOCKET=$D/custodyd.sock export PATH=" \
	"$(sed 's/PATH=.*/PATH=/' "$T/exports" | tr '\n' ' ' | sed 's/ $//')"
for path in custodyd.sock custodyd.conf log tokens/west tokens/east; do
	tap_ok "there is $path" test -e "$D/$path"
done
mine() {
	# shellcheck disable=SC1090,SC1091 # what is to be tested
	(. "$T/exports" && custodyctl "$@")
}
for vault in contosowestus contosocentralus; do
	tap_is "the caller has every key permission on $vault" 16 \
		"$(mine keyvault show --name $vault | jq '.properties.accessPolicies[0].permissions.keys | length')"
	tap_ok "and makes a key there" mine key create --vault-name $vault --name root --kty oct
done
tap_is "both tokens are ready" "ready ready" "$(mine token list -o tsv | cut -f 3 | tr '\n' ' ' | sed 's/ $//')"
first=$(daemon)
tap_ok "up again" quickstart up "$D"
tap_is "is the same daemon" "$first" "$(daemon)"
kill -KILL "$first"
wait_for test ! -e "/proc/$first" || bail "the daemon lives"
quickstart up "$D" >"$T/exports2" 2>"$T/up.log"
tap_is "up after kill -9" 0 $?
tap_is "says the same" "" "$(diff "$T/exports" "$T/exports2")"
tap_ok "the keys are there" mine key show --vault-name contosowestus --name root
tap_ok "and are used" mine dual generate --key https://contosowestus.vault.azure.net/keys/root \
	--key https://contosocentralus.vault.azure.net/keys/root --out "$T/key" --envelope "$T/envelope"
tap_ok "down" quickstart down "$D"
tap_is "nothing runs" "" "$(daemon)"
tap_ok "down again" quickstart down "$D"
tap_ok "up after down" quickstart up "$D"
tap_ok "opens what was made before" mine dual unwrap --in "$T/envelope" --out "$T/key2"
tap_ok "to the same key" cmp "$T/key" "$T/key2"
tap_ok "down at the end" quickstart down "$D"
sed -i 's/^administrators = .*/administrators = user:nobody/' "$D/custodyd.conf"
quickstart up "$D" >"$T/wrong.out" 2>"$T/wrong.err"
tap_is "up with a wrong configuration" 1 $?
tap_ok "says what is wrong with it" grep -q 'administrators.*nobody' "$T/wrong.err"
tap_is "and exports nothing" "" "$(cat "$T/wrong.out")"
tap_exits "a path that would break the configuration" 1 quickstart up "$T/a b"

# A copy that another user may read. What is not installed, and who he is, is said before anything is built.
mkdir "$T/clone" "$T/bin"
cp "$SRCDIR/quickstart" "$SRCDIR/packages.txt" "$T/clone"
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
