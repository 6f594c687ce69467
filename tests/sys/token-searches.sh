#!/bin/sh
# A key is searched for once, by its id; after that uses of it search nothing, however many objects the token holds (threats B26).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/spy.sh"
token_make west
config_set token-west sessions 1
config_set custodyd idle-ping 0ms
spy_on west
daemon_start || bail "custodyd did not start (status $?)"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "token west is $(token_state west)"
vault_make contosowestus west
key_make $WEST k '{"kty":"oct"}'
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
wrapped=$(json .value)

# searches N: how many searches so many uses cost.
searches() {
	searches_before=$(spy_count west C_FindObjectsInit)
	i=0
	while [ $i -lt "$1" ]; do
		use $WEST k unwrapKey A256KW "$wrapped"
		[ "$(json .value)" = "$value" ] || bail "unwrap: $(cat "$T/body")"
		i=$((i + 1))
	done
	echo $(($(spy_count west C_FindObjectsInit) - searches_before))
}
tap_is "twenty uses search nothing" 0 "$(searches 20)"
i=0
while [ $i -lt 10 ]; do
	key_make $WEST "more-$i" '{"kty":"oct"}'
	i=$((i + 1))
done
tap_is "nor with more objects on the token" 0 "$(searches 20)"
tap_ok "what is searched is searched by its id" test "$(grep -c 'CKA_ID' "$T/spy-west")" -gt 0
tap_is "and nothing by its label" 0 "$(awk '
	/: C_FindObjectsInit$/ { searching = 1; next }
	/^Returned/ { searching = 0 }
	searching && /CKA_LABEL/ { labels++ }
	END { print labels + 0 }' "$T/spy-west")"
tap_done
