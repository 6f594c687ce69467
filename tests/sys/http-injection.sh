#!/bin/sh
# Line ends, quotes and escape sequences of a caller end up in no log, break no line of the audit and reach no terminal
# (threats C20).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/raw.sh"
world_start

esc=$(printf '\033')
evil='\u001b]0;pwned\u0007\u001b[2J\n{\"seq\":1,\"outcome\":\"done\"}\r\n\u009b31m\u007f<3>request'
http POST /keys/k/create $WEST "{\"kty\":\"oct\",\"tags\":{\"$evil\":\"$evil\"}}"
tap_is "tags may hold anything" 200 "$HTTP_STATUS"
tap_is "and give it back unchanged" "$(printf '"%s"' "$evil" | jq -c .)" "$(json '.tags | to_entries[0] | .key | tojson')"
for format in table tsv json; do
	ctl key show --vault-name $WEST --name k -o $format >"$T/shown" 2>&1
	tap_is "custodyctl -o $format has no control character" 0 "$(LC_ALL=C tr -d '\n\t' <"$T/shown" | LC_ALL=C grep -acP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]')"
	ctl key list --vault-name $WEST -o $format >"$T/shown" 2>&1
	tap_is "nor the list" 0 "$(LC_ALL=C tr -d '\n\t' <"$T/shown" | LC_ALL=C grep -acP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]')"
done
tap_is "a table has a line for each row" 1 "$(ctl key list --vault-name $WEST -o tsv | wc -l)"
tap_exits "a name of them is refused" 2 ctl key show --vault-name $WEST --name "${esc}[31m"
tap_unlike "without repeating it" "*$esc*" "$tap_output"

# In every place of a request that holds text.
quoted='a%22%2c%22outcome%22:%22done'
for target in "/keys/$quoted" '/keys/k%0a%7b' '/keys/%1b%5b2J' '/keys/k/%5c%22' "/keys/%3c3%3erequest" "/deletedkeys/$quoted" "/vaults/$quoted" \
	"/vaults/$WEST/policies/user:$quoted" "/tokens/$quoted" "/keys?\$skiptoken=$quoted" "/keys?api-version=$quoted"; do
	case $target in
	*\?*) ;;
	*) target="$target?api-version=7.4" ;;
	esac
	for method in GET PUT; do
		tap_like "$method $target" "4?? *" "$(raw "$(raw_head $method "$target" 'Content-Length: 2')\\r\\n{}" -l)"
	done
done
long=$(printf '%%22%.0s' $(seq 1300))
tap_like "a name as long as a target may be" "400 keep*" "$(raw "$(raw_get "/keys/$long?api-version=7.4")" -l)"
tap_like "a Host of its own" "404 keep*" "$(raw "GET /keys?api-version=7.4 HTTP/1.1\\r\\nHost: seq-1.outcome_done\\r\\nAuthorization: t\\r\\n\\r\\n" -l)"
canary=canary$(random_octets 8 | hex)
for header in "User-Agent: $canary\\xc2\\x9b31m" "x-ms-client-request-id: $canary\\\"" "x-custody-application: $canary\\\"" "Authorization: Bearer $canary" "Referer: $canary" \
	"User-Agent: $canary\\x1b[31m" "User-Agent: $canary\\n<3>request"; do
	raw "GET /keys/k?api-version=7.4 HTTP/1.1\\r\\nHost: $WEST\\r\\n$(printf '%s' "$header" | sed 's/\\"/"/g')\\r\\n\\r\\n" >"$T/answer"
	tap_unlike "no answer repeats ${header%%:*}" "*$canary*" "$(cat "$T/answer")"
done
tap_is "nothing of the headers is written down" "" "$(grep -al "$canary" "$T/custodyd.log" "$T/log/audit.jsonl")"

tap_is "no control character is in the log" 0 "$(LC_ALL=C grep -acP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]' "$T/custodyd.log")"
tap_is "nor in the audit" 0 "$(LC_ALL=C grep -acP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]' "$T/log/audit.jsonl")"
tap_is "each line of the log is one of ours, whole" "" "$(grep -vaE '^<[0-7]>[a-z][a-z.-]*( [A-Za-z]+=("([^"\\]|\\.)*"|[^" =\\]*)([.]{3})?)*$' "$T/custodyd.log")"
tap_is "each request has its id in it" "" "$(grep -a '^<.>request ' "$T/custodyd.log" | grep -av ' id=[-0-9a-f]\{36\}')"
tap_is "each line of the audit is a record" "$(wc -l <"$T/log/audit.jsonl")" "$(jq -c 'select(.seq and .hash and .outcome)' "$T/log/audit.jsonl" | wc -l)"
tap_is "with the next number" "" "$(jq -r .seq "$T/log/audit.jsonl" | awk '$1 != NR')"
tap_is "nobody's outcome was forged" "" "$(jq -r 'select(.outcome == "done" and .status >= 400) | .seq' "$T/log/audit.jsonl")"
daemon_stop
daemon_start || bail "the audit does not verify"
answers "and the whole file verifies at the start" 200 GET /keys/k $WEST
tap_done
