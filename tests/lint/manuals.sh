#!/bin/sh
# Tables against manual pages: whatever a person can type or read is described.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

# plain PAGE: its text on one line, single blanks, without the formatter's emphasis or hyphenation.
plain() {
	sed -E -e 's/^\.\\".*//' -e 's/^\.[A-Z][A-Za-z0-9]+ //' -e 's/\\[fF][A-Z]//g' -e 's/\\-/-/g' -e 's/\\&//g' -e 's/"//g' \
		-e 's/(^| )(Cm|Ar|Fl|Op|Ic|Nm|Pa|Va|Li|Ns|Ql|Dq|Sq|Xr|Em|Sy|It|Oo|Oc|Cd|Er|Dv) /\1/g' "$1" |
		tr '\n\t' '  ' | tr -s ' '
}

# missing PAGE, words on standard input, a line each: those that the page does not have.
missing() {
	plain "$1" >"$T/plain"
	while read -r words; do
		grep -qF -e "$words" "$T/plain" || echo "$words"
	done
}

commands() {
	sed -n 's/^COMMAND([a-z_0-9]*, "\([^"]*\)".*/\1/p' "src/ctl/$1.tbl"
}

options() {
	options_kind=$1
	shift
	sed -n "s/^OPTION($options_kind, \"\\([^\"]*\\)\".*/\\1/p" "$@"
}

errors() {
	sed -n 's/^ERR([A-Z_0-9]*, "\([^"]*\)".*/\1/p' src/base/err.tbl
}

tap_ok "the tables can be read" test "$(commands custodyctl | wc -l)" -gt 20
tap_ok "and the options" test "$(options DAEMON src/service/settings.tbl src/custodyd/option.tbl | wc -l)" -gt 20
tap_ok "and the errors" test "$(errors | wc -l)" -gt 40

# check_page PAGE WHAT: the words in $T/words
check_page() {
	tap_is "man/$1 has every $2" "" "$(missing "man/$1" <"$T/words")"
}
for program in custodyctl depctl; do
	commands $program >"$T/words"
	check_page $program.1 command
	sed -n 's/^OPTION([A-Z_0-9]*, "\([^"]*\)".*/\1/p' src/ctl/common_option.tbl src/ctl/$program.tbl >"$T/words"
	check_page $program.1 option
done
options DAEMON src/service/settings.tbl src/custodyd/option.tbl >"$T/words"
check_page custodyd.conf.5 "option of [custodyd]"
options TOKEN src/custodyd/option.tbl >"$T/words"
check_page custodyd.conf.5 "option of [token NAME]"
options APPLICATION src/custodyd/option.tbl >"$T/words"
check_page custodyd.conf.5 "option of [application GUID]"
options DAEMON src/service/settings.tbl src/depd/dep_option.tbl >"$T/words"
check_page depd.conf.5 "option of [depd]"
options ROLE src/depd/dep_option.tbl >"$T/words"
check_page depd.conf.5 "option of [role NAME]"
options WORKLOAD src/depd/dep_option.tbl >"$T/words"
check_page depd.conf.5 "option of [workload KIND]"
sed -n 's/^ROLE([A-Z_]*, "\([^"]*\)".*/\1/p' src/depd/role.tbl >"$T/words"
check_page depd.conf.5 role
errors >"$T/words"
check_page custody-errors.7 error
sed -n 's/^PERMISSION([A-Z_0-9]*, "\([^"]*\)".*/\1/p' src/custodyd/perm.tbl >"$T/words"
check_page custodyctl.1 permission

# sample FILE TABLE: options of the table that the sample configuration does not have.
sample() {
	sed -n 's/^OPTION([A-Z]*, "\([^"]*\)".*/\1/p' src/service/settings.tbl "$2" |
		while read -r option; do grep -qE "^#? ?$option ?=" "conf/$1" || echo "$option"; done
}
tap_is "conf/custodyd.conf has every option" "" "$(sample custodyd.conf src/custodyd/option.tbl)"
tap_is "conf/depd.conf has every option" "" "$(sample depd.conf src/depd/dep_option.tbl)"

printf '.It Cm key Cm wrap\nopens\n.Fl \\-name\n' >"$T/page.1"
tap_is "what a page lacks is found" "key unwrap" "$(printf 'key wrap\nkey unwrap\n--name\n' | sed 's/^--/-/' | missing "$T/page.1")"
tap_done
