#!/bin/sh
# However a request spells its target and host, the name that was authorised is the name that is used, and the vault is the
# one of Host only (threats C17).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
need_root
world_start
# The caller may read in west and nothing in east; keys of the same name are in both, and one that only east has.
key_make $WEST shared '{"kty":"oct"}'
west=$KID
key_make $EAST shared '{"kty":"oct"}'
east=${KID##*/}
key_make $EAST secret '{"kty":"oct"}'
policy_set $WEST user:12345 get

v='?api-version=7.4'
count=0
: >"$T/kids"
while IFS='|' read -r expected target host; do
	count=$((count + 1))
	printf 'GET %s HTTP/1.1\\r\\n%s\\r\\nAuthorization: t\\r\\n\\r\\n\n' "$target" "${host:-Host: $WEST}" >"$T/message"
	someone 12345 "$T/raw" "$T/custodyd.sock" -l <"$T/message" >"$T/answer"
	tap_is "$target ${host#Host: }" "$expected" "$(raw_codes <"$T/answer" | sed 's/ keep\| close//')"
	case $expected in
	200*)
		sed 's/^200 keep //' "$T/answer" | jq -r .key.kid >>"$T/kids"
		tail -n 1 "$T/log/audit.jsonl" | jq -r '"https://" + .vault + ".vault.azure.net/keys/" + (.key | ascii_downcase) + "/" + .version' >>"$T/recorded"
		;;
	esac
done <<END
200|/keys/shared$v
200|/KEYS/SHARED$v
200|/keys/shared/$v
200|/keys/shared//$v
200|/%6beys/%73hared$v
200|/keys/shared?api%2dversion=7.4
200|/keys/shared?%61pi-version=7%2e4
200|/keys/shared$v&api-version=7.4
200|/keys/shared$v&vault=$EAST&name=secret&host=$EAST
200|/keys/shared$v|Host: $WEST.$EAST.vault.azure.net
200|/keys/shared$v|Host: $WEST.vault.azure.net:443
200|/keys/shared$v|Host: CONTOSOWESTUS.VAULT.AZURE.NET.
200|/keys/shared$v|Host: $WEST\\r\\nX-Forwarded-Host: $EAST
200|/keys/shared$v|Host: $WEST\\r\\nX-Original-URL: /keys/secret\\r\\nForwarded: host=$EAST
403 Forbidden|/keys/shared$v|Host: $EAST
403 Forbidden|/keys/secret$v|Host: $EAST.$WEST.vault.azure.net
403 Forbidden|/keys/shared/$east$v|Host: $EAST
404 KeyNotFound|/keys/shared/$east$v
404 KeyNotFound|/keys/secret$v
400 BadParameter|/keys/../$EAST/keys/shared$v
400 BadParameter|/keys/shared/../secret$v
400 BadParameter|/keys/%2e%2e/keys/shared$v
400 BadParameter|/keys/%2E./shared$v
400 BadParameter|/keys/shared%2f$east$v
400 BadParameter|/keys/shared%00$v
400 BadParameter|/keys/shared%0d%0aHost:%20$EAST$v
400 BadParameter|/keys/%2573hared$v
400 BadParameter|/keys/shared%20$v
400 BadParameter|/keys/shared%c0%af$v
400 BadParameter|/keys/shared;x=1$v
400 BadParameter|/keys/shared\\\\secret$v
400 BadParameter|/keys/shared#x$v
400 BadParameter|http://$EAST/keys/shared$v
400 BadParameter|https://$WEST.vault.azure.net/keys/shared$v
400 BadParameter|//$EAST/keys/shared$v|Host: $EAST\\r\\nHost: $WEST
400 BadParameter|/keys/shared$v|Host: $WEST\\r\\nHost: $WEST
400 BadParameter|/keys/shared$v|X: y
400 BadParameter|/keys/shared$v|Host: $WEST, $EAST
400 BadParameter|/keys/shared$v|Host: $EAST@$WEST
400 BadParameter|/keys/shared$v|Host: $WEST/keys
400 BadParameter|/keys/shared$v|Host: $WEST%2e$EAST
400 BadParameter|/keys/shared$v|Host: $WEST:44x
400 BadParameter|/keys/shared$v&api-version=7.3
400 BadParameter|/keys/shared?api-version=7.4%00
400 BadParameter|/keys/shared
404 VaultNotFound|/keys/shared$v|Host: [::1]
404 VaultNotFound|/keys/shared$v|Host: [::1]:443
404 VaultNotFound|/keys/shared$v|Host: 127.0.0.1
404 VaultNotFound|/keys/shared$v|Host:
404 VaultNotFound|/keys/shared$v|Host: .$WEST
404 VaultNotFound|/keys/shared$v|Host: ${WEST}x
404 VaultNotFound|/keys/shared$v|Host: contosowestu
404 NotFound|//$WEST/keys/shared$v
404 NotFound|//keys/shared$v
404 NotFound|/keys//shared$v
404 NotFound|/$WEST/keys/shared$v
END
tap_ok "the table was read" test $count -ge 50
tap_is "what was answered is the key that may be read, however it was spelled" "$west" "$(sort -u "$T/kids")"
tap_is "and the one that the audit names" "$west" "$(sort -u "$T/recorded")"
tap_is "the other key of this name was never used" "" "$(jq -r 'select(.uid == 12345 and .status == 200 and .vault != "'$WEST'") | .seq' "$T/log/audit.jsonl")"
tap_done
