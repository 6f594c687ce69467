#!/bin/sh
# Sizes and words: what can be read off the text of one file. What needs the whole tree to fit together is in tree.sh.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

find src pkcs11 tests conf man doc demo -type f | sort >"$T/all"
ls ./*.md configure.ac Makefile.am m4/custody.m4 quickstart .ci/run >>"$T/all"
grep '\.[ch]$' "$T/all" >"$T/code"

# Function bodies stand between '{' and '}' in the first column (.clang-format). Rows of a table do not count, and in the
# main() of a unit test nothing does.
long_functions() {
	# shellcheck disable=SC2016
	xargs awk '
	FNR == 1 { start = 0 }
	/^\t\t+[{"].*,$/ { rows++ }
	/^{/ { start = FNR; rows = 0; in_tests = FILENAME ~ "^tests/" }
	/^}/ && start > 0 {
		if (FNR - start - 1 - rows > 60 && !(in_tests && name ~ "^main[(]"))
			print FILENAME ":" start ": " FNR - start - 1 - rows " lines"
		start = 0
	}
	start == 0 { name = $0 }' /dev/null
}
tap_is "no function is longer than 60 lines" "" "$(long_functions <"$T/code")"
{
	echo "void"
	echo "f(void)"
	echo "{"
	yes "	x++;" | head -n 61
	echo "}"
} >"$T/long.c"
tap_like "a longer one is found" "*long.c:3: 61 lines" "$(echo "$T/long.c" | long_functions)"

xargs wc -l <"$T/code" | awk '$1 > 800 && $2 != "total" { print $2 ": " $1 " lines; is there a second module in it?" }' >"$T/sizes"
[ ! -s "$T/sizes" ] || diag "$(cat "$T/sizes")"

# An issue, or do it now. This file is the one place that must name them.
tap_is "nothing is left for later" "" \
	"$(xargs grep -nwE 'TODO|FIXME|XXX|HACK' <"$T/all" /dev/null | grep -v '^tests/lint/text\.sh:' | grep -v 'XXXXXX')"
tap_is "no file without a noun" "" "$(grep -E '/(common|util|utils|misc|helpers?)\.[ch]$' "$T/code")"
tap_is "headers are guarded by pragma once" "" \
	"$(grep '\.h$' "$T/code" | grep -v '^src/lib/custody/' | xargs grep -L '^#pragma once')"
tap_is "no struct behind a typedef" "" "$(xargs grep -nE '^typedef struct' <"$T/code" /dev/null | grep -v '^src/lib/custody/')"

tap_done
