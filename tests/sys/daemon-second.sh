#!/bin/sh
# A second daemon on one catalog, audit or socket does not start and disturbs nothing, whether the first works, is stopped or
# starts at the same time; a dead socket is replaced (threats D11, C9).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
token_make west
config_set token-west pin-source ask
daemon_start || bail "no start"
wait_for token_is west login-needed || bail "west is $(token_state west)"
# shellcheck disable=SC2317 # its output is used
sum() {
	cat "$T"/custody.db* "$T/log/audit.jsonl" | sha256sum
}

# second DESCRIPTION PATTERN OPTION VALUE...: another daemon with these options.
second() {
	second_description=$1
	second_pattern=$2
	shift 2
	cp "$T/conf/custodyd" "$T/good"
	while [ $# -gt 0 ]; do
		config_set custodyd "$1" "$2"
		shift 2
	done
	config_write
	mv "$T/good" "$T/conf/custodyd"
	timeout "$DEADLINE" "$CUSTODYD" --config "$T/custodyd.conf" >"$T/second.log" 2>&1
	second_status=$?
	tap_like "$second_description" "1:*message=\"$second_pattern\"*" "$second_status:$(cat "$T/second.log")"
}

before=$(sum)
second "the same configuration" "Another daemon has the catalog $T/custody.db open."
second "the same catalog" "Another daemon has the catalog $T/custody.db open." socket "$T/2.sock" audit "$T/log/2.jsonl"
second "the same audit" "Another daemon has the audit file $T/log/audit.jsonl open." socket "$T/2.sock" catalog "$T/2.db"
second "the same socket" "Socket $T/custodyd.sock: another daemon is serving it." catalog "$T/2.db" audit "$T/log/2.jsonl"
tap_is "nothing of the first was touched" "$before" "$(sum)"
process_stop "$(daemon_pid)"
second "the first is stopped: it still has its catalog" "Another daemon has the catalog $T/custody.db open."
kill -CONT "$(daemon_pid)"
tap_ok "the first goes on" token_is west login-needed
tap_ok "and its login socket is there" test -S "$T/custodyd.sock.login-west"
tap_ok "and takes a PIN" ctl token login --name west --pin-file "$T/pin-west"
tap_ok "which logs in" wait_for token_is west not-enrolled

daemon_kill
tap_ok "killed, it leaves its socket" test -S "$T/custodyd.sock"
config_write
# two starts at once
for name in one two; do
	"$NOTIFY_RUN" "$DEADLINE" "$T/$name" "$CUSTODYD" --config "$T/custodyd.conf"
	echo $? >"$T/$name.status"
done &
"$NOTIFY_RUN" "$DEADLINE" "$T/three" "$CUSTODYD" --config "$T/custodyd.conf"
echo $? >"$T/three.status"
wait
tap_is "of three starts one wins" "0 1 1" "$(cat "$T/one.status" "$T/two.status" "$T/three.status" | sort | tr '\n' ' ' | sed 's/ $//')"
for name in one two three; do
	[ "$(cat "$T/$name.status")" != 0 ] || winner=$name
done
cp "$T/$winner.pid" "$T/custodyd.pid"
rm -f "$T/custodyd.exit"
tap_ok "and serves on the socket that was left" wait_for token_is west login-needed
kill -TERM "$(daemon_pid)"
wait_for test -e "$T/$winner.exit"
cp "$T/$winner.exit" "$T/custodyd.exit"
tap_is "until it is stopped" 0 "$(cat "$T/$winner.exit")"
tap_ok "then its sockets are gone" test ! -e "$T/custodyd.sock" -a ! -e "$T/custodyd.sock.login-west"
tap_done
