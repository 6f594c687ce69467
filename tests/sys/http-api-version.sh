#!/bin/sh
# api-version: mandatory, every one that is known, its name and value percent-encoded or not (§0, §2).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'

for version in 7.0 7.1 7.2 7.3 7.4 7.5 7.6 2025-07-01 7.5-preview.1 7.6-preview.2 2025-07-01-preview.1; do
	answers "$version" 200 GET "/keys/k?api-version=$version" $WEST
done
get() { # QUERY
	curl -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST" -H 'Authorization: x' -o "$T/body" -w '%{http_code}' "http://x/keys/k$1"
}
tap_is "the name encoded" 200 "$(get '/?api%2Dversion=2025-07-01')"
tap_is "name and value encoded" 200 "$(get '?api%2dversion=7%2E4')"
tap_is "twice the same" 200 "$(get '?api-version=7.4&api-version=7.4')"
tap_is "others beside it" 200 "$(get '?x=1&api-version=7.4&y')"
for query in "" "?" "?api-version" "?api-version=" "?api-version=7.7" "?api-version=7.4-preview" "?api-version=7.4-preview." "?api-version=7.4-preview.x" \
	"?api-version=2016-10-01" "?api-version=7.4%20" "?api-version=7.4&api-version=7.5" "?Api-Version=7.4" "?api-version=preview.1" "?api-version=7"; do
	tap_is "'$query' is refused" 400 "$(get "$query")"
	tap_is "by BadParameter" BadParameter "$(json .error.code)"
done
tap_is "routes of our own need none" 200 "$(curl -s --unix-socket "$T/custodyd.sock" -o "$T/body" -w '%{http_code}' http://x/health)"
tap_done
