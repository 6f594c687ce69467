#!/bin/sh
# Keys get their next version on request and by their policy, by a clock that is put forward and confirmed (akv-contract §12).
# shellcheck disable=SC2317 # functions that wait_for calls
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
clock_fake 0
world_start
DAY=86400
policy() { # JSON
	http PUT /keys/k/rotationpolicy $WEST "$1"
	answer
}
version_count() { # KEY
	http GET "/keys/$1/versions" $WEST
	json '.value | length'
}
versions_are() {
	[ "$(version_count "$1")" = "$2" ]
}

# ---- on request ----
key_make $WEST k '{"kty":"RSA","key_size":2048,"key_ops":["wrapKey","unwrapKey"],"tags":{"of":"contoso"}}'
first=$KID
secret=$(random_b64 32)
use $WEST k wrapkey RSA-OAEP-256 "$secret"
wrapped=$(json .value)
http POST /keys/k/rotate $WEST
tap_is "the next version is of the same kind" "200 RSA 342 wrapKey,unwrapKey contoso true null" \
	"$HTTP_STATUS $(json '"\(.key.kty) \(.key.n | length) \(.key.key_ops | join(",")) \(.tags.of) \(.attributes.enabled) \(.attributes.exp)"')"
tap_ok "and another" test "$(json .key.kid)" != "$first"
http POST "$(kid_path "$first")/unwrapkey" $WEST "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$wrapped\"}"
tap_is "the old one goes on opening" "200 $secret" "$HTTP_STATUS $(json .value)"
tap_is "no such key" "404 KeyNotFound" "$(ask "" POST /keys/nobody/rotate $WEST)"
for kind in '{"kty":"EC","crv":"P-384"}' '{"kty":"oct","key_size":128,"key_ops":["wrapKey","unwrapKey"]}' '{"kty":"RSA","key_size":2048,"public_exponent":3}'; do
	key_make $WEST any "$kind"
	http GET /keys/any $WEST
	before=$(json '[.key.kty, .key.crv, .key.e, .key.key_ops] | tojson')
	http POST /keys/any/rotate $WEST
	tap_is "alike: $kind" "200 $before" "$HTTP_STATUS $(json '[.key.kty, .key.crv, .key.e, .key.key_ops] | tojson')"
done

# ---- policies ----
http GET /keys/k/rotationpolicy $WEST
tap_is "without a policy one is shown" '200 [{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"Notify"}}] {}' "$HTTP_STATUS $(json '.lifetimeActions | tojson') $(json '.attributes | tojson')"
tap_like "with its id" "https://contosowestus.*/keys/k/rotationpolicy" "$(json .id)"
rotate='{"trigger":{"timeAfterCreate":"P30D"},"action":{"type":"rotate"}}'
notify='{"trigger":{"timeBeforeExpiry":"P50D"},"action":{"type":"Notify"}}'
for bad in '{"attributes":{"expiryTime":"P27D"}}' '{"attributes":{"expiryTime":"soon"}}' "{\"lifetimeActions\":[$rotate,$rotate]}" \
	'{"lifetimeActions":[{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"Rotate"}}]}' '{"lifetimeActions":[{"action":{"type":"Rotate"}}]}' '[]' '{'; do
	tap_is "refused: $bad" "400 BadParameter" "$(policy "$bad")"
done
http GET /keys/k/rotationpolicy $WEST
tap_is "and nothing was set" "{}" "$(json '.attributes | tojson')"
tap_is "one is set" 200 "$(policy "{\"lifetimeActions\":[$rotate,$notify],\"attributes\":{\"expiryTime\":\"P90D\"}}")"
tap_is "and shown" "Rotate P30D Notify P50D P90D true" "$(json '"\(.lifetimeActions[0].action.type) \(.lifetimeActions[0].trigger.timeAfterCreate) \(.lifetimeActions[1].action.type) \(.lifetimeActions[1].trigger.timeBeforeExpiry) \(.attributes.expiryTime) \(.attributes.created == .attributes.updated)"')"
http POST /keys/k/rotate $WEST
tap_is "a version made now ends in 90 days" $((90 * DAY)) "$(json '.attributes.exp - .attributes.created')"
tap_is "no such key has a policy" "404 KeyNotFound" "$(ask "" GET /keys/nobody/rotationpolicy $WEST)"

# ---- by the clock ----
daemon_stop KILL
clock_fake $((29 * DAY))
daemon_start || bail "no restart"
wait_for token_is west ready
ctl clock confirm --yes >"$T/out" 2>&1 || bail "not confirmed: $(cat "$T/out")"
tap_is "a day early nothing is made" 3 "$(version_count k)"
clock_fake $((31 * DAY))
wait_for log_has purge.suspended || bail "the jump was not noticed"
tap_is "a clock that jumped makes nothing either" 3 "$(version_count k)"
ctl clock confirm --yes >"$T/out" 2>&1 || bail "not confirmed: $(cat "$T/out")"
tap_ok "once it is confirmed the next version is made" wait_for versions_are k 4
tap_ok "by the daemon, and recorded" wait_for grep -q '"operation":"key.rotate","vault":"contosowestus","key":"k".*"outcome":"done"' "$T/log/audit.jsonl"
http GET /keys/k $WEST
tap_is "it ends by the policy" "true $((90 * DAY))" "$(json '"\(.attributes.enabled) \(.attributes.exp - .attributes.created)"')"
tap_is "nothing of it is pending" 0 "$(http GET /status "" && json .intents)"
tap_is "its end was told of no one" 0 "$(grep -c key.expires "$T/custodyd.log")"
tap_is "only a notice from here on" 200 "$(policy "{\"lifetimeActions\":[$notify]}")"
clock_fake $((72 * DAY))
ctl clock confirm --yes >"$T/out" 2>&1 || bail "not confirmed: $(cat "$T/out")"
tap_ok "the coming end is told" wait_for log_has key.expires
daemon_stop
daemon_start || bail "no restart"
wait_for token_is west ready
ctl clock confirm --yes >"$T/out" 2>&1 || bail "not confirmed: $(cat "$T/out")"
tap_is "once" "1 4" "$(grep -c key.expires "$T/custodyd.log") $(version_count k)"

# ---- by the command line ----
tap_is "custodyctl shows the policy" P50D "$(ctl key rotation-policy show --vault-name $WEST --name k | jq -r '.lifetimeActions[0].trigger.timeBeforeExpiry')"
ctl key rotation-policy show --vault-name $WEST --name k | jq '.attributes.expiryTime = "P1Y"' >"$T/policy"
tap_is "and sets it" P1Y "$(ctl key rotation-policy update --vault-name $WEST --name k --in "$T/policy" | jq -r .attributes.expiryTime)"
tap_exits "not a wrong one" 3 ctl key rotation-policy update --vault-name $WEST --name k --in "$T/out"
tap_is "and rotates" 5 "$(ctl key rotate --vault-name $WEST --name k >"$T/out" && version_count k)"
tap_done
