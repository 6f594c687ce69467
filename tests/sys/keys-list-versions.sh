#!/bin/sh
# Versions of a key come in pages too, each once and with its full id (§6).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

i=0
while [ $i -lt 26 ]; do
	key_make $WEST many '{"kty":"oct","key_size":128}'
	i=$((i + 1))
done
key_make $WEST other '{"kty":"oct","key_size":128}'
follow /keys/many/versions
tap_is "26 versions are two pages" "25 1 " "$(tr '\n' ' ' <"$T/pages")"
tap_is "each once, with its full id" "26" "$(sort -u "$T/items" | grep -c "^https://$WEST.vault.azure.net/keys/many/[0-9a-f]\{32\}$")"
http GET "/keys/many/versions?maxresults=2" $WEST
link=$(json .nextLink)
link=/${link#https://*/}
answers "the link of one key's versions" 200 GET "$link" $WEST
answers "is not one of another's" "400 BadParameter" GET "$(printf '%s' "$link" | sed 's|/many/|/other/|')" $WEST
answers "versions of nobody" "404 KeyNotFound" GET /keys/nobody/versions $WEST
tap_done
