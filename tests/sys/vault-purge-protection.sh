#!/bin/sh
# Purge protection: on once, on for ever; nobody purges, the schedule does (§5, §10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
config_set custodyd clock-jump-limit 30d
config_set custodyd purge-interval 1s
world_start
vault_make safe west --retention-days 7 --enable-purge-protection true
key_make safe k '{"kty":"oct"}'
tap_is "the recovery level says it" CustomizedRecoverable "$(json .attributes.recoveryLevel)"
http DELETE /keys/k safe
tap_is "deletion too" CustomizedRecoverable "$(json .attributes.recoveryLevel)"
answers "purging is refused" "403 Forbidden PurgeProtected" DELETE /deletedkeys/k safe
for body in '{"enablePurgeProtection":false}' '{"enablePurgeProtection":null}' '{"enablePurgeProtection":0}' '{"enablePurgeProtection":"false"}'; do
	http PATCH /vaults/safe "" "$body"
	http GET /vaults/safe ""
	tap_is "it is not undone by $body" true "$(json .enablePurgeProtection)"
done
answers "false is refused by name" "400 BadParameter" PATCH /vaults/safe "" '{"enablePurgeProtection":false}'
answers "true again is harmless" 200 PATCH /vaults/safe "" '{"enablePurgeProtection":true}'
answers "the vault is not deleted under its keys" "409 Conflict NotEmpty" DELETE /vaults/safe ""
answers "recovery works" 200 POST /deletedkeys/k/recover safe
http DELETE /keys/k safe

key_make $WEST k '{"kty":"oct"}'
http DELETE /keys/k $WEST
answers "another vault is protected later" 200 PATCH /vaults/$WEST "" '{"enablePurgeProtection":true}'
answers "also the keys that were deleted before" "403 Forbidden PurgeProtected" DELETE /deletedkeys/k $WEST
http GET /deletedkeys/k $WEST
tap_is "whose level follows" Recoverable "$(json .attributes.recoveryLevel)"

clock_fake $((7 * 86400 - 600))
tap_like "its object is on the token" "*safe/k*" "$(token_objects west safe/k)"
answers "ten minutes before its time it is there" 200 GET /deletedkeys/k safe
clock_fake $((7 * 86400 + 1))
# shellcheck disable=SC2317 # run by wait_for
gone() {
	http GET /deletedkeys/k safe
	[ "$HTTP_STATUS" = 404 ]
}
tap_ok "at its time it is purged by itself" wait_for gone
tap_is "on the token too" "" "$(token_objects west safe/k)"
answers "the other vault's key has 90 days" 200 GET /deletedkeys/k $WEST
tap_done
