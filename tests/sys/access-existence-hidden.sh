#!/bin/sh
# Without the permission, what is there and what is not answer byte for byte the same (§13; threats C21).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
world_start

key_make $WEST there '{"kty":"oct"}'
version=${KID##*/}
key_make $WEST gone '{"kty":"oct"}'
http DELETE /keys/gone $WEST

whole() {
	printf '%s\n' "$HTTP_STATUS"
	tr -d '\r' <"$T/headers" | grep -vi '^x-ms-request-id:'
	cat "$T/body"
}
for name in contosowestus contosonowhere a--b; do
	tap_is "whether a vault's name is taken ($name)" "403 Forbidden AccessDenied" "$(ask 12345 GET "/vaults/$name/availability" "")"
done

# By somebody with permissions, but never the one that the route needs.
policy_set $WEST user:12345 import
while read -r method before after body; do
	: >"$T/answers"
	for name in there gone never bad_name "there/$version" "there/00000000000000000000000000000000"; do
		case $name in
		*/*)
			case "$method $before $after" in
			"GET /keys/ -" | "PATCH /keys/ -" | "GET /vaults/contosowestus/keys/ -") ;;
			*) continue ;;
			esac
			;;
		esac
		ask 12345 "$method" "$before$name${after#-}" $WEST "$body" >"$T/status"
		whole | md5sum >>"$T/answers"
	done
	tap_is "$method $before…${after#-} tells nothing" 1 "$(sort -u "$T/answers" | wc -l)"
	tap_is "but no" "403 Forbidden ForbiddenByPolicy" "$(cat "$T/status")"
done <<'END'
GET /keys/ -
GET /keys/ /versions
PATCH /keys/ - {"tags":{}}
PATCH /keys/ - nonsense
DELETE /keys/ -
POST /keys/ /create {"kty":"oct"}
POST /keys/ /create {"kty":
POST /keys/ //encrypt {"alg":"A256GCM","value":"AAAA"}
POST /keys/ //decrypt {"alg":"A256GCM","value":"AAAA","iv":"AAAA","tag":"AAAA"}
POST /keys/ //wrapkey {"alg":"A256KW","value":"AAAA"}
POST /keys/ //unwrapkey {"alg":"A256KW","value":"AAAA"}
POST /keys/ //sign {"alg":"ES256","value":"AAAA"}
POST /keys/ //verify {"alg":"ES256","digest":"AAAA","value":"AAAA"}
GET /deletedkeys/ -
GET /vaults/contosowestus/keys/ -
POST /deletedkeys/ /recover
DELETE /deletedkeys/ -
END
answers "nothing of it was done" 200 GET /keys/there $WEST
answers "nor to the deleted key" 200 GET /deletedkeys/gone $WEST
policy_set $WEST user:12345 get
tap_is "with the permission the key is there" 200 "$(ask 12345 GET /keys/there $WEST)"
tap_is "and the deleted one is not" "404 KeyNotFound" "$(ask 12345 GET /keys/gone $WEST)"
tap_is "nor the one that never was" "404 KeyNotFound" "$(ask 12345 GET /keys/never $WEST)"
tap_done
