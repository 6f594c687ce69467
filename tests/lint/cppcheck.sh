#!/bin/sh
# cppcheck with the checks that are right more often than not.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

command -v cppcheck >/dev/null || bail "cppcheck is missing; see packages.txt"

# literalWithCharPtrCompare means LOG_TEXT(); legacyUninitvar does not follow arrays into functions; memleak,
# nullPointerRedundantCheck and their like do not know what assert() and cleanup attributes do.
# Of the system's headers it sees only the one that is all macros.
queue=$(echo '#include <sys/queue.h>' | ${CC:-cc} -E - | sed -n 's|^# 1 "\(.*/sys/queue\.h\)".*|\1|p')
run_cppcheck() {
	cppcheck --quiet --std=c11 --platform=unix64 --enable=warning,portability --inline-suppr \
		--suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=memleak \
		--suppress=literalWithCharPtrCompare --suppress=nullPointerRedundantCheck --suppress=uninitStructMember \
		--suppress=legacyUninitvar --template='{file}:{line}: {id}: {message}' --include="$queue" \
		-D__linux__ -D__GNUC__=12 -DCLEAN\(x\)= -Isrc -I. "$@" 2>&1
}
tap_is "cppcheck finds nothing" "" "$(run_cppcheck -j 2 src pkcs11 examples)"
printf 'int f(int n);\nint f(int n)\n{\n\tint a[2] = {0, 1};\n\treturn a[2] + n;\n}\n' >"$T/wrong.c"
tap_like "it finds an index out of bounds" "*arrayIndexOutOfBounds*" "$(run_cppcheck "$T/wrong.c")"
tap_done
