#!/bin/sh
# Independent JOSE libraries make envelopes that open here, and open ours, contexts included (threats E21); one whose ciphertext opens to
# two texts gives one of them at most (threats E10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys rsa
peer() {
	case $library in
	jwcrypto) /usr/bin/python3 "$SRCDIR/tests/support/jose_peer.py" "$@" ;;
	node-jose) NODE_PATH=/usr/share/nodejs node "$SRCDIR/tests/support/jose_peer.js" "$@" ;;
	esac
}
for vault in west:$WEST east:$EAST; do
	http GET "/keys/${vault%:*}" "${vault#*:}"
	json .key >"$T/${vault%:*}.jwk"
done

# meets CONTEXT: envelopes of $library and ours, in the context.
meets() {
	context=$1
	printf '%s' "$context" >"$T/context"
	random_octets 100 >"$T/plain"
	peer make "$T/west.jwk" "$T/east.jwk" "$T/context" "$T/plain" >"$T/envelope" || bail "no envelope of $library's"
	dual unwrapkey "$T/envelope" "$(b64 "$context")"
	tap_is "$library's envelope opens (context '$context')" "200 $(b64_of <"$T/plain") false" "$HTTP_STATUS $(json .value) $(json .degraded)"
	dual check "$T/envelope" "$(b64 "$context")"
	tap_is "by either key" "200 2" "$HTTP_STATUS $(json .redundancy)"
	dual unwrapkey "$T/envelope" "$(b64 "$context.")"
	tap_is "not in another context" "400 BadParameter" "$(answer)"
	dual rewrapkey "$T/envelope" "$(b64 "$context")"
	tap_is "it is rewrapped" 200 "$HTTP_STATUS"
	json .envelope >"$T/ours"

	kid=$(jq -r '.recipients[0].header.kid' "$T/ours")
	use $WEST "${kid##*/keys/}" unwrapkey RSA-OAEP-256 "$(jq -r '.recipients[0].encrypted_key' "$T/ours")"
	unb64 "$(json .value)" >"$T/cek"
	tap_ok "and $library opens ours" peer open "$T/ours" "$T/cek"
	tap_is "to what was in it" "$(b64_of <"$T/plain")" "$(peer open "$T/ours" "$T/cek" | b64_of)"
	jq -c '.aad = "eA"' "$T/ours" >"$T/moved"
	tap_exits "but not in another context" 1 peer open "$T/moved" "$T/cek"
}
for library in jwcrypto node-jose; do
	meets ""
	meets "tenant 7"
done

# --- two truths

library=jwcrypto
peer two-truths "$T/west.jwk" "$T/east.jwk" "$T/first" "$T/second" >"$T/envelope" || bail "no two truths"
tap_ok "one ciphertext, two texts" test "$(b64_of <"$T/first")" != "$(b64_of <"$T/second")"
dual check "$T/envelope" ""
tap_is "the key that it does not commit to is bad (E10)" "1 west opened, east bad BadCiphertext" "$(json .redundancy) $(attempts)"
for _ in 1 2 3 4 5 6; do
	dual unwrapkey "$T/envelope" ""
	json .value
done >"$T/values"
tap_is "whichever token is asked, it opens to the one text" "$(b64_of <"$T/first")" "$(sort -u "$T/values")"
dual rewrapkey "$T/envelope" ""
json .envelope >"$T/whole"
dual check "$T/whole" ""
tap_is "rewrapped, either key opens it to that one" "200 2" "$HTTP_STATUS $(json .redundancy)"
http PATCH "$(kid_path "$WEST_KID")" $WEST '{"attributes":{"enabled":false}}'
dual unwrapkey "$T/envelope" ""
tap_is "and never to the other, though only that key is left" "400 BadParameter" "$(answer)"
tap_done
