#!/bin/sh
# A vault made with --backup never has keys that leave the token under no key; else under a trusted one only (threats A6).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
vault_make stays west --backup never

for row in 'rsa:{"kty":"RSA","key_size":2048}' 'ec:{"kty":"EC"}' 'kw:{"kty":"oct"}' 'gcm:{"kty":"oct","key_ops":["encrypt","decrypt"]}' \
	'hmac:{"kty":"oct","key_ops":["sign","verify"]}'; do
	name=${row%%:*}
	key_make stays "$name" "${row#*:}"
	tap_like "$name in a vault without backup can never be extracted" "*sensitive, always sensitive, never extractable, local*" "$(token_objects west "stays/$name")"
	key_make $WEST "$name" "${row#*:}"
	tap_like "$name in the other is sensitive, always, and made here" "*sensitive, always sensitive*local*" "$(token_objects west "$WEST/$name")"
	tap_unlike "and may be extracted" "*never extractable*" "$(token_objects west "$WEST/$name")"
done
# Somebody with the PIN and a wrapping key of his own: CKA_WRAP_WITH_TRUSTED refuses him.
for id in 66 67; do
	token_tool west --keygen --key-type AES:32 --label mine --id $id --extractable >"$T/keygen" 2>&1 || bail "no key: $(cat "$T/keygen")"
done
wrap() {
	token_tool west --wrap --mechanism AES-KEY-WRAP --id 66 --application-id "$1" --output-file "$T/wrapped" 2>&1
}
tap_like "the PIN's holder wraps a key of his own" "*Key wrapped*" "$(wrap 67)"
key_make $WEST kw '{"kty":"oct"}'
tap_like "but none of ours" "*CKR_KEY_NOT_WRAPPABLE*" "$(wrap "${KID##*/}")"
http GET /vaults/stays ""
tap_is "the vault says it" never "$(json .backup)"
tap_done
