#!/bin/sh
# ./quickstart up killed before each of its changes once: the next one always goes on, the last one finds everything whole.
. "$SRCDIR/tests/support/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL CUSTODY_SOCKET
D=$T/up

# A build of the same programs, and the commands that quickstart runs: those that change
# something kill the whole group when they are about to do it for the first time.
for program in custodyd/custodyd token/custody-token depd/depd ctl/custodyctl; do
	mkdir -p "$T/build/src/${program%/*}"
done
touch "$T/build/Makefile"
ln -s "$CUSTODYD" "$T/build/src/custodyd/custodyd"
ln -s "$DEPD" "$T/build/src/depd/depd"
ln -s "$BUILDDIR/src/ctl/depctl" "$T/build/src/ctl/depctl"
ln -s "$CUSTODY_TOKEN" "$T/build/src/token/custody-token"
mkdir "$T/bin"
: >"$T/ran"
# killer FILE NAME PROGRAM PATTERN: FILE runs PROGRAM; words that match the pattern are the last ones the first time.
killer() {
	cat >"$1" <<-END
		#!/bin/sh
		words="$2 \$(printf '%s ' "\$@" | /bin/sed 's/--pin.*//')"
		case \$words in
		$4)
			if ! /bin/grep -qxF -e "\$words" '$T/ran'; then
				echo "\$words" >>'$T/ran'
				kill -KILL 0
			fi
			;;
		esac
		exec '$3' "\$@"
	END
	chmod 700 "$1"
}
killer "$T/build/src/ctl/custodyctl" custodyctl "$CUSTODYCTL" '*enroll*|*create*|*set-policy*'
for tool in mv setsid sleep softhsm2-util; do
	killer "$T/bin/$tool" $tool "$(command -v $tool)" '*'
done
printf '#!/bin/sh\n' >"$T/bin/make"
chmod 700 "$T/bin/make"

session=$(command -v setsid)
# up: in a process group of its own, as a terminal would start it.
up() {
	PATH=$T/bin:$PATH BUILD=$T/build "$session" --wait "$SRCDIR/quickstart" up "$D" </dev/null >"$T/up.log" 2>&1
}
# shellcheck disable=SC2317 # called by the trap
stop_all() {
	for log in "$D/log/custodyd.log" "$D/service/log/custodyd.log" "$D/log/depd.log"; do
		[ "$tap_failed" -eq 0 ] || show_file "$log"
	done
	BUILD=$BUILDDIR "$SRCDIR/quickstart" down "$D"
	cleanup
}
trap stop_all EXIT

kills=0
until up; do
	kills=$((kills + 1))
	[ "$(wc -l <"$T/ran")" -eq $kills ] || bail "up failed without having been killed: $(cat "$T/up.log")"
done
diag "killed $kills times"
for step in "softhsm2-util --init-token" "mv .*/tokens/west" "mv .*custodyd.conf" "setsid .*/custodyd" "custodyctl token enroll" \
	"custodyctl keyvault create" "custodyctl keyvault set-policy" "mv .*/service/tokens/se" "mv .*/service/custodyd.conf" \
	"setsid .*/service/custodyd" "custodyctl token enroll --name se" "custodyctl keyvault create --name roots-east" \
	"mv .*/depd.conf" "setsid .*/depd"; do
	tap_ok "killed before $step" grep -q "^$step" "$T/ran"
done

ctl() {
	CUSTODY_SOCKET=$D/custodyd.sock "$CUSTODYCTL" "$@"
}
tap_is "both tokens are ready in the end" "west ready True, east ready True, " \
	"$(ctl token list -o tsv | awk -F '\t' '{ printf "%s %s %s, ", $1, $3, $4 }')"
for vault in contosowestus contosocentralus; do
	tap_ok "a key in $vault" ctl key create --vault-name $vault --name root --kty oct
done
ctl doctor >"$T/doctor.log" 2>&1
tap_is "nothing needs a person" 0 $?
tap_is "nor in the service's custody" 0 "$(CUSTODY_SOCKET=$D/service/custodyd.sock "$CUSTODYCTL" doctor >"$T/service-doctor.log" 2>&1; echo $?)"
tap_ok "the tenant can be asked for" env DEPD_SOCKET="$D/depd.sock" "$BUILDDIR/src/ctl/depctl" m365 assignment show
for log in log/custodyd.log service/log/custodyd.log log/depd.log; do
	tap_is "one daemon was enough: $log" 1 "$(grep -c '>ready ' "$D/$log")"
done
tap_done
