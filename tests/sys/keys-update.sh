#!/bin/sh
# PATCH changes what it names and nothing else; what the key was born for cannot be widened (§5, §7, §8; threats A5).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

key_make $WEST k '{"kty":"RSA","key_size":2048,"key_ops":["wrapKey","unwrapKey","sign"],"tags":{"a":"1","b":"2"},"attributes":{"nbf":1000,"exp":4000000000}}'
old=$KID
shown() {
	json '[.key.key_ops, .tags, .attributes.enabled, .attributes.nbf, .attributes.exp] | tojson'
}
before=$(shown)
created=$(json .attributes.created)
key=$(json '.key.n')

answers "nothing" 200 PATCH "/keys/k/" $WEST '{}'
tap_is "changes nothing" "$before" "$(shown)"
answers "an unknown member" 200 PATCH "/keys/k/" $WEST '{"x":[1],"attributes":{"created":5,"recoverableDays":3},"key":{"kty":"EC"}}'
tap_is "and those that can only be read are ignored" "$before $created 90" "$(shown) $(json '(.attributes.created | tostring) + " " + (.attributes.recoverableDays | tostring)')"
answers "tags" 200 PATCH "/keys/k/" $WEST '{"tags":{"c":"3"}}'
tap_is "are replaced as a whole" '{"c":"3"}' "$(json '.tags | tojson')"
answers "empty tags" 200 PATCH "/keys/k/" $WEST '{"tags":{}}'
tap_is "empty them" '{}' "$(json '.tags | tojson')"
answers "one attribute" 200 PATCH "/keys/k/" $WEST '{"attributes":{"enabled":false}}'
tap_is "leaves the others" '["wrapKey","unwrapKey","sign"] {} false 1000 4000000000' \
	"$(json '[(.key.key_ops | sort_by(. != "wrapKey", . != "unwrapKey") | tojson), (.tags | tojson), .attributes.enabled, .attributes.nbf, .attributes.exp] | map(tostring) | join(" ")')"
answers "key_ops are narrowed" 200 PATCH "/keys/k/" $WEST '{"key_ops":["wrapKey"],"attributes":{"enabled":true}}'
answers "what was taken is forbidden" "403 Forbidden KeyOperationForbidden" POST /keys/k//sign $WEST \
	'{"alg":"RS256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'
answers "key_ops are widened within those of creation" 200 PATCH "/keys/k/" $WEST '{"key_ops":["wrapKey","unwrapKey","sign"]}'
answers "and the key signs again" 200 POST /keys/k//sign $WEST '{"alg":"RS256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'
answers "beyond creation they are not" "400 BadParameter" PATCH "/keys/k/" $WEST '{"key_ops":["wrapKey","decrypt"]}'
answers "nor with a word that nobody knows" "400 BadParameter" PATCH "/keys/k/" $WEST '{"key_ops":["wrapkey"]}'
answers "a window that ends before it begins" "400 BadParameter" PATCH "/keys/k/" $WEST '{"attributes":{"nbf":20,"exp":10}}'
answers "against the one that is stored" "400 BadParameter" PATCH "/keys/k/" $WEST '{"attributes":{"exp":10}}'
answers "a negative time" "400 BadParameter" PATCH "/keys/k/" $WEST '{"attributes":{"exp":-1}}'
answers "a release policy" "400 BadParameter" PATCH "/keys/k/" $WEST '{"release_policy":{"data":"AAAA"}}'
http GET /keys/k $WEST
tap_is "refused changes change nothing, and never the key" '["wrapKey","unwrapKey","sign"] '"$key" \
	"$(json '(.key.key_ops | sort_by(. != "wrapKey", . != "unwrapKey") | tojson) + " " + .key.n')"

key_make $WEST k '{"kty":"oct"}'
answers "an old version is changed by its id" 200 PATCH "$(kid_path "$old")" $WEST '{"tags":{"old":"yes"}}'
tap_is "and answered" "$old" "$(json .key.kid)"
answers "without a version the newest is meant" 200 PATCH /keys/k $WEST '{"tags":{"new":"yes"}}'
tap_is "and answered too" "$KID" "$(json .key.kid)"
http GET "$(kid_path "$old")" $WEST
tap_is "each has its own" "yes null" "$(json '.tags.old + " " + (.tags.new | tostring)')"
answers "a key that is not there" "404 KeyNotFound" PATCH /keys/nobody $WEST '{}'
daemon_stop
daemon_start || bail "no restart"
http GET "$(kid_path "$old")" $WEST
tap_is "changes outlive the daemon" yes "$(json .tags.old)"
tap_done
