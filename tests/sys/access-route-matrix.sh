#!/bin/sh
# Each route of the dialect needs its own permission: it alone is enough, all others together are not.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
self=user:$(id -un)
value=$(random_b64 32)
words="get list create update import delete recover backup restore purge encrypt decrypt wrapKey unwrapKey sign verify rotate getrotationpolicy setrotationpolicy"

key_make $WEST r '{"kty":"RSA","key_size":2048}'
use $WEST r encrypt RSA-OAEP "$value"
cipher="{\"alg\":\"RSA-OAEP\",\"value\":\"$(json .value)\"}"
plain="{\"alg\":\"RSA-OAEP\",\"value\":\"$value\"}"
# Each row leaves things as it found them, or as the next one needs them.
while IFS='|' read -r word method path body expected; do
	case $body in
	cipher) body=$cipher ;;
	plain) body=$plain ;;
	sign) body="{\"alg\":\"RS256\",\"value\":\"$value\"}" ;;
	verify) body="{\"alg\":\"RS256\",\"digest\":\"$value\",\"value\":\"AAAA\"}" ;;
	esac
	others=
	for other in $words; do
		[ "$other" = "$word" ] || others="$others $other"
	done
	# shellcheck disable=SC2086 # words
	policy_set $WEST "$self" $others
	tap_is "$method $path without '$word'" "403 Forbidden ForbiddenByPolicy" "$(ask "" "$method" "$path" $WEST "$body")"
	tap_like "names the permission" "*'$word'*" "$(json .error.message)"
	policy_set $WEST "$self" "$word"
	tap_is "$method $path with '$word' alone" "$expected" "$(ask "" "$method" "$path" $WEST "$body")"
done <<END
create|POST|/keys/n/create|{"kty":"oct"}|200
import|PUT|/keys/i|{"key":{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}}|200
get|GET|/keys/n||200
get|GET|/vaults/contosowestus/keys/n||200
list|GET|/keys||200
list|GET|/keys/n/versions||200
update|PATCH|/keys/n/|{}|200
delete|DELETE|/keys/n||200
get|GET|/deletedkeys/n||200
list|GET|/deletedkeys||200
recover|POST|/deletedkeys/n/recover||200
delete|DELETE|/keys/n||200
purge|DELETE|/deletedkeys/n||204
encrypt|POST|/keys/r//encrypt|plain|200
decrypt|POST|/keys/r//decrypt|cipher|200
wrapKey|POST|/keys/r//wrapkey|plain|200
unwrapKey|POST|/keys/r//unwrapkey|cipher|200
sign|POST|/keys/r//sign|sign|200
verify|POST|/keys/r//verify|verify|200
rotate|POST|/keys/r/rotate||200
getrotationpolicy|GET|/keys/r/rotationpolicy||200
setrotationpolicy|PUT|/keys/r/rotationpolicy|{}|200
get|POST|/rng|{"count":16}|200
get|POST|/keys/r//release|{}|400 NotSupported
END
tap_is "the permissions of one vault are not the other's" "403 Forbidden ForbiddenByPolicy" "$(policy_delete $WEST "$self"; ask "" GET /keys $WEST)"
tap_is "which are as they were" 200 "$(ask "" GET /keys $EAST)"
policy_set $WEST "$self" all
tap_is "'all' is every one" "$words" "$(json '.accessPolicies[0].permissions.keys | join(" ")')"
policy_set $WEST "$self" GET wrapkey
tap_is "words compare without regard to case" "get wrapKey" "$(json '.accessPolicies[0].permissions.keys | join(" ")')"
for bad in '["fly"]' '[]' '"get"' '[1]' '["get",null]'; do
	answers "no permissions: $bad" "400 BadParameter" PUT "/vaults/$WEST/policies/$self" "" "{\"permissions\":{\"keys\":$bad}}"
done
tap_is "a refused policy changes nothing" 200 "$(ask "" GET /keys/r $WEST)"
tap_done
