#!/bin/sh
# Many scopes: registered in one request, moved by one assignment in the background, paused, resumed, killed in between (threats G8, G25).
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
need_root

MANY=6000

dep_is_set_up() {
	dep GET /assignments/tenant
	[ "$HTTP_STATUS" = 200 ]
}
dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}
# progress: scopes of mailboxes, and how many of them are where they belong.
progress() {
	dep GET /assignments/tenant
	json '.workloads[] | select(.name == "mailbox") | "\(.scopes) \(.encrypted) \(.percentage)"'
}
progress_is() {
	[ "$(progress)" = "$1" ]
}
some_are_done() {
	done_count=$(progress | cut -d ' ' -f 2)
	[ "$done_count" -gt 0 ] && [ "$done_count" -lt "$MANY" ]
}
keys_open() {
	while read -r name wrapped plain; do
		dep POST "/scopes/mailbox/$name/datakeys/unwrap" "{\"wrapped\":\"$wrapped\"}"
		[ "$(json .plaintext)" = "$plain" ] || echo "$name $HTTP_STATUS"
	done <"$T/keys"
}

config_set depd rewrap-rate 0
dep_world_start
wait_for dep_is_set_up || bail "there is no organization: $HTTP_STATUS $(cat "$T/body")"
seq -f '{"id":"mailbox-%05g@contoso.example.com","type":"UserMailbox"}' 1 $MANY >"$T/lines"
tap_ok "they are more than other requests may have" test "$(wc -c <"$T/lines")" -gt 131072
tap_is "registered in one request" "$MANY 0" "$(dc mailbox register --in "$T/lines" | jq -r '"\(.registered) \(.known)"')"
tap_is "nobody else may send so much" 413 "$(someone 12345 curl -s --unix-socket "$T/depd.sock" -H 'Expect:' --data-binary @- \
	-o /dev/null -w '%{http_code}' http://localhost/scopes/mailbox <"$T/lines")"
tap_is "nor to another path" 413 "$(dep PATCH /mailboxes/x "$(cat "$T/lines")" && echo "$HTTP_STATUS")"
tap_is "all are encrypted" "$MANY $MANY 100" "$(progress)"
tap_is "and listed, page by page" "$MANY" "$(dc mailbox list | jq '[.[].id] | unique | length')"
for number in 00001 03000 06000; do
	dep POST "/scopes/mailbox/mailbox-$number@contoso.example.com/datakeys"
	echo "mailbox-$number@contoso.example.com $(json '.wrapped + " " + .plaintext')"
done >"$T/keys"

# ---- one assignment moves them all ----
dc m365 policy create --name Global --key "$(dep_key contosowestus root)" --key "$(dep_key contosocentralus root)" >"$T/out" 2>&1 ||
	bail "no policy: $(cat "$T/out")"
dc m365 assignment set Global >"$T/out" 2>&1
tap_is "paused, nothing moves" "$MANY 0 0" "$(progress)"
tap_is "and everything is read" "" "$(keys_open)"
tap_is "which moved what was read" "$MANY 3 0" "$(progress)"
config_set depd rewrap-rate 1500
dep_reload
tap_ok "resumed, it goes on" wait_for some_are_done
dep_stop KILL
config_set depd rewrap-rate 100000
dep_start || bail "depd did not start again"
tap_ok "and ends after a kill" wait_for progress_is "$MANY $MANY 100"
tap_is "everything is still read" "" "$(keys_open)"
tap_is "the old generation has no scopes left" 0 "$(sqlite3 "$T/dep.db" \
	"SELECT count(*) FROM scope WHERE kind = 1 AND generation <> (SELECT current FROM policy WHERE name = 'Global')")"
tap_is "and the counts are those of the rows" 0 "$(sqlite3 "$T/dep.db" \
	"SELECT count(*) FROM scope_count c WHERE count <> (SELECT count(*) FROM scope s WHERE s.slot = c.slot AND s.state = c.state AND ifnull(s.generation, 0) = c.generation)")"
tap_done
