#!/bin/sh
# An approved purge is carried out: the keys of its mailboxes are erased, the availability key is destroyed on its token, and that is
# certified (threats G13, G15). With everything kept from before, nothing opens any more while both customer keys are denied; with the
# keys granted again an old copy of the catalog does; with both purged nothing does, which is what the second certificate says (threats G14).
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
. "$SRCDIR/tests/support/dep_purge.sh"
config_set depd purge-wait 0s
clock_fake 0
dep_world_start
dep_policy_world
purge_world

policy_make mailbox USA
usa=$(json .id)
for id in anna bert; do
	dc mailbox set $id --policy USA >"$T/out" 2>&1
done
printf '{"id":"anna"}\n{"id":"bert","state":"unencrypted"}\n{"id":"carl"}\n' | dc mailbox register >"$T/out" 2>&1 ||
	bail "not registered: $(cat "$T/out")"
data_key anna
data_key carl
cp "$T/dep.db" "$T/before.db"
cp "$T/dep.db-wal" "$T/before.db-wal"
cat "$T/dep.db" "$T/dep.db-wal" >"$T/before.octets"

# recovered CATALOG: what comes of trying everything that a catalog has, as whoever runs the service: its answer is the way, or "nothing".
jose_verifies() {
	openssl pkey -pubin -in "$T/service.pem" -outform DER | python3 -c 'import sys, json, base64
der = sys.stdin.buffer.read()
x, y = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (der[-64:-32], der[-32:]))
print(json.dumps({"kty": "EC", "crv": "P-256", "x": x, "y": y}))' >"$T/service.jwk"
	jose jws ver -i "$1" -k "$T/service.jwk" -O- >"$T/jose.out"
}
recovered() {
	"$BUILDDIR/tests/attack/dep-recover" "$1" contoso anna "$T/custodyd.sock" "$T/service/custodyd.sock" 2>"$T/recover.err"
}
tap_is "with the keys granted a copy of the catalog gives the mailbox's key" "customer keys" "$(recovered "$T/before.db")"
denied
tap_is "with both denied the availability key gives it" "availability key" "$(recovered "$T/before.db")"

request() {
	dc mailbox policy purge request USA --reason "we leave" --contact vera@contoso.com --exiting-service
}
request >"$T/out" 2>&1 || bail "not requested: $(cat "$T/out")"
tap_is "until it is approved it still does" "availability key" "$(recovered "$T/before.db")"
dc_fails "nothing is certified yet" PurgeNotDone mailbox policy purge certificate USA
dc_fails "nor could it be" PurgeNotDone mailbox policy purge certify USA --backups-destroyed "there were none"
dc mailbox policy purge document USA --out "$T/document" || bail "no document"
sign vera "$T/document"
ak=$(dep GET "/policies/$usa" && json '.generations[0].availabilityKey')
dc_does "it is approved" mailbox policy purge approve USA --document "$T/document" --signature "$T/signature"
purged() {
	dep GET "/policies/$usa/purge" && [ "$(json .state)" = Purged ]
}
wait_for purged || bail "not purged: $(json .) $(tail -5 "$T/depd.log")"
tap_is "and carried out" "Purged certified 2" "$(json '[.state, .step, .erased] | join(" ")')"

# ---- what is left ----
tap_is "the policy is purged" purged "$(dep GET "/policies/$usa" && json .state)"
tap_is "so are its mailboxes" "purged false" "$(dep GET /mailboxes/anna && json '"\(.state) \(.isEncrypted)"')"
tap_is "those in clear too" purged "$(dep GET /mailboxes/bert && json .state)"
tap_is "nothing is opened" "403 PolicyPurging" "$(opened anna)"
dep_answers "no new data key is made" "403 PolicyPurging" POST /scopes/mailbox/anna/datakeys
dep_answers "nothing moves there" "403 PolicyPurging" POST /scopes/mailbox/bert/moved
dep_answers "no mailbox leaves it" "403 PolicyPurging" PATCH /mailboxes/anna '{"noPolicy":true}'
dep_answers "it is not cancelled" "409 PurgeApproved" DELETE "/policies/$usa/purge"
tap_is "other mailboxes are read as before" opened "$(opened carl)"
tap_is "the availability key is gone from the service's custody, and that is known" "200 purged" \
	"$(HTTP_SOCKET=$T/service/custodyd.sock && http GET "/vaults/availability/keys/$(echo "$ak" | cut -d/ -f5-)" && echo "$HTTP_STATUS $(json .state)")"
tap_is "its object is gone from its token" 0 "$(service token_tool sw --list-objects 2>"$T/tool.err" | grep -c "label: *availability/ak-$usa")"
tap_is "nothing wrapped is left in the catalog" "0 0" "$(
	sqlite3 "$T/dep.db" "SELECT (SELECT count(*) FROM generation g JOIN policy p ON p.id = g.policy WHERE p.state = 4 AND (g.envelope <> '' OR length(g.availability_wrap) > 0)),
		(SELECT count(*) FROM scope WHERE state = 4 AND (wrapped IS NOT NULL OR key_id IS NOT NULL))" | tr '|' ' '
)"
wrapped_of() {
	sqlite3 "$1" "SELECT hex(wrapped) FROM scope WHERE name = 'anna'" | cut -c1-96 | xxd -r -p
}
wrapped_of "$T/before.db" >"$T/anna.octets"
# octets_in FILE...: those of them that have the key of anna, as it was wrapped, anywhere.
octets_in() {
	python3 -c 'import sys
wanted = open(sys.argv[1], "rb").read()
for path in sys.argv[2:]:
	if wanted in open(path, "rb").read():
		print(path)' "$T/anna.octets" "$@"
}
tap_is "what was wrapped was in the catalog" "$T/before.octets" "$(octets_in "$T/before.octets")"
find "$T" -type f ! -name 'before.*' ! -name anna.octets ! -name '*.gcda' >"$T/files"
# shellcheck disable=SC2046 # words
tap_is "and is in no file any more, the catalog and its write-ahead log neither" "" "$(octets_in $(cat "$T/files"))"
tap_is "nothing is recovered from the catalog" nothing "$(recovered "$T/dep.db")"
tap_is "nor from a copy of before, while both keys are denied" nothing "$(recovered "$T/before.db")"

# ---- the first certificate ----
dc_does "the organization's key is shown" organization show
dc organization public-key --out "$T/service.pem" || bail "no public key"
dc mailbox policy purge certificate USA --out "$T/first.jws" || bail "no certificate"
dc_does "the certificate is verified" purge verify "$T/first.jws" --public-key "$T/service.pem" --authorities "$T/ca.pem"
cp "$T/out" "$T/statement"
tap_is "it states what was destroyed, and what it does not cover" "AvailabilityKeyDestroyed contoso 2 $ak false true" "$(
	jq -r '[.kind, .organization, .mailboxes, .availabilityKeys[0].kid, .availabilityKeys[0].hardware,
		(.notCovered | join(" ") | contains("files of its host"))] | map(tostring) | join(" ")' "$T/statement"
)"
tap_like "nor what was under another policy before" "*under another policy before*" "$(jq -r '.notCovered | join(" ")' "$T/statement")"
tap_is "and by whose approval" "vera $(sha256sum <"$T/document")" \
	"$(jq -r '.approvals[0].approver' "$T/statement") $(jq -j .document "$T/statement" | sha256sum)"
tap_ok "jose verifies it too" jose_verifies "$T/first.jws"
tap_is "its audit head is in the audit" 1 "$(grep -c "$(jq -r .audit.hash "$T/statement")" "$T/log/dep-audit.jsonl" | sed 's/[2-9]/1/')"
sed 's/\.\(.\)\([^.]*\)$/.\2\1/' "$T/first.jws" >"$T/forged.jws"
dc_fails "a changed one is refused" SignatureRefused purge verify "$T/forged.jws" --public-key "$T/service.pem"
openssl ecparam -name prime256v1 -genkey -noout 2>"$T/openssl.log" | openssl pkey -pubout -out "$T/other.pem" 2>"$T/openssl.log"
dc_fails "one of another key is" SignatureRefused purge verify "$T/first.jws" --public-key "$T/other.pem"
authority stranger || bail "no authority"
dc_fails "approvals are those of the authorities given" ApprovalRefused purge verify "$T/first.jws" \
	--public-key "$T/service.pem" --authorities "$T/stranger.pem"

# ---- another start, with the keys granted again, and a purge that nobody approved in the catalog ----
granted
policy_make mailbox Planted
dep_stop
empty=$(printf '' | sha256sum | cut -d' ' -f1)
sqlite3 "$T/dep.db" "UPDATE policy SET state = 3 WHERE name = 'Planted';
	INSERT INTO purge SELECT id, 2, 1, '{}', 0, X'$empty', 99, 1, 1, 1, 1 FROM policy WHERE name = 'Planted'" || bail "not planted"
dep_start || bail "depd did not start again"
tap_ok "a purge that was planted waits" wait_for dep_log_has 'purge.waits.*was not approved'
tap_is "and destroys nothing" 3 "$(sqlite3 "$T/dep.db" "SELECT state FROM policy WHERE name = 'Planted'")"
tap_is "keys that are given back open nothing" "403 PolicyPurging" "$(opened anna)"
tap_is "but they open a copy of the catalog from before" "customer keys" "$(recovered "$T/before.db")"
dc_fails "so nothing is irrecoverable yet" KeysNotPurged mailbox policy purge certify USA --backups-destroyed "there were none"

# ---- the second certificate ----
http DELETE /keys/root-west "$WEST"
http DELETE /keys/root-east "$EAST"
dc_fails "a key that is deleted is not purged" KeysNotPurged mailbox policy purge certify USA --backups-destroyed "there were none"
clock_fake $((91 * 86400))
client_purged() {
	http GET "/deletedkeys/root-west" "$WEST" && [ "$HTTP_STATUS" = 404 ] && http GET "/deletedkeys/root-east" "$EAST" && [ "$HTTP_STATUS" = 404 ]
}
http POST /clock/confirm ""
wait_for client_purged || bail "the customer keys are not purged: $(json .)"
tap_is "with both customer keys purged a copy of before opens nothing" nothing "$(recovered "$T/before.db")"
dc_fails "somebody says what became of backups" "--backups-destroyed must be given" mailbox policy purge certify USA
dc_does "then it is certified that nothing is recoverable" mailbox policy purge certify USA --backups-destroyed "There were none."
dc_fails "once" Conflict mailbox policy purge certify USA --backups-destroyed "There were none."
dc mailbox policy purge certificate USA --irrecoverable --out "$T/second.jws" || bail "no second certificate"
dc_does "it is verified" purge verify "$T/second.jws" --public-key "$T/service.pem" --authorities "$T/ca.pem"
tap_is "and states which keys, and who said what of backups" "Irrecoverable 2 There were none. $(sha256sum <"$T/first.jws" | cut -d' ' -f1)" \
	"$(jq -r '[.kind, (.customerKeysPurged | length), .backupsDestroyed.text, .first] | map(tostring) | join(" ")' "$T/out")"
tap_is "the audit has it step by step" "purge.begun purge.certified purge.erased purge.key-destroyed" \
	"$(jq -r 'select(.operation | test("^purge\\.(begun|erased|key-destroyed|certified)$")) | .operation' "$T/log/dep-audit.jsonl" | sort | tr '\n' ' ' | sed 's/ $//')"
tap_done
