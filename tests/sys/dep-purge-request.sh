#!/bin/sh
# Asking for a purge and approving it: only when both keys are denied (threats G12), only by who is registered and signs exactly this
# document (threats G10), once (threats G11); until then it is taken back. From the request on nothing is opened, from memory
# neither (threats G13, G24).
# shellcheck disable=SC2317,SC2119 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
. "$SRCDIR/tests/support/dep_purge.sh"
config_set depd approvers-needed 2
config_set role-recovery-admin principals "user:$(id -un)"
dep_world_start
dep_policy_world

# ---- approvers ----
{ authority ca && authority other && person vera && person otto && person late; } || bail "no certificates: $(cat "$T/openssl.log")"
person stranger other
person server ca "$(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth')"
person keeper ca keyUsage=critical,keyEncipherment
person gone ca keyUsage=critical,digitalSignature -1
for bad in stranger server keeper gone ca; do
	dc_fails "the certificate of \"$bad\" is no approver's" CertificateRefused approver add "$bad" --certificate "$T/$bad.pem"
done
echo nonsense >"$T/nonsense"
dc_fails "nor is nonsense" CertificateRefused approver add x --certificate "$T/nonsense"
dc_does "one is added" approver add vera --certificate "$T/vera.pem"
dc_fails "his certificate again is refused" ApproverExists approver add otto --certificate "$T/vera.pem"
dc_fails "and his name" ApproverExists approver add VERA --certificate "$T/otto.pem"
dc_fails "nobody is replaced who is not there" ApproverNotFound approver replace otto --certificate "$T/otto.pem"

# ---- request ----
policy_make mailbox USA
usa=$(json .id)
policy_make mailbox Other
dc mailbox set anna --policy USA >"$T/out" 2>&1
dc mailbox set bert --policy Other >"$T/out" 2>&1
printf '{"id":"anna"}\n{"id":"bert"}\n' | dc mailbox register >"$T/out" 2>&1 || bail "not registered: $(cat "$T/out")"
data_key anna
request() {
	dc mailbox policy purge request USA --reason "we leave, für immer" --contact vera@contoso.com --exiting-service
}
dc_fails "a purge is for who leaves" BadParameter mailbox policy purge request USA --reason r --contact c
dc_fails "it needs as many approvers as must approve" TooFewApprovers mailbox policy purge request USA --reason r --contact c --exiting-service
dc approver add otto --certificate "$T/otto.pem" >"$T/out" 2>&1
dep POST /policies "$(policy_body m365 Tenant "$WEST_URI" "$EAST_URI")"
dep_answers "a policy of another kind is not purged" "400 PurgeNotSupported" POST "/policies/$(json .id)/purge" \
	'{"reason":"r","contact":"c","exitingService":true}'
refused() {
	request >"$T/out" 2>"$T/error" && return 1
	grep -q PermissionsStillPresent "$T/error" && grep -q "$1" "$T/error"
}
tap_ok "with both keys granted it is refused, naming one" refused "root-west"
dep_grant "$WEST" "$DEP_EXCHANGE" get
tap_ok "with one denied, naming the other" refused "root-east"
dep_grant "$EAST" "$DEP_EXCHANGE" get wrapKey unwrapKey
daemon_stop
tap_ok "unavailable is not denied" refused "root-west"
daemon_start || bail "custodyd did not start again"
tap_is "nothing has changed" "200 enabled opened" \
	"$(dep GET "/policies/$usa" && echo "$HTTP_STATUS $(json .state)") $(opened anna)"
denied
tap_is "the key is in memory still" opened "$(opened anna)"
tap_ok "with both denied it is requested" request
dep GET "/policies/$usa/purge"
tap_is "it says what is under other policies" "PurgeRequested false 1 Other 1" \
	"$(json '[.state, .void, .mailboxes, .otherPolicies[0].policy, .otherPolicies[0].mailboxes] | join(" ")')"
tap_is "and nothing is opened from then on, from memory neither" "403 PolicyPurging" "$(opened anna)"
granted
tap_is "nor by keys that are given back" "403 PolicyPurging" "$(opened anna)"
dep_answers "it is not enabled" "403 PolicyPurging" PATCH "/policies/$usa" '{"enabled":true}'
dep_answers "not refreshed" "403 PolicyPurging" POST "/policies/$usa/refresh"
dep_answers "not recovered" "403 PolicyPurging" POST "/policies/$usa/recover" '{"reason":"the keys are lost"}'
dep_answers "not assigned" "403 PolicyPurging" PATCH /mailboxes/bert '{"policy":"USA"}'
dep_answers "not requested again" "403 PolicyPurging" POST "/policies/$usa/purge" '{"reason":"r","contact":"c","exitingService":true}'

# ---- document and signatures ----
document() {
	rm -f "$T/document"
	dc mailbox policy purge document USA --out "$T/document" 2>"$T/error" || bail "no document: $(cat "$T/error")"
}
approve() {
	dc mailbox policy purge approve USA --document "$T/document" --signature "$T/signature"
}
not_approved() {
	dc_fails "$1" "$2" mailbox policy purge approve USA --document "${3:-$T/document}" --signature "$T/signature"
}
document
tap_is "the document is canonical" "$(jq -cS . "$T/document")" "$(cat "$T/document")"
tap_is "its digest is shown" "$(sha256sum <"$T/document" | cut -d' ' -f1)" "$(dep GET "/policies/$usa/purge" && json .sha256)"
tap_is "it says which mailboxes" "1 $(echo anna | sha256sum | cut -d' ' -f1)" "$(jq -r '"\(.mailboxes) \(.mailboxDigest)"' "$T/document")"
dc approver add late --certificate "$T/late.pem" >"$T/out" 2>&1
for who in stranger server late; do
	sign $who "$T/document"
	not_approved "the signature of \"$who\" does not count" ApprovalRefused
done
sign vera "$T/document" -nodetach
not_approved "nor one that carries its content" ApprovalRefused
sign vera "$T/document" -noattr
not_approved "nor one without signed attributes" ApprovalRefused
sign vera "$T/document" -md sha1
not_approved "nor one with SHA-1" ApprovalRefused
sign vera "$T/document" -signer "$T/otto.pem" -inkey "$T/otto.key"
not_approved "nor one of two persons" ApprovalRefused
sed 's/anna/anne/; s/"mailboxes":1/"mailboxes":2/' "$T/document" >"$T/changed"
sign vera "$T/changed"
not_approved "nor one of another document" ApprovalRefused
not_approved "whose document is not that of the purge" PurgeDocumentVoid "$T/changed"
sign vera "$T/document"
printf x >>"$T/signature"
not_approved "nor one with something behind it" ApprovalRefused
cp "$T/nonsense" "$T/signature"
not_approved "nor nonsense" ApprovalRefused
dep GET "/policies/$usa/purge"
tap_is "nothing of it changed anything" "PurgeRequested 0" "$(json '[.state, (.approvals | length)] | join(" ")')"
sign vera "$T/document" -outform PEM
tap_ok "one of two approves" approve
sign vera "$T/document"
not_approved "not twice" Conflict

# ---- void, cancelled, used once ----
dc mailbox set carl --no-policy >"$T/out" 2>&1
dc mailbox set anna --no-policy >"$T/out" 2>&1
sign otto "$T/document"
not_approved "when a mailbox was taken away the document is void" PurgeDocumentVoid
tap_is "and is shown so" true "$(dep GET "/policies/$usa/purge" && json .void)"
denied
dc_does "it is cancelled" mailbox policy purge cancel USA
not_approved "an approval of what was cancelled is refused" PurgeNotRequested
dc_fails "and so is its cancelling" PurgeNotRequested mailbox policy purge cancel USA
tap_is "the policy is what it was" "enabled 403 AccessDenied" "$(dep GET "/policies/$usa" && json .state) $(opened anna)"
tap_like "a mailbox that is on its way keeps it from being requested" "*Conflict*" "$(request 2>&1)"
granted
tap_is "keys that are given back open it" opened "$(opened anna)"
dc mailbox set anna --policy USA >"$T/out" 2>&1
tap_is "back where it was" opened "$(opened anna)"
denied
tap_ok "it is requested again" request
sign otto "$T/document"
not_approved "the old document does not count again" PurgeDocumentVoid
document
sign otto "$T/document"
tap_ok "the new one is approved by one" approve
sign late "$T/document"
tap_ok "and by the other" approve
dep GET "/policies/$usa/purge"
tap_is "it waits for its time" "PurgeApproved 2 true" "$(json '[.state, (.approvals | length), .due - .requested >= 259200] | join(" ")')"
dc_fails "and is not cancelled any more" PurgeApproved mailbox policy purge cancel USA
dep_answers "its mailboxes do not leave it" "403 PolicyPurging" PATCH /mailboxes/anna '{"noPolicy":true}'
dep_stop
dep_start || bail "depd did not start again"
granted
tap_is "another start changes nothing of that" "403 PolicyPurging" "$(opened anna)"

# ---- a clock that jumps ahead ----
dep_stop
dep_clock_fake 345600
dep_start || bail "depd did not start under another clock"
wait_for dep_log_has 'clock.jumped' || bail "the jump is not noticed: $(cat "$T/depd.log")"
dep GET "/policies/$usa/purge"
tap_is "makes no purge due before a person says that it is right" "PurgeApproved waiting" "$(json '[.state, .step] | join(" ")')"
dc_does "which an administrator does" clock confirm --yes
purged() {
	dep GET "/policies/$usa/purge" && [ "$(json .state)" = Purged ]
}
tap_ok "then it is carried out" wait_for purged
tap_is "the audit has it all" "approver.add purge.approve purge.begun purge.cancel purge.certified purge.erased purge.key-destroyed purge.request" \
	"$(jq -r 'select((.operation | startswith("purge.") or startswith("approver.")) and (.status // 0) < 300 and (.operation | . != "purge.show" and . != "purge.document")) | .operation' \
		"$T/log/dep-audit.jsonl" | sort -u | tr '\n' ' ' | sed 's/ $//')"
tap_done
