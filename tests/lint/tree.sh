#!/bin/sh
# The tree as a whole: names, lists of files, and what the guides say about it.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

find src pkcs11 tests conf man demo examples -type f | sort >"$T/all"
tap_is "module names are unique" "" "$(grep '\.c$' "$T/all" | sed 's|.*/||' | grep -vx main.c | sort | uniq -d)"

# A file that no Makefile.am names (or configure.ac, less its .in) is in no tarball and maybe in no build.
cat configure.ac Makefile.am examples/Makefile.am src/*/Makefile.am pkcs11/Makefile.am man/Makefile.am conf/Makefile.am tests/*/Makefile.am >"$T/lists"
unlisted() {
	while read -r file; do
		case $file in
		*/Makefile.am) continue ;;
		esac
		grep -qF "${file%.in}" "$T/lists" || grep -qF "${file%/*}/*" "$T/lists" || echo "$file"
	done
}
tap_is "every file is in a Makefile.am" "" "$(grep -vE /corpus/ "$T/all" | unlisted)"
tap_is "one that is not is found" "src/base/forgotten.h" "$(echo src/base/forgotten.h | unlisted)"

# What the guides say about the tree stays true: `path/to/file` in them exists, from the root or from src/.
dead_names() {
	# shellcheck disable=SC2016
	grep -noE '`[A-Za-z0-9_.-]+(/[A-Za-z0-9_.*-]+)+/?`|`[A-Za-z0-9_-]+\.(c|h|sh|tbl|md|am|ac|m4)`' "$@" /dev/null | tr -d '`' |
		while IFS=: read -r file line name; do
			found=no
			for path in $name src/$name tests/$name; do
				[ -e "$path" ] && found=yes
			done
			case $name in
			*/*) ;;
			*) grep -q "/$name\$" "$T/all" && found=yes ;;
			esac
			case $name in # made by a build or an installation
			build/* | build | asan/* | /* | lib/* | share/* | bin/* | sbin/*) found=yes ;;
			esac
			[ $found = yes ] || echo "$file:$line: $name"
		done
}
tap_is "the guides name no dead file" "" "$(dead_names README.md HACKING.md ARCHITECTURE.md)"
# shellcheck disable=SC2016
echo 'see `src/base/gone.c`, `gone.tbl` and `src/base/err.tbl`' >"$T/guide.md"
tap_is "a dead one is found" 2 "$(dead_names "$T/guide.md" | wc -l)"
tap_done
