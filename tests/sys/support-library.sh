#!/bin/sh
# The library of the system tests: a test that fails or ends early says so, and leaves nothing behind.
. "$SRCDIR/tests/support/lib.sh"

# run_test NAME LINES: a test of one's own; output in $T/NAME.out, status in $T/NAME.status, its directory in $T/NAME.T
run_test() {
	{
		# shellcheck disable=SC2016 # expanded by that test
		printf '. "$SRCDIR/tests/support/lib.sh"\necho "$T" >%s\n' "$T/$1.T"
		printf '%s\n' "$2"
	} >"$T/$1.sh"
	sh "$T/$1.sh" >"$T/$1.out" 2>&1
	echo $? >"$T/$1.status"
}

run_test good 'tap_is same a a; tap_ok runs true; tap_exits three 3 sh -c "exit 3"; tap_like glob "a*" abc; tap_unlike glob "b*" abc; tap_done'
tap_is "a good test succeeds" 0 "$(cat "$T/good.status")"
tap_is "and prints its plan last" "1..5" "$(tail -n 1 "$T/good.out")"
tap_is "and removes its directory" no "$(test -e "$(cat "$T/good.T")" && echo yes || echo no)"

# shellcheck disable=SC2016 # expanded by that test
run_test bad 'echo "a log line" >"$T/custodyd.log"; tap_is "differs" a b; tap_done'
tap_is "a failing test fails" 1 "$(cat "$T/bad.status")"
tap_like "and says what was expected" "not ok 1 - differs*expected: a*got: b*" "$(cat "$T/bad.out")"
tap_like "and shows the daemon's log" "*custodyd.log*a log line*" "$(cat "$T/bad.out")"

run_test early 'tap_is same a a; exit 0'
tap_is "a test that ends early fails" 1 "$(cat "$T/early.status")"
tap_like "and says so" "*Bail out! the test ended early*" "$(cat "$T/early.out")"
tap_is "and removes its directory too" no "$(test -e "$(cat "$T/early.T")" && echo yes || echo no)"

run_test status 'tap_exits "three" 3 sh -c "exit 4"; tap_ok "false" false; tap_like "glob" "x*" abc; tap_unlike "glob" "a*" abc; tap_done'
tap_is "each assertion can fail" 4 "$(grep -c '^not ok' "$T/status.out")"

DEADLINE=1
tap_exits "what never comes is not awaited for ever" 1 wait_for false
tap_ok "what is there is not awaited" wait_for true
DEADLINE=20

token_make west
token_make east foreign
tap_like "a token has a store of its own" "*token label *: west*" "$(token_tool west --list-slots)"
tap_like "and the label it was given" "*token label *: foreign*" "$(token_tool east --list-slots)"
tap_unlike "and nothing of the other" "*token label *: foreign*" "$(token_tool west --list-slots)"
tap_ok "its PIN is the one in the file" token_tool west --keygen --key-type AES:32 --label k --id 01
token_lose west
tap_exits "a lost token is not found" 1 token_tool west --list-objects
token_return west
tap_like "and is as it was when it returns" "*label*k*" "$(token_tool west --list-objects)"

config_set custodyd log-level debug
config_set custodyd log-level error
config_set token-east sessions
config_set application-x name calendar
config_write
tap_is "a setting stands once" "log-level = error" "$(grep log-level "$T/custodyd.conf")"
tap_is "each token and application has a section" "[custodyd] [token east] [token west] [application x] " \
	"$(grep '^\[' "$T/custodyd.conf" | tr '\n' ' ')"
tap_is "a setting can be taken out" 1 "$(grep -c '^sessions' "$T/custodyd.conf")"

# shellcheck disable=SC2119
tap_is "base64url has no padding" "-_8" "$(printf '\373\377' | b64)"
tap_is "and is read without it" "fbff" "$(unb64 -_8 | od -An -tx1 | tr -d ' \n')"
tap_done
