#!/bin/sh
# A number whose user or group has another name than it was granted to grants nothing, is listed, and is back with its name
# (threats C28).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
users() { # LINE...: the system's users as the daemon sees them
	{
		cat /etc/passwd
		printf '%s:100::/:/bin/false\n' "$@"
	} >"$T/passwd"
}
groups() {
	{
		cat /etc/group
		printf '%s:\n' "$@"
	} >"$T/group"
}
users alice:x:21001 carol:x:21003
groups staff2:x:41001
chmod 644 "$T/passwd" "$T/group"
# In a private mount namespace its files of users are the test's; written in place, a change is seen.
cat >"$T/custodyd-private" <<END
#!/bin/sh
exec unshare --mount sh -c 'mount --bind "$T/passwd" /etc/passwd && mount --bind "$T/group" /etc/group && exec "\$0" "\$@"' '$CUSTODYD' "\$@"
END
chmod 755 "$T/custodyd-private"
CUSTODYD=$T/custodyd-private
calendar=6f1c3a52-1111-4222-8333-444455556666
config_set custodyd name-refresh 1s
config_set custodyd administrators "user:root user:carol"
config_set application-$calendar name calendar
config_set application-$calendar user alice
world_start
key_make $WEST k '{"kty":"oct"}'
policy_set $WEST user:alice get
policy_set $WEST group:staff2 get
policy_set $WEST app:$calendar get
as_calendar() {
	ask 21001 GET /keys/k $WEST "" "x-custody-application: $calendar"
}
# shellcheck disable=SC2317 # run by wait_for
changes() { # EVENT COUNT
	[ "$(grep -c "principal.$1" "$T/custodyd.log")" -eq "$2" ]
}

tap_is "alice may" 200 "$(ask 21001 GET /keys/k $WEST)"
tap_is "so may her application" 200 "$(as_calendar)"
tap_is "and a member of the group" 200 "$(ask 21002:41001 GET /keys/k $WEST)"
tap_is "carol is an administrator" 200 "$(ask 21003 GET /status)"

users mallory:x:21001 oscar:x:21003
groups wheel2:x:41001
tap_ok "their numbers get other names" wait_for changes changed 4
tap_is "the next with alice's number has nothing" "403 Forbidden ForbiddenByPolicy" "$(ask 21001 GET /keys/k $WEST)"
tap_is "nor her application" "403 Forbidden AccessDenied" "$(as_calendar)"
tap_is "nor members of the group of that number" "403 Forbidden ForbiddenByPolicy" "$(ask 21002:41001 GET /keys/k $WEST)"
tap_is "nor is the next with carol's number an administrator" "403 Forbidden AccessDenied" "$(ask 21003 GET /status)"
http GET /vaults/$WEST ""
tap_is "the vault shows who is meant and who changed" "app:$calendar ok, group:staff2 changed, user:alice changed, user:root ok" \
	"$(json '[.accessPolicies[] | .principal + " " + .state] | sort | join(", ")')"
http GET /doctor ""
tap_like "the doctor names them" "*alice*" "$(json '[.findings[] | .subject + " " + .message] | join("; ")')"
tap_like "the group, too" "*staff2*" "$(json '[.findings[] | .subject + " " + .message] | join("; ")')"
tap_is "her name is nobody's now" "400 BadParameter" "$(ask "" PUT /vaults/$WEST/policies/user:alice "" '{"permissions":{"keys":["list"]}}')"
rm "$T/conf/application-$calendar" # whose user is not there
config_set custodyd administrators user:root
daemon_stop
daemon_start || bail "no restart"
wait_for token_is west ready
tap_is "a restart does not forget it" "403 Forbidden ForbiddenByPolicy" "$(ask 21001 GET /keys/k $WEST)"

users alice:x:21001 carol:x:21003
groups staff2:x:41001
tap_ok "they are back" wait_for log_has principal.back
tap_ok "all of them" wait_for test "$(ask 21001 GET /keys/k $WEST) $(ask 21002:41001 GET /keys/k $WEST)" = "200 200"
tap_is "a user nobody has a name for" "403 Forbidden ForbiddenByPolicy" "$(ask 21009 GET /keys/k $WEST)"
users carol:x:21003
tap_ok "a user who is removed" wait_for changes changed 5
tap_is "leaves nothing to his number" "403 Forbidden ForbiddenByPolicy" "$(ask 21001 GET /keys/k $WEST)"
tap_done
