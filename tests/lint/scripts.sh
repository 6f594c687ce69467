#!/bin/sh
# Checkers of others, over everything they understand: shellcheck, mandoc, clang-format; and the lists of files.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

for tool in shellcheck mandoc clang-format; do
	command -v $tool >/dev/null || bail "$tool is missing; see packages.txt"
done
{
	find tests -name '*.sh'
	ls quickstart .ci/run tests/support/run-test tests/support/slowest
	grep -lE '^#!.*\b(sh|bash)$' conf/* 2>/dev/null
} | sort >"$T/scripts"
tap_is "shellcheck finds nothing" "" "$(xargs shellcheck -x -f gcc <"$T/scripts")"
find man -name '*.[1-8]' | sort >"$T/pages"
if [ -s "$T/pages" ]; then
	tap_is "mandoc finds nothing" "" "$(xargs mandoc -T lint -W warning <"$T/pages")"
fi
find src pkcs11 tests -name '*.[ch]' | sort >"$T/code"
tap_is "the code is formatted (make format)" "" \
	"$(xargs clang-format --dry-run <"$T/code" 2>&1 | sed -n 's/^\([^ :]*:[0-9]*\):.*warning.*/\1/p' | head -n 20)"

find src pkcs11 tests conf man -type f | sort >"$T/all"
# A file that no Makefile.am names is in no tarball and maybe in no build.
cat Makefile.am src/*/Makefile.am pkcs11/Makefile.am man/Makefile.am conf/Makefile.am tests/*/Makefile.am >"$T/lists"
unlisted() {
	while read -r file; do
		case $file in
		*/Makefile.am) continue ;;
		esac
		grep -qF "$file" "$T/lists" || grep -qF "${file%/*}/*" "$T/lists" || echo "$file"
	done
}
tap_is "every file is in a Makefile.am" "" "$(grep -vE /corpus/ "$T/all" | unlisted)"
tap_is "one that is not is found" "src/base/forgotten.h" "$(echo src/base/forgotten.h | unlisted)"
tap_done
