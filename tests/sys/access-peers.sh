#!/bin/sh
# Who a peer is, is what the kernel knew when he connected: not what he became, claims, or is in another user namespace
# (threats C1 to C5, C7).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
need_root
world_start
key_make $WEST k '{"kty":"oct"}'
vault_make others east
key_make others k '{"kty":"oct"}'
policy_set others user:12345 get
policy_delete others user:root
get=$(raw_get '/keys/k?api-version=7.4')
get_others=$(printf '%s' "$get" | sed "s/$WEST/others/")
last() { # of the audit: uid, operation, status
	tail -n 1 "$T/log/audit.jsonl" | jq -r '[.uid, .operation, .status] | join(" ")'
}

tap_is "root sees his vault" "200 keep" "$(raw "$get" -l | raw_codes)"
tap_is "and not the other's" "403 keep Forbidden" "$(raw "$get_others" -l | raw_codes)"
tap_is "who became another behind connecting is still root: with root's rights" "200 keep" "$(raw "$get" -l -u 12345 | raw_codes)"
tap_is "says the audit" "0 key.get 200" "$(last)"
tap_is "and without the other's" "403 keep Forbidden" "$(raw "$get_others" -l -u 12345 | raw_codes)"
tap_is "says the audit" "0 key.get 403" "$(last)"
tap_is "who connects as the other has his" "200 keep" "$(printf '%s' "$get_others" | someone 12345 "$T/raw" "$T/custodyd.sock" -l | raw_codes)"
tap_is "says the audit" "12345 key.get 200" "$(last)"

tap_ok "with the start of his process, so that a number used again is not taken for him" \
	jq -se '.[-1] | .pidStart > 1 and .pid > 1' "$T/log/audit.jsonl"

# What a sender of a message can claim about himself, and what he can give along, is not even received.
descriptors() {
	find "/proc/$(daemon_pid)/fd" -mindepth 1 | wc -l
}
# shellcheck disable=SC2317 # run by wait_for
settled() { # a connection that just ended may still be counted
	http GET /status "" && [ "$(json .connections)" -eq 1 ] && [ "$(descriptors)" -eq "$1" ]
}
before=$(descriptors)
tap_is "forged credentials are ignored" "200 keep" "$(raw "$get" -l -f 12345 | raw_codes)"
tap_is "says the audit" "0 key.get 200" "$(last)"
tap_is "by them nothing is gained" "403 keep Forbidden" "$(raw "$get_others" -l -f 12345 | raw_codes)"
raw "$get$get$get" -s 1 -f 12345 >"$T/answers"
tap_ok "and the daemon keeps no descriptor that came along" wait_for settled "$before"

for words in "a bearer token|Authorization: Bearer eyJhbGciOiJub25lIn0.eyJvaWQiOiIxMjM0NSJ9." "basic|Authorization: Basic MTIzNDU6cHc=" \
	"a principal|x-ms-client-principal-id: 12345" "a principal's name|X-MS-CLIENT-PRINCIPAL-NAME: user:12345" "a user|X-Remote-User: 12345" \
	"an address|X-Forwarded-For: 127.0.0.1" "another method|X-HTTP-Method-Override: DELETE" "another target|X-Original-URL: /keys/k/versions"; do
	message="GET /keys/k?api-version=7.4 HTTP/1.1\\r\\nHost: others\\r\\n${words#*|}\\r\\n"
	case $words in
	*Authorization*) ;;
	*) message="${message}Authorization: x\\r\\n" ;;
	esac
	tap_is "${words%%|*} says nothing" "403 keep Forbidden" "$(raw "$message\\r\\n" -l | raw_codes)"
done
tap_is "and is nowhere" "" "$(grep -lE 'eyJhbGci|MTIzNDU6|X-Remote|x-ms-client' "$T/custodyd.log" "$T/log/audit.jsonl")"
tap_is "nor was anything deleted" 200 "$(ask 12345 GET /keys/k others)"

# Seen from a user namespace that does not know him, a peer is the overflow uid, as everybody else there.
tap_is "the overflow uid has nothing" "403 Forbidden ForbiddenByPolicy" "$(ask 65534 GET /keys/k others)"
daemon_stop
cat >"$T/custodyd-inside" <<END
#!/bin/sh
exec unshare --user --map-root-user '$CUSTODYD' "\$@"
END
chmod 755 "$T/custodyd-inside"
CUSTODYD=$T/custodyd-inside
daemon_start || bail "custodyd did not start in a user namespace"
wait_for token_is east ready
tap_is "who is known there is who he is" "200 keep" "$(raw "$get" -l | raw_codes)"
tap_is "who is not has nothing, not even what was granted to his number" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /keys/k others)"
tap_is "he is the overflow uid" "65534 key.get 403" "$(last)"
tap_is "which can be granted nothing there either" "400 BadParameter" \
	"$(ask "" PUT /vaults/others/policies/user:65534 "" '{"permissions":{"keys":["get"]}}')"
tap_is "nor can the overflow group" "400 BadParameter" "$(ask "" PUT /vaults/others/policies/group:65534 "" '{"permissions":{"keys":["get"]}}')"
tap_done
