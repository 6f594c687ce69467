#!/bin/sh
# Workers killed, crashed and stopped under a load of dual unwraps: no request fails, and the lost worker is replaced (threats B1, B3).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
config_set custodyd operation-timeout 2s
world_start
dual_keys rsa
value=$(random_b64 32)
dual_wrap "$value"
echo "{\"envelope\":$(cat "$T/envelope"),\"context\":\"\"}" >"$T/unwrap"

# load N: a client that opens the envelope until $T/load is gone; a line of status and value for each.
load() {
	while [ -e "$T/load" ]; do
		curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H 'Host: localhost' -H 'Authorization: Bearer test' \
			-H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$T/unwrap" -o "$T/opened-$1" \
			-w '%{http_code} ' http://localhost/dual/unwrapkey >>"$T/loaded-$1"
		jq -r '.value // .error.code' "$T/opened-$1" >>"$T/loaded-$1"
	done
}
done_by_all() {
	cat "$T"/loaded-* | wc -l
}
# more N: so many more are answered.
more() {
	goal=$(($(done_by_all) + $1))
	# shellcheck disable=SC2317 # run by wait_for
	reached() {
		[ "$(done_by_all)" -ge "$goal" ]
	}
	wait_for reached || bail "no answers any more"
}
# shellcheck disable=SC2317 # run by wait_for
replaced() {
	[ "$(worker_pid "$name")" != "$pid" ] && token_is "$name" ready
}

: >"$T/load"
loads=
for client in 1 2 3; do
	: >"$T/loaded-$client"
	load $client &
	loads="$loads $!"
done
more 6
# lose SIGNAL TOKEN VAULT: under load, until another worker serves.
lose() {
	name=$2
	pid=$(worker_pid "$name")
	kill -"$1" "$pid"
	more 6
	# Ours too, so that a stopped worker runs into its deadline although the other one answers.
	[ "$1" != STOP ] || use "$3" "$name" unwrapKey RSA-OAEP "$(jq -r '.recipients[0].encrypted_key' "$T/envelope")"
	wait_for replaced || bail "worker of $name after SIG$1: $(token_state "$name")"
}
lose KILL west $WEST
lose SEGV east $EAST
lose STOP west $WEST
more 6
rm "$T/load"
# shellcheck disable=SC2086 # a list
wait $loads
tap_is "every envelope opened" "200 $value" "$(cat "$T"/loaded-* | sort -u)"
tap_is "the workers were replaced" "2 1" "$(http GET /tokens/west "" && json .worker.restarts) $(http GET /tokens/east "" && json .worker.restarts)"
dual check
tap_is "both open" "2 west opened, east opened" "$(json .redundancy) $(attempts)"
tap_done
