#!/bin/sh
# Lists come in pages whose links are followed as they are: also twice, on another connection, after a restart (§6).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

names() {
	sed 's|.*/keys/||' "$T/items" | tr '\n' ' '
}

answers "an empty vault" 200 GET /keys $WEST
tap_is "is an empty array without a link" '{"value":[],"nextLink":null}' "$(cat "$T/body")"

expected=
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27; do
	key_make $WEST "Key-$i" '{"kty":"oct","key_size":128,"tags":{"n":"'$i'"}}'
	expected="${expected}Key-$i "
done
key_make $WEST gone '{"kty":"oct"}'
answers "a key is deleted" 200 DELETE /keys/gone $WEST
key_make $EAST elsewhere '{"kty":"oct"}'

follow /keys
tap_is "25 items are a page" "25 2 " "$(tr '\n' ' ' <"$T/pages")"
tap_is "all live keys of the vault, each once, by name" "$expected" "$(names)"
follow "/keys?maxresults=7"
tap_is "maxresults holds for the pages that follow" "7 7 7 6 " "$(tr '\n' ' ' <"$T/pages")"
tap_is "and all come" "$expected" "$(names)"
answers "an item" 200 GET "/keys?maxresults=1" $WEST
tap_is "has base id, attributes, tags, and no key" \
	"attributes,kid,tags https://$WEST.vault.azure.net/keys/Key-01 01 true" \
	"$(json '.value[0] | (keys | join(",")) + " " + .kid + " " + .tags.n + " " + (.attributes.enabled | tostring)')"

for bad in 0 -1 26 1000 x "" 1.5 99999999999999999999 +5; do
	answers "maxresults=$bad is refused" "400 BadParameter" GET "/keys?maxresults=$bad" $WEST
done

http GET "/keys?maxresults=5" $WEST
link=$(json .nextLink)
link=${link#https://"$WEST".vault.azure.net}
# shellcheck disable=SC2016 # a literal dollar sign
tap_like "a link carries version, position and size" '/keys?api-version=7.4&$skiptoken=*&maxresults=5' "$link"
http GET "$link" $WEST
json '.value[].kid' >"$T/second"
key_make $WEST Key-00 '{"kty":"oct","key_size":128}'
http DELETE /keys/Key-05 $WEST
daemon_stop
daemon_start || bail "no restart"
wait_for token_is west ready
http GET "$link" $WEST
tap_is "it can be followed again, after a restart and changes" "$(cat "$T/second")" "$(json '.value[].kid')"
http GET "$(printf '%s' "$link" | sed 's/\$/%24/')" $WEST
tap_is "with the dollar sign encoded" "$(cat "$T/second")" "$(json '.value[].kid')"

token=$(printf '%s' "$link" | sed 's/.*skiptoken=\([^&]*\)&.*/\1/')
for forged in "$(flip "$token")" "$(flip "$token" 0)" "${token}A" "$(b64 Key-05)" "AAAA" "" "%00"; do
	answers "a forged position is refused (C22)" "400 BadParameter" GET "/keys?\$skiptoken=$forged" $WEST
done
answers "so is one of another vault" "400 BadParameter" GET "$link" $EAST
answers "one of another list" "400 BadParameter" GET "/deletedkeys?\$skiptoken=$token" $WEST

follow "/deletedkeys?maxresults=1"
tap_is "deleted keys come in pages too" "1 1 " "$(tr '\n' ' ' <"$T/pages")"
tap_is "by name" "gone Key-05 " "$(names)"
tap_done
