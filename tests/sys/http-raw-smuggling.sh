#!/bin/sh
# No octets make two requests of one, or one of two: whatever is ambiguous has one error, and nothing behind it is
# executed (threats C13, C26).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
world_start
key_make $WEST k '{"kty":"oct"}'
key_make $WEST victim '{"kty":"oct"}'

# What the smuggler wants executed: it stands behind, or inside, every message, as chunk data, body or second request.
delete='DELETE /keys/victim?api-version=7.4 HTTP/1.1\r\nHost: contosowestus\r\nAuthorization: t\r\n\r\n'
marker=smuggled$(random_octets 8 | hex)
count=0
while IFS='|' read -r name expected message; do
	[ -n "$name" ] || continue
	count=$((count + 1))
	got=$(raw "$message$delete" -l)
	tap_is "$name" "$expected" "$(printf '%s\n' "$got" | raw_codes)"
	printf '%s\n' "$got" | sed 's/^[0-9]* [a-z]* //' >>"$T/bodies"
done <<END
both lengths|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n
both, other order|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n
chunked|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
chunk extension|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: chunked\r\n\r\n1;$marker=1\r\na\r\n0\r\n\r\n
chunk trailer|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-$marker: 1\r\n\r\n
chunked, spelled oddly|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: xchunked\r\n\r\n
chunked, blank inside|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: chu nked\r\n\r\n
identity|411 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: identity\r\n\r\n
two codings|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n
coding behind a vertical tab|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding: \x0bchunked\r\n\r\n
coding named with a blank|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n
coding folded|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n
two lengths|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n
two equal lengths|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n
list of lengths|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0, 0\r\n\r\n
length with a plus|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: +0\r\n\r\n
negative length|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: -1\r\n\r\n
hexadecimal length|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0x0\r\n\r\n
length with a blank|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0 4\r\n\r\n
length with a point|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 0.0\r\n\r\n
length in quotes|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: "0"\r\n\r\n
empty length|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length:\r\n\r\n
length that overflows to 0|413 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 18446744073709551616\r\n\r\n
length that overflows to 4|413 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: 4294967300\r\n\r\n
length named with a blank|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length : 4\r\n\r\n
length named with a NUL|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent-Length\x00: 4\r\n\r\n
length named with a line|400 close BadParameter|POST /$marker HTTP/1.1\r\nHost: contosowestus\r\nContent_Length: 4\r\nContent-Length\r\n: 4\r\n\r\n
folded header|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nX: a\r\n Content-Length: 4\r\n\r\n
folded by a tab|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nX: a\r\n\tContent-Length: 4\r\n\r\n
blank before the first header|400 close BadParameter|GET /$marker HTTP/1.1\r\n Host: contosowestus\r\n\r\n
bare LF|400 close BadParameter|GET /$marker HTTP/1.1\nHost: contosowestus\n\n
bare LF in headers|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\nX: a\r\n\r\n
bare LF ends the head|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\n\n
bare CR|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nX: a\rContent-Length: 4\r\n\r\n
CR CR LF|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\r\n\r\n
no colon|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\n$marker\r\n\r\n
header named by eight bits|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\n\xc3\xa9$marker: a\r\n\r\n
NUL in a header|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nX: a\x00b\r\n\r\n
escape sequence in a header|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nX: \x1b]0;$marker\x07\r\n\r\n
two Hosts|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nHost: contosocentralus\r\n\r\n
no Host|400 close BadParameter|GET /$marker HTTP/1.1\r\n\r\n
a target with a blank|400 close BadParameter|GET /$marker /x HTTP/1.1\r\nHost: contosowestus\r\n\r\n
a version of its own|400 close BadParameter|GET /$marker HTTP/1.1 HTTP/1.1\r\nHost: contosowestus\r\n\r\n
HTTP/0.9|400 close BadParameter|GET /$marker\r\n
HTTP/2|400 close BadParameter|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n
TLS|400 close BadParameter|\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03
two applications|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nx-custody-application: $marker\r\nX-Custody-Application: b\r\n\r\n
two tokens|400 close BadParameter|GET /$marker HTTP/1.1\r\nHost: contosowestus\r\nAuthorization: $marker\r\nAuthorization: b\r\n\r\n
END
tap_ok "the table was read" test "$count" -ge 40
tap_is "each answer has the dialect's error" "$count" \
	"$(jq -c 'select((.error.code | test("^[A-Za-z]+$")) and (.error.message | test("^[A-Z].*[.]$")))' "$T/bodies" | wc -l)"
tap_is "and nothing of the request in it" "" "$(grep -a "$marker" "$T/bodies")"

# What one reading takes for a body and another for a request is a body, whatever the method.
inside=$(printf '%s' "$delete" | sed 's/\\r\\n/12/g')
for method in GET POST PATCH DELETE; do
	got=$(raw "$method /keys/k HTTP/1.1\r\nHost: contosowestus\r\nContent-Length: ${#inside}\r\n\r\n$delete" -l | raw_codes)
	tap_like "$method with a request as its body: one answer" "4?? keep*" "$got"
	tap_unlike "$method with a request as its body: not two" "*,*" "$got"
done
answers "nothing was smuggled" 200 GET /keys/victim $WEST
tap_is "nor tried" "" "$(jq -r 'select(.operation == "key.delete") | .key' "$T/log/audit.jsonl")"
tap_is "and the log has none of it" "" "$(grep -al "$marker" "$T/custodyd.log" "$T/log/audit.jsonl")"
got=$(raw "$delete" -l | raw_codes)
tap_is "the request itself would have done it" "200 keep" "$got"
tap_done
