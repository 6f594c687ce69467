#!/bin/sh
# What was linked: hardening of every program and library that is installed, and the libraries it needs.
. "$SRCDIR/tests/support/lib.sh"
cd "$BUILDDIR" || bail "no $BUILDDIR"

# libtool leaves a script in the program's place when it needs one of our shared libraries.
real_file() {
	if [ -e "$(dirname "$1")/.libs/${1##*/}" ]; then
		echo "$(dirname "$1")/.libs/${1##*/}"
	else
		echo "$1"
	fi
}

check_hardening() {
	readelf -hlW "$2" >"$T/elf" 2>&1
	readelf -dW "$2" >"$T/dynamic" 2>&1
	tap_like "$1 is position-independent" "*Type: *DYN (*" "$(cat "$T/elf")"
	tap_like "$1 has read-only relocations" "*GNU_RELRO*" "$(cat "$T/elf")"
	tap_like "$1 binds everything at start" "*NOW*" "$(cat "$T/dynamic")"
	tap_is "$1 has no executable stack" "RW" "$(awk '$1 == "GNU_STACK" { print $7 }' "$T/elf")"
	# where our own library will be, if that is no folder of the system's
	tap_is "$1 has no search path but ours" "" \
		"$(sed -n 's/.*PATH).*\[\(.*\)\]/\1/p' "$T/dynamic" | tr ':' '\n' | grep -vxF -e "$LIBDIR" -e "$BUILDDIR/src/lib/.libs")"
	sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$T/dynamic" >"$T/needed"
}

# Where a key, a PIN or a policy must not be, the library for it is not loaded.
check_needed() {
	case $1 in
	custodyd) forbidden='p11-kit|softhsm|curl|archive' ;;
	depd) forbidden='p11-kit|softhsm|archive' ;; # a client of custodyd
	custody-token) forbidden='sqlite|curl|archive|event|jansson' ;;
	custodyctl | depctl | libcustody.la) forbidden='p11-kit|softhsm|sqlite|event' ;;
	custody-breakglass) forbidden='sqlite|curl|event' ;;
	*) return ;;
	esac
	tap_is "$1 needs no library that it must not have" "" "$(grep -E "$forbidden" "$T/needed")"
}

# shellcheck disable=SC2086 # lists
for program in $PROGRAMS; do
	check_hardening "${program##*/}" "$(real_file "$program")"
	check_needed "${program##*/}"
done
for library in $LIBRARIES; do
	shared=${library%/*}/.libs/$(basename "$library" .la).so
	check_hardening "${library##*/}" "$shared"
	check_needed "${library##*/}"
	tap_is "${library##*/} exports its own names only" "" \
		"$(nm -D --defined-only "$shared" | awk '$2 ~ /[TDBRVW]/ { print $3 }' | grep -vE '^custody_|^CUSTODY_')"
done

# What the header offers is what the library has, no more and no less.
tap_is "libcustody exports what custody.h declares" \
	"$(grep -v '^typedef' "$SRCDIR/src/lib/custody/custody.h" | grep -o '\<custody_[a-z_]*(' | tr -d '(' | sort -u)" \
	"$(nm -D --defined-only src/lib/.libs/libcustody.so | sed -n 's/.* T \(custody_[a-z_]*\).*/\1/p' | sort -u)"

# The check itself, on a program that has nothing of it.
echo 'int main(void) { return 0; }' >"$T/soft.c"
if ${CC:-cc} -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -o "$T/soft" "$T/soft.c" 2>/dev/null; then
	tap_is "a soft program is found" 4 "$(check_hardening soft "$T/soft" | grep -c '^not ok')"
fi
tap_done
