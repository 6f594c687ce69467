#!/bin/sh
# Without Authorization the dialect answers by the challenge, before anything else is looked at or done (§3; threats C1, C25).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'

bare() { # METHOD PATH HOST [CURL OPTION...]: as http(), without Authorization; prints the status
	bare_method=$1
	bare_path=$2
	bare_host=$3
	shift 3
	curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "$T/custodyd.sock" -X "$bare_method" -H "Host: $bare_host" \
		-D "$T/headers" -o "$T/body" -w '%{http_code}' "$@" "http://x$bare_path"
}
challenge() {
	tr -d '\r' <"$T/headers" | sed -n 's/^WWW-Authenticate: //p'
}

for request in "GET /keys/k" "POST /keys/n/create" "PATCH /keys/k/" "DELETE /keys/k" "POST /keys/k//wrapkey" "GET /keys" "GET /deletedkeys" \
	"POST /deletedkeys/k/recover" "DELETE /deletedkeys/k" "GET /keys/nobody"; do
	tap_is "$request" 401 "$(bare "${request% *}" "${request#* }?api-version=7.4" $WEST.vault.azure.net -H 'Content-Length: 0' -H 'Content-Type: application/json')"
	tap_is "has this body" '{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}' "$(cat "$T/body")"
	tap_is "and this challenge" 'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"' \
		"$(challenge)"
done
answers "nothing was deleted" 200 GET /keys/k $WEST
answers "and nothing made" "404 KeyNotFound" GET /keys/n $WEST
tap_is "the resource follows the host" 'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://kms.example"' \
	"$(bare GET '/keys/k?api-version=7.4' $WEST.kms.example:443 >"$T/status"; challenge)"
tap_is "a bare label has the configured one" 'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"' \
	"$(bare GET '/keys/k?api-version=7.4' $WEST >"$T/status"; challenge)"
for header in 'Bearer x' 'Basic Zm9vOmJhcg==' 'PoP eyJ' 'x'; do
	tap_is "with 'Authorization: $header' there is none" 200 "$(bare GET '/keys/k?api-version=7.4' $WEST.vault.azure.net -H "Authorization: $header")"
done
answers "a request with a token and without its body" "400 BadParameter" POST /keys/n/create $WEST ""
tap_is "routes of our own have none" 200 "$(bare GET /health localhost)"
tap_is "a vault that is not there comes first" 404 "$(bare GET '/keys/k?api-version=7.4' nobody.vault.azure.net)"
config_set custodyd tenant-id 11111111-2222-3333-4444-555555555555
daemon_reload
wait_for log_has "reloaded"
bare GET '/keys/k?api-version=7.4' $WEST >"$T/status"
tap_like "the tenant is configured" '*/11111111-2222-3333-4444-555555555555"*' "$(challenge)"
tap_done
