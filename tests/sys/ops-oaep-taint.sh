#!/bin/sh
# The unpadding of RSA-OAEP neither branches nor indexes by the plaintext, whatever is wrong with it (threats A15, `taint`).
. "$SRCDIR/tests/support/lib.sh"
program=$BUILDDIR/tests/oaep-taint
tap_ok "every class of damage has the one verdict" "$program"
# The sanitizers' build does not run under memcheck; what it runs is the line above.
if [ "$SANITIZERS" = no ]; then
	# shellcheck disable=SC2317 # run by tap_ok
	memcheck() {
		"$BUILDDIR/libtool" --mode=execute valgrind -q --error-exitcode=9 "$program" "$@"
	}
	tap_ok "no branch and no index depends on the plaintext" memcheck
	tap_exits "one that does would be found" 9 memcheck naive
fi
tap_done
