#!/bin/sh
# Every route that takes a body refuses what is no JSON of ours, by one error with a position or a member's name and none of
# the input in it, and changes nothing (threats C18, C19, C26).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
key_make $WEST g '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
key_make $WEST e '{"kty":"EC","crv":"P-256"}'
http DELETE /keys/g $WEST && http POST /deletedkeys/g/recover $WEST

# A line each; raw.c's escapes. "canary" must come back in no answer.
cat >"$T/malformed" <<'END'
{
}
[]
[{}]
null
true
0
"canary"
{"canary"
{"canary":
{"canary":1
{"canary":1,}
{,"canary":1}
{"canary":1}}
{"canary":1} canary
{"canary":1}{"canary":1}
{"canary":1,"canary":1}
{"canary":{"a":1,"a":1}}
{"canary":[{"a":1,"a":1}]}
{'canary':1}
{canary:1}
{"canary":01}
{"canary":+1}
{"canary":.5}
{"canary":0x10}
{"canary":NaN}
{"canary":Infinity}
{"canary":1e400}
{"canary":123456789012345678901234567890}
{"canary":True}
{"canary":"\\x41"}
{"canary":"\\u0000"}
{"canary\\u0000":1}
{"canary":"\\ud800"}
{"canary":"\\udc00\\ud800"}
{"canary":"\x00"}
{"canary":"\x01"}
{"canary":"a\nb"}
{"canary":"\xff"}
{"canary":"\xc0\xaf"}
{"canary":"\xed\xa0\x80"}
{"canary":"\xf4\x90\x80\x80"}
\xef\xbb\xbf{"canary":1}
\xff\xfe{\x00}\x00
{"canary":1}\x00
/* canary */ {}
{} // canary
{"canary":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}
END
count=$(wc -l <"$T/malformed")

# Lengths are of the octets that the escapes stand for.
sed 's/\\\\/@/g; s/\\x[0-9a-f][0-9a-f]/@/g; s/\\[rnt]/@/g' "$T/malformed" | awk '{ print length($0) }' | paste -d ' ' - "$T/malformed" >"$T/measured"
message() { # METHOD TARGET HOST: all of them, pipelined
	sed "s|^\([0-9]*\) |$1 $2 HTTP/1.1\\\\r\\\\nHost: $3\\\\r\\\\nAuthorization: t\\\\r\\\\nContent-Type: application/json\\\\r\\\\nContent-Length: \1\\\\r\\\\n\\\\r\\\\n|" "$T/measured"
}
version='?api-version=7.4'
while read -r method target host; do
	message "$method" "$target" "$host" >"$T/message"
	"$T/raw" "$T/custodyd.sock" -l <"$T/message" >"$T/answers"
	tap_is "$method $target refuses all $count" "$count 400 keep BadParameter" \
		"$(raw_codes <"$T/answers" | sed 's/, /\n/g' | sort | uniq -c | awk '{ print $1, $2, $3, $4 }' | paste -sd';')"
	sed 's/^[0-9]* [a-z]* //' "$T/answers" >>"$T/all"
done <<END
POST /keys/n/create$version $WEST
PATCH /keys/k$version $WEST
POST /keys/k//wrapkey$version $WEST
POST /keys/k//unwrapkey$version $WEST
POST /keys/g//encrypt$version $WEST
POST /keys/g//decrypt$version $WEST
POST /keys/e//sign$version $WEST
POST /keys/e//verify$version $WEST
PUT /vaults/newone localhost
PATCH /vaults/$WEST localhost
PUT /vaults/$WEST/policies/user:root localhost
POST /dual/wrapkey localhost
POST /dual/generatekey localhost
POST /dual/unwrapkey localhost
POST /dual/rewrapkey localhost
POST /dual/check localhost
END
tap_is "each is an error of the dialect with a sentence" $((count * 16)) \
	"$(jq -c 'select(.error.code == "BadParameter" and (.error.message | test("^[A-Za-z].*[.]$")))' "$T/all" | wc -l)"
tap_is "a syntax error says where" 1 "$(($(grep -c 'at octet [0-9]' "$T/all") >= 16 * 30))"
tap_is "none repeats what was sent" 0 "$(grep -c canary "$T/all")"
tap_is "nor log or audit" "" "$(grep -al canary "$T/custodyd.log" "$T/log/audit.jsonl")"

# One spelling of octets: anything else is refused before a key is asked, and never cut (C19).
use $WEST k wrapkey A256KW "$(random_b64 16)"
wrapped=$(json .value)
for damage in "=" "==" "A" "AA=" "A=" '\n' ' ' '+' '/' '.' '%3D' '\u0041\u0000'; do
	answers "unwrap of the value and '$damage'" "400 BadParameter" POST /keys/k//unwrapkey $WEST "{\"alg\":\"A256KW\",\"value\":\"$wrapped$damage\"}"
done
for value in AB A AAAAA AAAAAAAAAAAAAAAAAAAAAB 'AAAAAAAAAAAAAAAAAAAAA+' 'AAAAAAAAAAAAAAAAAAAAA/' 'AAAAAAAAAAA\nAAAAAAAAAAA' AAAAAAAAAAAAAAAAAAAAAA== ' AAAAAAAAAAAAAAAAAAAAAA' ''; do
	answers "wrap of '$value'" "400 BadParameter" POST /keys/k//wrapkey $WEST "{\"alg\":\"A256KW\",\"value\":\"$value\"}"
done
answers "the value as it is opens" 200 POST /keys/k//unwrapkey $WEST "{\"alg\":\"A256KW\",\"value\":\"$wrapped\"}"

http GET /keys $WEST
tap_is "no key was made" "e g k" "$(json '[.value[].kid | split("/")[4]] | sort | join(" ")')"
http GET /vaults ""
tap_is "no vault" "$EAST $WEST" "$(json '[.value[].name] | sort | join(" ")')"
tap_is "nothing was changed" "" "$(jq -r 'select((.operation == "key.update" or .operation == "vault.update") and .outcome == "done") | .seq' "$T/log/audit.jsonl")"
tap_done
