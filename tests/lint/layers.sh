#!/bin/sh
# Every #include of the tree against the table in tests/lint/layers.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

find src pkcs11 tests examples -name '*.[ch]' | sort >"$T/files"
xargs grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]' <"$T/files" /dev/null >"$T/includes"

# Prints the includes that the table does not allow.
check_includes() {
	awk -v table="$1" '
	function matches(name, pattern, file,   at) {
		at = index(pattern, "@")
		if (at > 0) {
			if (substr(pattern, at + 1) != file)
				return 0
			pattern = substr(pattern, 1, at - 1)
		}
		gsub(/[.]/, "[.]", pattern)
		gsub(/[*]/, ".*", pattern)
		return name ~ ("^" pattern "$")
	}
	function allowed(name, list, file,   n, i, words) {
		n = split(list, words, " ")
		for (i = 1; i <= n; i++)
			if (matches(name, words[i], file))
				return 1
		return 0
	}
	function folder_of(path,   dir) {
		dir = path
		sub("/[^/]*$", "", dir)
		while (!(dir in ours) && dir ~ "/")
			sub("/[^/]*$", "", dir)
		return dir
	}
	BEGIN {
		while ((getline line < table) > 0) {
			n = split(line, words, " ")
			if (n == 0 || words[1] ~ "^#")
				continue
			if (words[1] == "libc") {
				libc = libc substr(line, 5)
			} else if (words[1] == "only") {
				only[words[2]] = substr(line, length("only " words[2] " "))
			} else {
				split(line, parts, /[:;]/)
				gsub(" ", "", parts[1])
				ours[parts[1]] = parts[2]
				theirs[parts[1]] = parts[3]
			}
		}
	}
	{
		split($0, at, ":")
		path = at[1]
		file = path
		sub(".*/", "", file)
		folder = folder_of(path)
		where = path ":" at[2] ": "
		name = $0
		sub("^[^:]*:[^:]*:[^<\"]*[<\"]", "", name)
		sub("[>\"].*", "", name)
		if (!(folder in ours)) {
			print where "the folder has no row"
		} else if (name ~ "[.]c$") {
			print where "a .c file is included: " name
		} else if (name in only) {
			dir = path
			sub("/[^/]*$", "", dir)
			if (!allowed(dir, only[name], ""))
				print where name " is not for " dir
		} else if ($0 ~ "include[ \t]*<") {
			if (!allowed(name, libc, "") && !allowed(name, theirs[folder], file))
				print where "<" name "> is not for " folder
		} else if (name ~ "/") {
			owner = name
			sub("/.*", "", owner)
			if (owner == "custody")
				owner = "lib" # its public headers, as they are installed
			self = folder
			sub("^src/", "", self)
			if (owner != self && !allowed(owner, ours[folder], file))
				print where folder " does not know " owner
		}
	}'
}

tap_ok "the tree has includes to look at" test "$(wc -l <"$T/includes")" -gt 50
tap_is "every include is in the table" "" "$(check_includes tests/lint/layers <"$T/includes")"

# The checker itself: each of these must be found.
cat >"$T/wrong" <<'END'
src/base/x.c:1:#include "loop/loop.h"
src/base/log.c:2:#include <openssl/crypto.h>
src/custodyd/main.c:3:#include <p11-kit/p11-kit.h>
src/custodyd/main.c:4:#include "json/json.h"
src/token/main.c:5:#include "pkcs11/ck.h"
src/token/main.c:6:#include "db/db.h"
src/new/x.c:7:#include "base/err.h"
tests/test_x.c:8:#include "base/err.c"
tests/test_x.c:9:# include <p11-kit/pkcs11.h>
src/ctl/main.c:10:#include "client/client.h"
src/custodyd/main.c:11:#include "custody/custody.h"
END
tap_is "wrong includes are found" 11 "$(check_includes tests/lint/layers <"$T/wrong" | wc -l)"
cat >"$T/right" <<'END'
src/base/secret.c:1:#include <openssl/crypto.h>
src/base/x.c:2:#include <stdio.h>
src/service/audit_line.c:3:#include "json/json.h"
src/custodyd/main.c:4:#include "option.tbl"
src/custodyd/main.c:5:#include "custodyd/option.tbl"
src/custodyd/main.c:6:#include "base/err.h"
pkcs11/session.c:7:#include "pkcs11/ck.h"
tests/shim/shim.c:8:#include <p11-kit/pkcs11.h>
src/token/main.c:9:#include "pkcs11/session.h"
tests/test_x.c:10:#include "wire/wire.h"
src/lib/body.c:11:#include "custody/custody.h"
src/ctl/main.c:12:#include "custody/custody.h"
END
tap_is "right ones are not" "" "$(check_includes tests/lint/layers <"$T/right")"

# SO_PEERCRED decides who calls (C1, C4), and whom our clients talk to (C8): one place for each.
tap_is "peer credentials are read in one file on each side" "" \
	"$(grep -rlE 'SO_PEERCRED|SO_PEERGROUPS|SCM_CREDENTIALS' src pkcs11 | grep -vxE 'src/(http/peer|client/uds)\.[ch]')"
tap_is "SQL stands in src/db only" "" \
	"$(grep -rnE '"(SELECT|INSERT|UPDATE|DELETE|CREATE TABLE|PRAGMA|BEGIN|COMMIT) ' src pkcs11 | grep -v '^src/db/')"
# A18: no CBC mechanism is ever called or allowed.
tap_is "pkcs11/ never names a CBC mechanism" "" "$(grep -rn CBC pkcs11)"
tap_done
