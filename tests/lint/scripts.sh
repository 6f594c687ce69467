#!/bin/sh
# Checkers of others, over everything they understand: shellcheck, mandoc, clang-format.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

for tool in shellcheck mandoc clang-format; do
	command -v $tool >/dev/null || bail "$tool is missing; see packages.txt"
done
{
	find tests demo -name '*.sh'
	ls quickstart .ci/run tests/support/run-test tests/support/slowest
	grep -lE '^#!.*\b(sh|bash)$' conf/* 2>/dev/null
} | sort >"$T/scripts"
tap_is "shellcheck finds nothing" "" "$(xargs shellcheck -x -f gcc <"$T/scripts")"
find man -name '*.[1-8]' | sort >"$T/pages"
if [ -s "$T/pages" ]; then
	tap_is "mandoc finds nothing" "" "$(xargs mandoc -T lint -W warning <"$T/pages")"
fi
find src pkcs11 tests examples -name '*.[ch]' | sort >"$T/code"
tap_is "the code is formatted (make format)" "" \
	"$(xargs clang-format --dry-run <"$T/code" 2>&1 | sed -n 's/^\([^ :]*:[0-9]*\):.*warning.*/\1/p' | head -n 20)"
tap_done
