#!/bin/sh
# What is no KeyCreate is 400 BadParameter with an error body, and nothing is made (§5, §7, §13; threats C18).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

tags16=$(seq 16 | sed 's/.*/"t&":""/' | paste -sd,)
long=$(printf 'x%.0s' $(seq 257))
while IFS= read -r body; do
	[ -n "$body" ] || continue
	http POST /keys/k/create $WEST "$body"
	case $body in
	*key_hsm*) expected="400 NotSupported" ;;
	*) expected="400 BadParameter" ;;
	esac
	tap_is "$(printf '%.90s' "$body")" "$expected" "$(answer)"
done <<END
{}
[]
null
"RSA"
{"kty":"RSA"
{"kty":"RSA"}}
{"kty":"RSA"} {}
{"kty":"RSA","kty":"RSA"}
{"kty":"oct","tags":{"a":"1","a":"2"}}
{"kty":"oct","attributes":{"enabled":true,"enabled":true}}
{"kty":"rsa"}
{"kty":"DSA"}
{"kty":7}
{"kty":"RSA","key_size":1024}
{"kty":"RSA","key_size":2049}
{"kty":"RSA","key_size":"2048"}
{"kty":"RSA","key_size":2048.5}
{"kty":"RSA","key_size":-2048}
{"kty":"RSA","key_size":99999999999999999999}
{"kty":"RSA","crv":"P-256"}
{"kty":"RSA","public_exponent":1}
{"kty":"RSA","public_exponent":65536}
{"kty":"RSA","public_exponent":17}
{"kty":"EC","key_size":256}
{"kty":"EC","crv":"P-224"}
{"kty":"EC","crv":"p-256"}
{"kty":"EC","crv":"P-256","public_exponent":3}
{"kty":"oct","key_size":64}
{"kty":"oct","key_size":512}
{"kty":"oct","crv":"P-256"}
{"kty":"RSA","key_ops":["Sign"]}
{"kty":"RSA","key_ops":"sign"}
{"kty":"RSA","key_ops":[1]}
{"kty":"EC","key_ops":["wrapKey"]}
{"kty":"oct","key_ops":["wrapKey","encrypt"]}
{"kty":"oct","key_ops":["wrapKey","unwrapKey","encrypt","decrypt"]}
{"kty":"RSA","attributes":{"exp":-1}}
{"kty":"RSA","attributes":{"exp":true}}
{"kty":"RSA","attributes":{"exp":"1"}}
{"kty":"RSA","attributes":{"exp":1.5}}
{"kty":"RSA","attributes":{"exp":1e99}}
{"kty":"RSA","attributes":{"nbf":20,"exp":10}}
{"kty":"RSA","attributes":{"enabled":"true"}}
{"kty":"RSA","attributes":{"enabled":1}}
{"kty":"RSA","attributes":[]}
{"kty":"RSA","attributes":{"exportable":true}}
{"kty":"RSA","release_policy":{"data":"AAAA"}}
{"kty":"RSA","tags":[]}
{"kty":"RSA","tags":{"a":1}}
{"kty":"RSA","tags":{"a":null}}
{"kty":"RSA","tags":{$tags16}}
{"kty":"RSA","tags":{"$long":""}}
{"kty":"RSA","tags":{"a":"$long"}}
{"kty":"RSA","tags":{"a":"\u0000"}}
{"kty":"RSA","tags":{"a":"\ud800"}}
{"kty":"RSA","a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}
{"kty":"RSA","key_size":NaN}
{'kty':'RSA'}
END
http POST /keys/k/create $WEST "$(printf '{"kty":"RSA","tags":{"a":"\377"}}')"
tap_is "octets that are no UTF-8" "400 BadParameter" "$(answer)"
http POST /keys/k/create $WEST "$(printf '\357\273\277{"kty":"RSA"}')"
tap_is "a byte order mark" "400 BadParameter" "$(answer)"
answers "no body" "400 BadParameter" POST /keys/k/create $WEST ""
http GET /keys $WEST
tap_is "nothing was made" "[]" "$(json '.value | tojson')"
answers "the widest that is allowed" 200 POST /keys/k/create $WEST \
	"{\"kty\":\"oct\",\"tags\":{$(seq 14 | sed 's/.*/"t&":""/' | paste -sd,),\"${long#x}\":\"${long#x}\"},\"unknown\":{\"deep\":[1,2,{}]}}"
tap_is "15 tags of 256 characters" 15 "$(json '.tags | length')"

# ---- POST /rng (threats A24) ----
for body in '{}' '{"count":0}' '{"count":129}' '{"count":"8"}' '[]' '{"count":8'; do
	tap_is "no number of random octets: $body" "400 BadParameter" "$(ask "" POST /rng $WEST "$body")"
done
http POST /rng $WEST '{"count":128}'
random=$(json .value)
http POST /rng $WEST '{"count":128}'
tap_is "as many as asked" "200 171 171" "$HTTP_STATUS ${#random} $(json '.value | length')"
tap_ok "others each time" test "$random" != "$(json .value)"
tap_is "none are in log or audit" 0 "$(cat "$T/custodyd.log" "$T/log/audit.jsonl" | grep -cF -e "$random" -e "$(json .value)")"
tap_is "the drawing is" 2 "$(grep -c '"operation":"random".*"status":200' "$T/log/audit.jsonl")"
tap_done
