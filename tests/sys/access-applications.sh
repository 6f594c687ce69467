#!/bin/sh
# A user acts as one of his own applications by naming it; another's is refused, and the bearer token means nothing (threats C1).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
calendar=6f1c3a52-1111-4222-8333-444455556666
mail=6f1c3a52-aaaa-4bbb-8ccc-ddddeeeeffff
config_set application-$calendar name calendar
config_set application-$calendar user 12345
config_set application-$mail name mail
config_set application-$mail user 12346
world_start
key_make $WEST k '{"kty":"oct"}'
policy_set $WEST app:$calendar get
policy_set $WEST user:12345 list
as() { # UID APPLICATION METHOD PATH
	ask "$1" "$3" "$4" $WEST "" "x-custody-application: $2"
}
canary=$(random_octets 20 | hex)

tap_is "the application has its permission" 200 "$(as 12345 $calendar GET /keys/k)"
tap_is "in any case of letters" 200 "$(as 12345 "$(echo $calendar | tr '[:lower:]' '[:upper:]')" GET /keys/k)"
tap_is "and not its user's" "403 Forbidden ForbiddenByPolicy" "$(as 12345 $calendar GET /keys)"
tap_is "the user has not the application's" "403 Forbidden ForbiddenByPolicy" "$(ask 12345 GET /keys/k $WEST)"
tap_is "but his own" 200 "$(ask 12345 GET /keys $WEST)"
for forged in $mail 00000000-0000-0000-0000-000000000000 "$calendar," "$calendar $mail" x '*' "$(printf 'a%.0s' $(seq 200))"; do
	tap_is "not another's application: $(printf '%.36s' "$forged")" "403 Forbidden AccessDenied" "$(as 12345 "$forged" GET /keys/k)"
done
tap_is "nor by another user" "403 Forbidden AccessDenied" "$(as 12346 $calendar GET /keys/k)"
tap_is "nor by root" "403 Forbidden AccessDenied" "$(as 0:0 $calendar GET /keys/k)"
tap_is "nor for routes of our own" "403 Forbidden AccessDenied" "$(ask 0:0 GET /status "" "" "x-custody-application: $calendar")"
tap_is "an administrator acting as his application is none" "403 Forbidden AccessDenied" \
	"$(config_set application-$mail user root; daemon_reload; wait_for log_has reloaded; ask 0:0 GET /status "" "" "x-custody-application: $mail")"
tap_is "the last refusals are in the audit" "AccessDenied 403" "$(tail -n 1 "$T/log/audit.jsonl" | jq -r '.code + " " + (.status | tostring)')"
tap_is "and what the application did, by its id" "1 12345" \
	"$(jq -r 'select(.application == "'$calendar'" and .operation == "key.get" and .status == 200) | .uid' "$T/log/audit.jsonl" | uniq -c | awk '{ print ($1 > 0), $2 }')"
someone 12345 curl -s --unix-socket "$T/custodyd.sock" -H "Host: $WEST" -H "Authorization: Bearer $canary" 'http://x/keys?api-version=7.4' >"$T/body"
tap_is "a bearer token is nowhere" "" "$(grep -rl "$canary" "$T" --include='*.log' --include='audit*' --include='custody.db*')"
tap_done
