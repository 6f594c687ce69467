#!/bin/sh
# Names: what is one, that case does not count, and how a request may spell path, host and vault (§1, §4; threats C17).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

long=$(printf 'n%.0s' $(seq 127))
key_make $WEST Some-Key-1 '{"kty":"oct"}'
kid=$KID
key_make $WEST "$long" '{"kty":"oct"}'
tap_is "127 characters are a name" 127 "$(json '.key.kid | split("/")[4] | length')"
key_make $WEST restore '{"kty":"oct"}'
key_make $WEST versions '{"kty":"oct"}'
key_make $WEST - '{"kty":"oct"}'
for bad in "${long}n" a_b a.b a%20b a%2Fb a%00b a%252db %C3%A4 a~b; do
	http POST "/keys/$bad/create" $WEST '{"kty":"oct"}'
	tap_is "no name to create: $(printf '%.12s' "$bad")" "400 BadParameter" "$(answer)"
	http GET "/keys/$bad" $WEST
	tap_is "nor to read: $(printf '%.12s' "$bad")" "400 BadParameter" "$(answer)"
done
for path in /keys/some-key-1 /keys/SOME-KEY-1/ "/Keys/Some-Key-1?api-version=7.4" "$(kid_path "$kid")" \
	"$(kid_path "$kid" | tr '[:lower:]' '[:upper:]')?api-version=7.4" /keys/Some%2dKey%2D1 "$(kid_path "$kid")/"; do
	answers "GET $path" 200 GET "$path" $WEST
	tap_is "is the key as it was created" "$kid" "$(json .key.kid)"
done
for path in /keys/some-key-1//wrapkey /keys/some-key-1//WrapKey /KEYS/some-key-1//WRAPKEY?api-version=7.4 "$(kid_path "$kid")/wrapkey"; do
	answers "POST $path" 200 POST "$path" $WEST '{"alg":"A256KW","value":"AAAAAAAAAAAAAAAAAAAAAA"}'
	tap_is "is done with its version" "$kid" "$(json .kid)"
done
for path in //keys/some-key-1 /keys//some-key-1 /keys/./some-key-1 /keys/../keys/some-key-1 /keys/some-key-1/../some-key-1 \
	/keys/some-key-1/x/wrapkey/y /key /; do
	http GET "$path" $WEST
	tap_like "no such path: $path" "40[04] *" "$(answer)"
done

get() { # HOST: status and kid of the key
	http GET "/keys/some-key-1?api-version=7.4" "$1"
	echo "$HTTP_STATUS $(json '.key.kid // .error.code')"
}
for host in $WEST.vault.azure.net $WEST.VAULT.azure.net ContosoWestUS.vault.azure.net $WEST.vault.azure.net:443 $WEST.vault.azure.net:80 \
	$WEST.other.example. $WEST.vault.azure.net.; do
	tap_is "Host: $host" "200 $kid" "$(get "$host")"
done
tap_is "a bare label is a vault" "200 $kid" \
	"200 $(curl -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST" -H 'Authorization: x' 'http://x/keys/some-key-1?api-version=7.4' | jq -r .key.kid)"
tap_is "another vault has no such key" "404 KeyNotFound" "$(get $EAST)"
tap_is "nobody's vault" "404 VaultNotFound" "$(get nobody)"
tap_is "a vault by its number" "404 VaultNotFound" "$(get 127.0.0.1)"
tap_done
