# Exact octets over the daemon's socket for the system tests (see raw.c).
#
#   . "$SRCDIR/tests/support/lib.sh"
#   . "$SRCDIR/tests/support/keyvault.sh"
#   . "$SRCDIR/tests/support/raw.sh"
#
# shellcheck shell=sh

# Other uids run it, too, wherever the build folder is.
cp "$RAW" "$T/raw" && chmod 755 "$T/raw" || exit 99
export DEADLINE

# raw MESSAGE [OPTION...]: sends it; what raw(1) prints.
raw() {
	raw_message=$1
	shift
	printf '%s\n' "$raw_message" | "$T/raw" "$T/custodyd.sock" "$@"
}

# raw_head METHOD TARGET [HEADER...]: a request's head as raw.c reads it, with Host and token, without the empty line.
raw_head() {
	printf '%s %s HTTP/1.1\\r\\nHost: %s\\r\\nAuthorization: Bearer t\\r\\n' "$1" "$2" "$WEST"
	shift 2
	[ $# -eq 0 ] || printf '%s\\r\\n' "$@"
}

# raw_get TARGET: a whole request without a body.
raw_get() {
	printf '%s\\r\\n' "$(raw_head GET "$1")"
}

# raw_post TARGET JSON [HEADER...]: a whole request with a body of printable ASCII without a backslash.
raw_post() {
	raw_post_target=$1
	raw_post_body=$2
	shift 2
	printf '%s\\r\\n%s' "$(raw_head POST "$raw_post_target" "Content-Length: ${#raw_post_body}" "$@")" "$raw_post_body"
}

# raw_codes: from lines of raw -l, "200 keep, 400 close BadParameter": status, connection, code of the error.
raw_codes() {
	sed -n 's/^\([0-9]* [a-z]*\) {"error":{"code":"\([A-Za-z]*\)".*/\1 \2/p; t; s/^\([0-9]* [a-z]*\).*/\1/p; t; p' | paste -sd, | sed 's/,/, /g'
}

# raw_leave FILE: ends the raw -n whose output goes there.
raw_leave() {
	kill "$(sed -n 's/^sent //p' "$1")"
}
