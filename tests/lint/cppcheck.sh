#!/bin/sh
# cppcheck with the checks that are right more often than not.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

command -v cppcheck >/dev/null || bail "cppcheck is missing; see packages.txt"

# memleak, nullPointerRedundantCheck and their like do not know what assert() and cleanup attributes do.
run_cppcheck() {
	cppcheck --quiet --std=c11 --platform=unix64 --enable=warning,portability --inline-suppr \
		--suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro \
		--suppress=memleak --suppress=nullPointerRedundantCheck --suppress=uninitStructMember \
		--template='{file}:{line}: {id}: {message}' -D__linux__ -D__GNUC__=12 -DCLEAN\(x\)= -Isrc -I. "$@" 2>&1
}
tap_is "cppcheck finds nothing" "" "$(run_cppcheck -j 2 src pkcs11)"
printf 'int f(int n);\nint f(int n)\n{\n\tint a[2] = {0, 1};\n\treturn a[2] + n;\n}\n' >"$T/wrong.c"
tap_like "it finds an index out of bounds" "*arrayIndexOutOfBounds*" "$(run_cppcheck "$T/wrong.c")"
tap_done
