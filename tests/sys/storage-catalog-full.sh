#!/bin/sh
# The catalog's disk is full, at every stage of a change: a change is done, or answered StorageFull and not done; reads go on;
# nothing is left on the token; with room again it goes on without a restart (threats D1).
. "$SRCDIR/tests/support/smallfs.sh"
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
smallfs_make "$T/small"
config_set custodyd catalog "$T/small/custody.db"
config_set custodyd catalog-reserve 128K
world_start
key_make $WEST west '{"kty":"EC"}'
key_make $EAST k '{"kty":"oct"}'
key_make $EAST gone '{"kty":"oct"}'
http DELETE /keys/gone $EAST
use $EAST k wrapkey A256KW "$(random_b64 32)"
wrapped=$(json .value)
daemon_stop # the WAL goes into the file
daemon_start || bail "no restart"
wait_for token_is east ready
full="503 ServiceUnavailable StorageFull"
FILL=$T/small

# shellcheck disable=SC2317 # run by wait_for
no_findings() {
	http GET /doctor ""
	[ "$(json '.findings | length')" = 0 ]
}

# --- every change, when there is no room at all
smallfs_fill "$FILL"
answers "the first change finds the disk full" "$full" POST /keys/new/create $EAST '{"kty":"oct"}'
tap_ok "the reserve is given up for it" log_has '<3>reserve.released'
tap_ok "and is gone" test ! -e "$FILL/custody.db.reserve"
smallfs_fill "$FILL"
http GET /keys/k $EAST
before=$(cat "$T/body")
answers "update" "$full" PATCH "$(kid_path "$(json .key.kid)")" $EAST '{"attributes":{"enabled":false}}'
answers "delete" "$full" DELETE /keys/k $EAST
answers "recover" "$full" POST /deletedkeys/gone/recover $EAST
answers "purge" "$full" DELETE /deletedkeys/gone $EAST
answers "a new version" "$full" POST /keys/k/create $EAST '{"kty":"oct"}'
answers "a policy" "$full" PUT "/vaults/$EAST/policies/user:daemon" "" '{"permissions":{"keys":["get"]}}'
answers "a vault" "$full" PUT /vaults/another "" '{"token":"west"}'
answers "a vault's tags" "$full" PATCH "/vaults/$EAST" "" '{"tags":{"a":"b"}}'
answers "reads go on: the key is as it was" 200 GET /keys/k $EAST
tap_is "octet for octet" "$before" "$(cat "$T/body")"
use $EAST k unwrapkey A256KW "$wrapped"
tap_is "and opens what it closed" 200 "$(answer)"
answers "the deleted one is deleted" 200 GET /deletedkeys/gone $EAST
answers "no vault was made" "404 VaultNotFound" GET /vaults/another ""
http GET "/vaults/$EAST" ""
tap_is "no policy was set" 0 "$(json '[.accessPolicies[] | select(.principal == "user:daemon")] | length')"
http GET /health ""
tap_is "health tells of it" "503 the catalog's disk is full" "$HTTP_STATUS $(json '.reasons | join(",")')"

# --- a restart on the full disk
daemon_stop
daemon_start
tap_is "on the full disk it starts" 0 $?
wait_for token_is east ready
use $EAST k unwrapkey A256KW "$wrapped"
tap_is "and opens" 200 "$(answer)"
answers "and changes nothing" "$full" DELETE /keys/k $EAST

# --- each number of pages left, so that each write of a creation is the one that does not fit
smallfs_free "$FILL"
results=
for pages in 0 1 2 3 4 5 6 7 8 9 10 11 12 14 16 18 20 24; do
	smallfs_fill "$FILL" $pages
	http POST "/keys/n$pages/create" $EAST '{"kty":"oct"}'
	smallfs_free "$FILL"
	results="$results $HTTP_STATUS"
	case $(answer) in
	200) expected=200 ;;
	"$full") expected="404 KeyNotFound" ;;
	*) expected="200 or $full, not $(answer)" ;;
	esac
	http GET "/keys/n$pages" $EAST
	tap_is "$pages pages: answered is done, refused is not" "$expected" "$(answer)"
done
tap_like "with no page it is refused, with enough it is done" " 503*200" "$results"
answers "with room it goes on without a restart" 200 POST /keys/n0/create $EAST '{"kty":"oct"}'
answers "and what was refused is done" 200 POST /deletedkeys/gone/recover $EAST
tap_ok "token and catalog agree" wait_for no_findings
tap_ok "the reserve is there again" wait_for test -s "$FILL/custody.db.reserve"
# shellcheck disable=SC2317 # run by wait_for
healthy() {
	http GET /health ""
	[ "$HTTP_STATUS" = 200 ]
}
tap_ok "and all is well" wait_for healthy
tap_done
