#!/bin/sh
# What make install puts under DESTDIR is complete and works from there; make uninstall takes all of it away.
. "$SRCDIR/tests/support/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
D=$T/root

make -C "$BUILDDIR" install DESTDIR="$D" >"$T/install.log" 2>&1
tap_is "make install" 0 $?
find "$D" ! -type d | sed "s|^$D||" | sort >"$T/files"

# installed PATTERN: the one file of this name.
installed() {
	grep -E "/$1\$" "$T/files"
}
for name in bin/custodyctl sbin/custodyd sbin/depd libexec/custody/custody-token 'lib.*/libcustody\.so' include/custody/custody.h \
	pkgconfig/custody.pc system/custodyd.service system/custodyd@.service system/depd.service sysusers.d/custody.conf tmpfiles.d/custody.conf \
	examples/custodyd.conf examples/depd.conf completions/custodyctl.bash completions/depctl.bash custody/api.md custody/clients.md custody/openapi.json; do
	tap_ok "there is $name" installed "$name"
done
tap_is "and every page of the manual" "$(cd "$SRCDIR/man" && ls -- *.[1-8])" "$(sed -n 's|.*/man[1-8]/||p' "$T/files" | sort)"
tap_is "the manual is in the sections of its suffixes" "" \
	"$(sed -n 's|.*/man\([1-8]\)/.*\.\([1-8]\)$|\1 \2|p' "$T/files" | awk '$1 != $2')"

sed "s/^administrators = .*/administrators = user:$(id -un)/" "$D$(installed examples/custodyd.conf)" >"$T/sample"
chmod 600 "$T/sample"
tap_ok "the sample configuration is right" "$D$(installed sbin/custodyd)" --check --config "$T/sample"
sed "s/group:dep-admins/user:$(id -un)/" "$D$(installed examples/depd.conf)" >"$T/sample"
tap_ok "and that of depd" "$D$(installed sbin/depd)" --check --config "$T/sample"
tap_ok "its group of administrators is made" grep -q '^g custody-admins ' "$D$(installed sysusers.d/custody.conf)"
tap_is "the daemon starts its worker from where that is installed" "$(installed libexec/custody/custody-token)" \
	"$(strings -a "$D$(installed sbin/custodyd)" | grep -x '/.*/custody-token')"

if command -v systemd-analyze >/dev/null; then
	for unit in custodyd custodyd@ depd; do
		sed "s|^ExecStart=|ExecStart=$D|" "$D$(installed "system/$unit.service")" >"$T/$unit.service"
	done
	mv "$T/custodyd@.service" "$T/custodyd@service.service"
	for unit in custodyd custodyd@service depd; do
		tap_is "systemd finds nothing in $unit.service" "0 " \
			"$(output=$(systemd-analyze verify --man=no "$T/$unit.service" 2>&1); echo "$? $output")"
	done
fi

# offers WORD...: what bash offers for the last one.
offers() {
	# shellcheck disable=SC2016 # for bash
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _custodyctl; echo "${COMPREPLY[@]}"' \
		"$D$(installed completions/custodyctl.bash)" custodyctl "$@"
}
tap_is "bash completes a command" "set-attributes" "$(offers key set)"
tap_is "and an option" "--vault-name" "$(offers key show --va)"
tap_is "and a value" "P-384" "$(offers key create --curve P-3)"
tap_ok "for the command" grep -q '^complete .*custodyctl$' "$D$(installed completions/custodyctl.bash)"

# The program of libcustody(3), by the page's own command line, against what was installed.
page_program "$D$(installed man3/libcustody.3)" 1 >"$T/example.c"
[ "$SANITIZERS" = no ] || set -- "-fsanitize=$SANITIZERS"
pkg_config() {
	PKG_CONFIG_PATH=$D$(dirname "$(installed pkgconfig/custody.pc)") PKG_CONFIG_SYSROOT_DIR=$D pkg-config "$@" custody
}
tap_ok "pkg-config knows custody" pkg_config --print-errors --exists
# shellcheck disable=SC2046 # words are meant
tap_ok "the manual's example compiles" "${CC:-cc}" -Wall -Wextra -Werror "$@" -o "$T/example" "$T/example.c" $(pkg_config --cflags --libs)
LD_LIBRARY_PATH=$D$(dirname "$(installed 'libcustody\.so')")
export LD_LIBRARY_PATH
tap_exits "and runs" 2 "$T/example"
tap_like "custodyctl runs" "custodyctl *" "$("$D$(installed bin/custodyctl)" --version)"
unset LD_LIBRARY_PATH

make -C "$BUILDDIR" uninstall DESTDIR="$D" >"$T/uninstall.log" 2>&1
tap_is "make uninstall" 0 $?
tap_is "leaves nothing" "" "$(find "$D" ! -type d)"
tap_done
