#!/bin/sh
# The program in libcustody(3) compiles as the page says, and runs.
. "$SRCDIR/tests/support/lib.sh"
world_start
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct >"$T/create.log" 2>&1 || bail "$(cat "$T/create.log")"
done

page_program "$SRCDIR/man/libcustody.3" 1 >"$T/example.c"
tap_like "the page has a program" "*int*main*" "$(cat "$T/example.c")"
tap_ok "it compiles without a warning" cc_custody "$T/example"
# the header alone, for the languages that can include it, and what pkg-config tells them
echo '#include <custody/custody.h>' >"$T/header.c"
tap_ok "the header is C11 without extensions" "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
	-I"$SRCDIR/src/lib" "$T/header.c"
tap_ok "and C++" c++ -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$SRCDIR/src/lib" "$T/header.c"
tap_like "pkg-config knows where it will be" "-I*/include * -lcustody *" \
	"$(PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_PATH=$BUILDDIR/src/lib pkg-config --cflags --libs custody) "
output=$(CUSTODY_SOCKET=$T/custodyd.sock LD_LIBRARY_PATH=$BUILDDIR/src/lib/.libs "$T/example" \
	https://contosowestus.vault.azure.net/keys/root https://contosocentralus.vault.azure.net/keys/root 2>&1)
tap_is "it runs" 0 $?
tap_like "and opens the key" "32 octets, opened by https://contoso*" "$output"
output=$(CUSTODY_SOCKET=$T/custodyd.sock LD_LIBRARY_PATH=$BUILDDIR/src/lib/.libs "$T/example" \
	https://contosowestus.vault.azure.net/keys/root https://contosowestus.vault.azure.net/keys/none 2>&1)
tap_is "it fails when it must" 1 $?
tap_like "with name and class" "*(*, bad)" "$output"
tap_done
