#!/bin/sh
# ./quickstart PATH from beginning to end, asking nothing and leaving nothing; and the same after an interruption.
. "$SRCDIR/tests/support/lib.sh"
mkdir "$T/tmp" "$T/home" "$T/data" "$T/data/deep"
random_octets 2000000 >"$T/data/large"
echo "small" >"$T/data/deep/small"
ln -s deep/small "$T/data/link"

# The build is there: quickstart's own make finds nothing to do. Not a part of the make that runs this test.
unset MAKEFLAGS MFLAGS MAKELEVEL
quickstart() {
	exec env --default-signal=INT HOME="$T/home" TMPDIR="$T/tmp" BUILD="$BUILDDIR" setsid "$SRCDIR/quickstart" "$@" </dev/null
}

# The processes that belong to the demonstration's directory.
processes() {
	grep -lzF -e "$T/tmp/custody." /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
}

(quickstart "$T/data") >"$T/said.log" 2>&1
tap_is "it ends well" 0 $?
for step in "two SoftHSM tokens" "an RSA-3072 key in contosowestus" "an RSA-3072 key in contosocentralus" "seal 2 files" \
	"open it and compare" "destroy token west" "open it with token east alone" "delete the key" "no longer opens, and why" \
	"recover the key" "open it again" "service's own custody, and depd" "let Exchange use their keys" "a policy for mailboxes" \
	"assign it to two mailboxes" "seal [1-9][0-9]* messages" "read them and compare" "lose token west" "read them with token east alone" \
	"token west comes back" "revoke their keys" "can be read no more, and why" "restore them" "read the mail again" "roll: new versions" \
	"an approver of purges" "ask for the mail to be purged" "it is carried out" "verify the certificate" "gone for good all the same"; do
	tap_ok "the table has: $step" grep -q -e "$step.* [0-9][0-9]* ms\$" "$T/said.log"
done
tap_ok "why it no longer opens: west is unavailable" grep -q "(token west): unavailable" "$T/said.log"
tap_ok "and east's key is deleted" grep -q "(token east): denied.*KeyDeleted" "$T/said.log"
tap_ok "why the mail is not read: both owners have revoked it" grep -q "revoked both keys.*AccessDenied" "$T/said.log"
tap_ok "and why it is not read ever after" grep -q "purged with its policy.*PolicyPurging" "$T/said.log"
tap_is "nothing is left in the temporary directory" "" "$(ls -A "$T/tmp")"
tap_is "or at home" "" "$(ls -A "$T/home")"
tap_is "no process is left" "" "$(processes)"

# shellcheck disable=SC2317 # called by wait_for
there() {
	ls "$T"/tmp/custody.*/"$1"
}
# interrupt FILE: ^C, when FILE is in the demonstration's directory.
interrupt() {
	(quickstart "$T/data" >"$T/interrupted.log" 2>&1) &
	interrupt_pid=$!
	wait_for there "$1" || bail "there is no $1"
	kill -INT "-$interrupt_pid"
	wait "$interrupt_pid"
	tap_is "interrupted at $1, it says so" 130 $?
	tap_is "cleans up" "" "$(ls -A "$T/tmp")"
	tap_is "and leaves no process" "" "$(processes)"
}
interrupt pin-west
interrupt custodyd.sock
interrupt depd.sock
(quickstart "$T/none") >"$T/none.log" 2>&1
tap_is "a path that is not there" 1 $?
tap_done
