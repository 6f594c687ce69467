#!/bin/sh
# A changed policy is in force for the next request, on connections that are open too (threats C2, C6).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
self=user:$(id -un)

get="http://localhost/keys/k?api-version=7.4"
policy="http://localhost/vaults/$WEST/policies/$self"
# One process of curl, one connection: new connections are counted behind the colon.
got=$(curl -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST.vault.azure.net" -H 'Authorization: x' -o "$T/b1" -w '%{http_code}:%{num_connects} ' "$get" \
	--next -s --unix-socket "$T/custodyd.sock" -X DELETE -o "$T/b2" -w '%{http_code}:%{num_connects} ' "$policy" \
	--next -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST.vault.azure.net" -H 'Authorization: x' -o "$T/b3" -w '%{http_code}:%{num_connects} ' "$get" \
	--next -s --unix-socket "$T/custodyd.sock" -X PUT -H 'Content-Type: application/json' -d '{"permissions":{"keys":["get"]}}' -o "$T/b4" \
	-w '%{http_code}:%{num_connects} ' "$policy" \
	--next -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST.vault.azure.net" -H 'Authorization: x' -o "$T/b5" -w '%{http_code}:%{num_connects} ' "$get")
tap_is "allowed, taken, refused, given, allowed; on one connection" "200:1 200:0 403:0 200:0 200:0 " "$got"
tap_is "the refusal is the policy's" ForbiddenByPolicy "$(json .error.innererror.code "$T/b3")"

# An administrator who is one no longer.
config_set custodyd administrators user:4711
daemon_reload
wait_for log_has reloaded
answers "an administrator who was taken from the list" "403 Forbidden AccessDenied" GET /status ""
answers "keeps what his policy says" 200 GET /keys/k $WEST
daemon_stop
daemon_start || bail "no restart"
answers "a policy outlives the daemon" 200 GET /keys/k $WEST
answers "and no more than that" "403 Forbidden ForbiddenByPolicy" GET /keys $WEST
tap_done
