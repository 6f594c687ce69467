#!/bin/sh
# Two catalogs, one token: it is used by the one that enrolled it, the other refuses it and adopts nothing until a person takes it
# over; then the first refuses it, while it runs and after a restart (threats D12). A token that nobody counts on keeps working.
# shellcheck disable=SC2317 # functions that wait_for calls
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
WORLD_DAEMONS="custodyd two/custodyd"
config_set custodyd idle-ping 1s
token_make west
mkdir "$T/two" "$T/two/log" "$T/two/conf" || exit 99
sed "s|$T/|$T/two/|" "$T/conf/custodyd" >"$T/two/conf/custodyd"
cp "$T/conf/token-west" "$T/two/conf"

# two COMMAND...: a function of lib.sh in the world of the second catalog.
two() {
	(two_in "$@")
}
two_in() {
	T=$T/two
	"$@"
}
lease() {
	http GET /tokens/west "" && json ".lease | $1"
}
lease_is() {
	[ "$(lease "$1")" = "$2" ]
}
detail() {
	http GET /tokens/west "" && json .detail
}
audit_has() {
	grep -q -e "$1" "$T/log/audit.jsonl"
}
enroll_status() {
	http POST /tokens/west/enroll "" "$1"
	echo "$HTTP_STATUS"
}
objects() {
	token_tool west --list-objects 2>/dev/null | grep -E '^[A-Z][a-z]* Key Object|label:' | sort
}

daemon_start || bail "no start"
tap_is "a new token is nobody's" "none null null null" "$(lease '"\(.state) \(.owner) \(.counter) \(.counterIn)"')"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "west"
vault_make $WEST west
key_make $WEST k '{"kty":"oct"}'
first=$(lease .owner)
tap_is "an enrolled one is ours; its counter lies in a file of the host" "ours 32 0 host file" \
	"$(lease '"\(.state) \(.owner | length) \(.counter) \(.counterIn)"')"
tap_is "the lease is no foreign object" 0 "$(http GET /tokens/west "" && json .objects.foreign)"
before=$(objects)

two daemon_start || bail "the second does not start"
tap_ok "another catalog refuses the token" two wait_for token_is west leased
tap_like "and says whose it is, and what to do" "*instance $first;*token enroll --name west --take-over*" "$(two detail)"
two ctl token enroll --name west >"$T/out" 2>&1
tap_is "an enrolment is refused" 6 $?
tap_like "by name" "*[[]TokenLeased]*" "$(cat "$T/out")"
tap_exits "a take-over is asked for on a terminal" 2 two ctl token enroll --name west --take-over </dev/null
tap_is "and is true or false" 400 "$(two enroll_status '{"takeOver":"yes"}')"
tap_is "the token is as it was" "$before" "$(objects)"
answers "the first goes on" 200 POST "/keys/k//wrapkey" $WEST '{"alg":"A256KW","value":"AAECAwQFBgcICQoLDA0ODw"}'

tap_ok "the second takes it" two ctl token enroll --name west --take-over --yes
tap_is "and has it" "ready ours" "$(two token_state west) $(two lease .state)"
second=$(two lease .owner)
tap_ok "the audit says beforehand from whom" two audit_has "\"token.take-over\".*instance $first"
tap_ok "and afterwards" two audit_has "\"token.enroll\".*taken from instance $first"
tap_ok "the first notices by its next ping" wait_for token_is west leased
tap_like "who has it" "*$second*" "$(daemon_stop && daemon_start && wait_for token_is west leased && detail)"
answers "it does nothing with the key" "503 ServiceUnavailable TokenLeased" POST "/keys/k//wrapkey" $WEST \
	'{"alg":"A256KW","value":"AAECAwQFBgcICQoLDA0ODw"}'
two ctl keyvault create --name other --token west >/dev/null 2>&1 || bail "the second's vault"
two ctl keyvault delete --name other --yes || bail "the second's vault stays"
tap_ok "the second counts what is taken away" two wait_for lease_is '.counter > 0' true
counted=$(two lease .counter)

tap_ok "the first takes it back" ctl token enroll --name west --take-over --yes
answers "with its key" 200 POST "/keys/k//wrapkey" $WEST '{"alg":"A256KW","value":"AAECAwQFBgcICQoLDA0ODw"}'
tap_is "and the count" "$counted" "$(lease .counter)"
tap_ok "now the second refuses" two wait_for token_is west leased
daemon_kill
daemon_start || bail "no restart"
tap_ok "after kill -9 the token is the first's" wait_for token_is west ready
tap_is "there is one lease" 1 "$(token_tool west --list-objects --type data 2>/dev/null | grep -c "label: *'custody-lease'")"
tap_done
