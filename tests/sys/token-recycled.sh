#!/bin/sh
# A worker at its bound is replaced by one that is logged in first; not one request of a constant load is lost (threats B32).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
config_set custodyd idle-ping 100ms
config_set custodyd recycle-operations 30
world_start
key_make $WEST k '{"kty":"oct"}'
value=$(random_b64 32)
use $WEST k wrapKey A256KW "$value"
printf '{"alg":"A256KW","value":"%s"}' "$(json .value)" >"$T/unwrap"
: >"$T/load"
load() {
	while [ -e "$T/load" ]; do
		curl -s --max-time "$DEADLINE" --unix-socket "$T/custodyd.sock" -H 'Host: contosowestus.vault.azure.net' \
			-H 'Authorization: Bearer test' -H 'Content-Type: application/json' --data-binary "@$T/unwrap" \
			-o "$T/opened-$1" -w '%{http_code} ' 'http://localhost/keys/k//unwrapKey?api-version=7.4' >>"$T/loaded-$1"
		jq -r '.value // .error.code' "$T/opened-$1" >>"$T/loaded-$1"
	done
}
loads=
for client in 1 2; do
	load $client &
	loads="$loads $!"
done
# shellcheck disable=SC2317 # run by wait_for
recycled() {
	http GET /tokens/west "" && [ "$(json .worker.restarts)" -ge 2 ]
}
wait_for recycled || bail "no worker was replaced: $(cat "$T/body")"
rm "$T/load"
# shellcheck disable=SC2086 # a list
wait $loads
tap_is "two replacements, and every request was answered" "200 $value" "$(cat "$T"/loaded-* | sort -u)"
tap_is "the token was ready all the time" "" "$(grep 'token.state token=west state=' "$T/custodyd.log" | sed '1,/state=ready/d')"
tap_is "nothing went wrong" null "$(http GET /tokens/west "" && json .lastError)"
tap_done
