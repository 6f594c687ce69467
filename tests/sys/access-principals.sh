#!/bin/sh
# Who may: users, groups, administrators, root; deny by default, and an answer for each who may not.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
config_set custodyd administrators "user:20001 group:30009"
token_make west
token_make east
daemon_start || bail "custodyd did not start"
admin=20001
for token in west east; do
	tap_is "an administrator enrolls $token" 200 "$(ask $admin POST /tokens/$token/enroll "" '{}')"
done
for vault in $WEST:west $EAST:east; do
	tap_is "and makes ${vault%:*}" 201 "$(ask $admin PUT "/vaults/${vault%:*}" "" "{\"token\":\"${vault#*:}\"}")"
done
grant() { # PRINCIPAL WORDS
	ask $admin PUT "/vaults/$WEST/policies/$1" "" "{\"permissions\":{\"keys\":[$2]}}"
}

tap_is "root is nobody special: no key" "403 Forbidden ForbiddenByPolicy" "$(ask 0:0 GET /keys $WEST)"
for request in "GET /status" "GET /tokens" "GET /tokens/west" "GET /doctor" "PUT /vaults/newone" "PATCH /vaults/$WEST" "DELETE /vaults/$WEST" \
	"PUT /vaults/$WEST/policies/user:0" "DELETE /vaults/$WEST/policies/user:0" "POST /tokens/west/enroll" "POST /clock/confirm" "POST /catalog/accept"; do
	tap_is "nor an administrator: $request" "403 Forbidden AccessDenied" "$(ask 0:0 "${request% *}" "${request#* }" "" '{"token":"west","permissions":{"keys":["get"]}}')"
done
tap_is "health is everybody's" 200 "$(ask 12345 GET /health)"
tap_is "an administrator has no permission on keys by that" "403 Forbidden ForbiddenByPolicy" "$(ask $admin GET /keys $WEST)"
tap_is "an administrator by group has the same rights" 200 "$(ask 20002:20002,30009 GET /status)"
tap_is "by primary group too" 200 "$(ask 20002:30009 GET /status)"
tap_is "and not without it" "403 Forbidden AccessDenied" "$(ask 20002:20002 GET /status)"

tap_is "a user gets permissions" 200 "$(grant user:12345 '"create","get","list"')"
tap_is "and has them" 200 "$(ask 12345 POST /keys/k/create $WEST '{"kty":"oct"}')"
tap_is "not others" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 DELETE /keys/k $WEST)"
tap_is "not in another vault" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /keys $EAST)"
tap_is "another user has none" "403 Forbidden ForbiddenByPolicy" "$(ask 12346 GET /keys $WEST)"
tap_is "the same number as a group has none" "403 Forbidden ForbiddenByPolicy" "$(ask 12346:12345 GET /keys $WEST)"

tap_is "a group gets permissions" 200 "$(grant group:40000 '"get"')"
tap_is "a member has them" 200 "$(ask 12347:12347,39999,40000,40001 GET /keys/k $WEST)"
tap_is "also by the primary group" 200 "$(ask 12347:40000 GET /keys/k $WEST)"
tap_is "nobody else" "403 Forbidden ForbiddenByPolicy" "$(ask 12347:12347,39999 GET /keys/k $WEST)"
tap_is "a user of the group's number has none" "403 Forbidden ForbiddenByPolicy" "$(ask 40000:1 GET /keys/k $WEST)"
tap_is "permissions of user and group add up" "403 Forbidden ForbiddenByPolicy" "$(ask 12347:40000 GET /keys $WEST)"
tap_is "they do" 200 "$(ask 12345:40000 GET /keys $WEST)"

tap_is "who holds a permission sees the vault" "$WEST" "$(ask 12345 GET /vaults >"$T/status"; json '[.value[].name] | join(",")')"
tap_is "and can show it" 200 "$(ask 12345 GET /vaults/$WEST)"
tap_is "but not another" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /vaults/$EAST)"
cp "$T/body" "$T/other"
tap_is "nor one that is not there" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /vaults/nobody)"
tap_is "by the same answer (C21)" "$(cat "$T/other")" "$(cat "$T/body")"
tap_is "a stranger sees no vault" "" "$(ask 12346 GET /vaults >"$T/status"; json '[.value[].name] | join(",")')"

for principal in nobody: user: user:no-such-user group:no-such-group app:1 user:4294967295 user:65534 group:65534 user:nobody 12345 "user:a%2Fb"; do
	tap_like "'$principal' is no principal" "40[04] *" "$(grant "$principal" '"get"')"
done
tap_is "a policy is taken back" 200 "$(ask $admin DELETE "/vaults/$WEST/policies/user:12345")"
tap_is "and its permissions with it" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /keys $WEST)"
tap_is "taking back what is not there" "404 NotFound" "$(ask $admin DELETE "/vaults/$WEST/policies/user:12345")"
tap_done
