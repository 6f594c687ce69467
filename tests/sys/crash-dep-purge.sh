#!/bin/sh
# A purge is approved or not, and an approved one is carried out to its certificate, whenever depd is killed (threats G13, G15).
# shellcheck disable=SC2317,SC2119,SC2153 # functions that sweep and wait_for call
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
. "$SRCDIR/tests/support/dep_purge.sh"
. "$SRCDIR/tests/support/sweep.sh"
config_set depd purge-wait 0s
dep_world_start
dep_policy_world
purge_world
dc organization public-key --out "$T/service.pem" || bail "no public key"

purge_before() {
	granted
	policy_make mailbox "$NAME"
	ID=$(json .id)
	dc mailbox set "box-$NAME" --policy "$NAME" >"$T/out" 2>&1
	echo "{\"id\":\"box-$NAME\"}" | dc mailbox register >"$T/out" 2>&1 || bail "not registered: $(cat "$T/out")"
	denied
	dc mailbox policy purge request "$NAME" --reason r --contact c --exiting-service >"$T/out" 2>&1 || bail "not requested: $(cat "$T/out")"
	rm -f "$T/document" "$T/certificate"
	dc mailbox policy purge document "$NAME" --out "$T/document" || bail "no document"
	sign vera "$T/document"
	APPROVAL=$(jq -nc --arg document "$(b64url "$T/document")" --arg signature "$(b64url "$T/signature")" '$ARGS.named')
}
b64url() {
	base64 -w 0 "$1" | tr '+/' '-_' | tr -d '='
}
purge_client() {
	client_http POST "/policies/$ID/purge/approve" "" "$APPROVAL"
	client_waits "sqlite3 'file:$T/dep.db?mode=ro' \"SELECT phase FROM purge WHERE phase = 6 AND policy = (SELECT max(id) FROM policy)\" | grep -q 6"
}
purged() {
	dep GET "/policies/$ID/purge" && [ "$(json .state)" = Purged ]
}
purge_after() {
	dep GET "/policies/$ID/purge"
	if [ "$(json .state)" = PurgeRequested ]; then
		! acknowledged || point_problem "an approval that was acknowledged is not there"
		dep POST "/policies/$ID/purge/approve" "$APPROVAL"
		expect_is "the approval once more" 200 "$HTTP_STATUS"
	fi
	wait_for purged || point_problem "it is not carried out: $(cat "$T/body")"
	expect_is "mailboxes erased" "1 purged" "$(dep GET "/policies/$ID/purge" && json .erased) $(dep GET "/mailboxes/box-$NAME" && json .state)"
	expect "the certificate is there" dc mailbox policy purge certificate "$NAME" --out "$T/certificate"
	expect "and verifies" dc purge verify "$T/certificate" --public-key "$T/service.pem" --authorities "$T/ca.pem"
	expect_is "the availability key is gone" 0 \
		"$(service token_tool sw --list-objects 2>"$T/tool.err" | grep -c "label: *availability/ak-$ID")"
	for record in begun erased key-destroyed certified; do
		expect_one_of "records of purge.$record" "$(grep "\"purge.$record\"" "$T/log/dep-audit.jsonl" | grep -c "\"$NAME\"")" 1 2
	done
}
sweep purge depd 4
tap_done
