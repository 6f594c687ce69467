#!/bin/sh
# Data keys of a scope: single and in batches, answered item by item, for nobody but its workload and of no other scope.
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
need_root

dep_is_set_up() {
	dep GET /assignments/tenant
	[ "$HTTP_STATUS" = 200 ]
}
dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
unwrap() { # SCOPE WRAPPED
	dep POST "/scopes/mailbox/$1/datakeys/unwrap" "{\"wrapped\":\"$2\"}"
}
dep_as() { # UID PATH
	someone "$1" curl -s --unix-socket "$T/depd.sock" -X POST -d '{}' -o /dev/null -w '%{http_code}' "http://localhost$2"
}

config_set workload-cloudpc principals "user:12345"
dep_world_start
wait_for dep_is_set_up || bail "there is no organization: $HTTP_STATUS $(cat "$T/body")"
printf '{"id":"anna"}\n{"id":"bert"}\n{"id":"cold","state":"unencrypted"}\n' | dc mailbox register >"$T/out" 2>&1 ||
	bail "not registered: $(cat "$T/out")"

dep POST /scopes/mailbox/anna/datakeys
tap_is "a data key, plain and wrapped" "200 43 true" "$HTTP_STATUS $(json '(.plaintext | length | tostring) + " " + (.wrapped | length > 100 | tostring)')"
plain=$(json .plaintext) wrapped=$(json .wrapped)
unwrap anna "$wrapped"
tap_is "the wrapped one opens to the plain one" "200 $plain" "$HTTP_STATUS $(json .plaintext)"
dep POST /scopes/mailbox/anna/datakeys '{}'
tap_ok "the next one is another" test "$(json .plaintext)" != "$plain"
unwrap ANNA "$wrapped"
tap_is "the scope's name in another case is the same scope" "200 $plain" "$HTTP_STATUS $(json .plaintext)"

# ---- what does not open is one answer (threats G16, G17) ----
unwrap bert "$wrapped"
tap_is "it does not open for another scope" "400 BadCiphertext" "$HTTP_STATUS $(json .error.code)"
refused=$(json .error.message)
for bad in AAAA "${wrapped%????}AAAA" "$wrapped!" "$(printf '%.300s' "$wrapped$wrapped")"; do
	unwrap anna "$bad"
	tap_is "nor does $(printf '%.20s' "$bad")… of ${#bad}" "400 BadCiphertext $refused" "$HTTP_STATUS $(json '.error.code + " " + .error.message')"
done
unwrap cold "$wrapped"
tap_is "a scope in clear that has no data key yet opens none" "409 ScopeNotMoved" "$HTTP_STATUS $(json .error.code)"
unwrap nobody "$wrapped"
tap_is "nor has one that is not there" "404 ScopeNotFound" "$HTTP_STATUS $(json .error.code)"

# ---- a scope in clear is moved with data keys of its own, and is encrypted when that is reported (IsEncrypted never too early) ----
cold() {
	dep GET /scopes/mailbox/cold
	json '"\(.state) \(.isEncrypted)"'
}
dep POST /scopes/mailbox/cold/datakeys
tap_is "to move it, it has data keys" "200 43" "$HTTP_STATUS $(json '.plaintext | length')"
plain_cold=$(json .plaintext) wrapped_cold=$(json .wrapped)
tap_is "and stays unencrypted" "unencrypted false" "$(cold)"
dep POST /scopes/mailbox/cold/datakeys '{"count":2}'
tap_is "the next ones are under the same key" "200 2" "$HTTP_STATUS $(json '.value | length')"
unwrap cold "$(json '.value[1].wrapped')"
tap_is "and open" "200 43" "$HTTP_STATUS $(json '.plaintext | length')"
kill -KILL "$(cat "$T/depd.pid")"
wait_for test -s "$T/depd.exit" || bail "depd still runs"
dep_start || bail "depd did not start again"
unwrap cold "$wrapped_cold"
tap_is "killed meanwhile, it opens" "200 $plain_cold unencrypted false" "$HTTP_STATUS $(json .plaintext) $(cold)"
dep POST /scopes/mailbox/cold/moved
tap_is "reported, it is encrypted" "200 encrypted true" "$HTTP_STATUS $(cold)"
unwrap cold "$wrapped_cold"
tap_is "with the key that it has" "200 $plain_cold" "$HTTP_STATUS $(json .plaintext)"
dep POST /scopes/mailbox/cold/moved
tap_is "once" "409 Conflict" "$HTTP_STATUS $(json .error.code)"

# ---- batches ----
dep POST /scopes/mailbox/anna/datakeys '{"count":1000}'
tap_is "a thousand at once, all different" "200 1000" "$HTTP_STATUS $(json '[.value[].plaintext] | unique | length')"
cp "$T/body" "$T/made"
jq -c '{value: [.value[].wrapped]}' "$T/made" >"$T/ask"
dep POST /scopes/mailbox/anna/datakeys/unwrap "$(cat "$T/ask")"
tap_is "and they open" "200 true" "$HTTP_STATUS $(jq -s '[.[0].value[].plaintext] == [.[1].value[].plaintext]' "$T/made" "$T/body")"
jq -c '{value: [.value[0].wrapped, "AAAA", .value[1].wrapped]}' "$T/made" >"$T/ask"
dep POST /scopes/mailbox/anna/datakeys/unwrap "$(cat "$T/ask")"
tap_is "each item has its own outcome" "200 43 BadCiphertext 43" \
	"$HTTP_STATUS $(json '"\(.value[0].plaintext | length) \(.value[1].error.code) \(.value[2].plaintext | length)"')"
jq -c '{value: [.value[].wrapped, "AAAA"]}' "$T/made" >"$T/ask"
dep POST /scopes/mailbox/anna/datakeys/unwrap "$(cat "$T/ask")"
tap_is "1001 are refused" "400 BadParameter" "$HTTP_STATUS $(json .error.code)"
for wrong in '{"count":0}' '{"count":1001}' '{"count":"1"}' '{"number":1}' '[]'; do
	dep POST /scopes/mailbox/anna/datakeys "$wrong"
	tap_is "refused: $wrong" "400 BadParameter" "$HTTP_STATUS $(json .error.code)"
done

# ---- by the command line ----
tap_is "depctl makes one and opens it" "true" "$(dc datakey generate --kind mailbox --scope anna >"$T/one" &&
	dc datakey unwrap --kind mailbox --scope anna --wrapped "$(jq -r .wrapped "$T/one")" | jq --arg p "$(jq -r .plaintext "$T/one")" '.plaintext == $p')"
tap_is "and some" 3 "$(dc datakey generate --kind mailbox --scope anna --count 3 | jq length)"

# ---- by the library, as its manual shows ----
page_program "$SRCDIR/man/libcustody.3" 2 >"$T/example.c"
tap_ok "the manual's second program compiles without a warning" cc_custody "$T/example"
example() {
	LD_LIBRARY_PATH=$BUILDDIR/src/lib/.libs "$T/example" "$T/depd.sock" "$1" 2>&1
}
tap_is "and opens ten data keys" "0: 32 octets 9: 32 octets 10" "$(example anna >"$T/out" && echo "$(sed -n '1p;10p' "$T/out" | xargs) $(wc -l <"$T/out")")"
tap_like "or says why not" "*(ScopeNotFound, bad)" "$(example nobody)"

# ---- who may (threats G18) ----
tap_is "a workload of another kind gets none" 403 "$(dep_as 12345 /scopes/mailbox/anna/datakeys)"
tap_is "nor does it register" 403 "$(dep_as 12345 /scopes/mailbox)"
tap_is "a stranger learns nothing of what is there" "403 403" \
	"$(dep_as 23456 /scopes/mailbox/anna/datakeys) $(dep_as 23456 /scopes/mailbox/nobody/datakeys)"

dep_stop
tap_is "no data key is in log or audit" 0 "$(cat "$T/depd.log" "$T/log/dep-audit.jsonl" | grep -cF -e "$plain" -e "$wrapped")"
dep_start || bail "depd did not start again"
unwrap anna "$wrapped"
tap_is "it opens after a restart" "200 $plain" "$HTTP_STATUS $(json .plaintext)"
tap_done
