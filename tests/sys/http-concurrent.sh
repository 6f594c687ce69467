#!/bin/sh
# Many clients at once on the same keys: each answer is true at some moment, and what is there at the end is what the answers
# said (threats C14, C25).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST shared '{"kty":"oct"}'
key_make $WEST shaken '{"kty":"oct"}'
value=$(random_b64 32)

# one METHOD PATH JSON: prints a line "BODY STATUS METHOD". A process of its own, so that many run at once.
cat >"$T/one" <<'END'
#!/bin/sh
method=$1 path=$2 json=$3
set -- curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "$T/custodyd.sock" -X "$method" -H "Host: $WEST.vault.azure.net" \
	-H 'Authorization: t' -w " %{http_code} $method" "http://localhost$path?api-version=7.4"
[ -z "$json" ] || set -- "$@" -H 'Content-Type: application/json' -d "$json"
answer=$("$@")
echo "$answer" # one write: answers of many do not mix
END
chmod 755 "$T/one"
export T WEST DEADLINE CUSTODYCTL
at_once() { # CLIENTS FILE: runs the lines of $T/jobs, "METHOD|PATH|JSON", each by a client of its own
	tr '|\n' '\0\0' <"$T/jobs" | xargs -0 -n 3 -P "$1" "$T/one" >"$T/$2"
}

# Versions of one key, made and used by 50 clients.
for _ in $(seq 10); do
	echo 'POST|/keys/shared/create|{"kty":"oct"}'
	echo "POST|/keys/shared//wrapkey|{\"alg\":\"A256KW\",\"value\":\"$value\"}"
	echo "POST|/keys/shared//wrapkey|{\"alg\":\"A256KW\",\"value\":\"$value\"}"
	echo 'GET|/keys/shared|'
	echo 'GET|/keys/shared/versions|'
done >"$T/jobs"
at_once 50 first
tap_is "50 clients have 50 answers" "50 200" "$(sed -n 's/.* \([0-9]*\) [A-Z]*$/\1/p' "$T/first" | sort | uniq -c | awk '{ print $1, $2 }')"
http GET /keys/shared/versions $WEST
json '.value[].kid' | sort >"$T/there"
tap_is "each create made a version" 11 "$(wc -l <"$T/there")"
grep '"key":.* POST$' "$T/first" | sed 's/ 200 POST$//' | jq -r .key.kid | sort >"$T/made"
tap_is "each its own" 10 "$(sort -u "$T/made" | wc -l)"
tap_is "which is there" "" "$(comm -23 "$T/made" "$T/there")"
grep '"alg":"A256KW"' "$T/first" | sed 's/ 200 POST$//' | jq -r '.kid + " " + .value' >"$T/wrapped"
tap_is "20 were wrapped" 20 "$(wc -l <"$T/wrapped")"
good=0
while read -r kid wrapped; do
	use $WEST "${kid#*/keys/}" unwrapkey A256KW "$wrapped"
	[ "$(json .value)" = "$value" ] && good=$((good + 1))
done <"$T/wrapped"
tap_is "each with the version that its answer names" 20 $good
http GET /keys/shared $WEST
tap_ok "the newest is one of them" grep -qF "$(json .key.kid)" "$T/there"

# One key deleted, recovered, used and updated by clients that know nothing of each other.
for i in $(seq 8); do
	echo 'DELETE|/keys/shaken|'
	echo 'POST|/deletedkeys/shaken/recover|'
	echo "POST|/keys/shaken//wrapkey|{\"alg\":\"A256KW\",\"value\":\"$value\"}"
	echo "PATCH|/keys/shaken|{\"tags\":{\"by\":\"$i\"}}"
	echo 'POST|/keys/shaken/create|{"kty":"oct"}'
	echo 'GET|/deletedkeys/shaken|'
done >"$T/jobs"
at_once 16 second
count() { # METHOD PATTERN
	grep -c "$2.* 200 $1\$" "$T/second"
}
tap_is "every answer is one of those that can be" "" \
	"$(grep -vE '(^\{.* 200|"KeyNotFound".* 404|"ObjectIsDeletedButRecoverable".* 409) [A-Z]+$' "$T/second")"
deletes=$(count DELETE '"recoveryId"')
recovers=$(jq -r 'select(.operation == "key.recover" and .status == 200) | .status' "$T/log/audit.jsonl" | wc -l)
http GET /keys/shaken $WEST
live=$HTTP_STATUS
http GET /deletedkeys/shaken $WEST
case $((deletes - recovers)) in
0) tap_is "recovered as often as deleted: it lives" "200 404" "$live $HTTP_STATUS" ;;
1) tap_is "deleted once more: it is deleted" "404 200" "$live $HTTP_STATUS" ;;
*) tap_is "deleted and recovered in turn" "0 or 1" $((deletes - recovers)) ;;
esac
[ "$live" = 200 ] || http POST /deletedkeys/shaken/recover $WEST
made=$(jq -r 'select(.operation == "key.create" and .key == "shaken" and .status == 200) | .version' "$T/log/audit.jsonl" | wc -l)
# shellcheck disable=SC2317 # run by wait_for
recovered() {
	http GET /keys/shaken/versions "$WEST" && [ "$HTTP_STATUS" = 200 ]
}
wait_for recovered
tap_is "it has the versions that were made" "$made" "$(json '.value | length')"
tap_is "and the token an object for each" "$made" "$(token_objects west $WEST/shaken | wc -l)"

# Our own client, and two vaults at once.
for _ in $(seq 25); do
	printf '%s\n%s\n' "$WEST" "$EAST"
done >"$T/vaults"
# shellcheck disable=SC2016 # for the inner shell
CUSTODY_SOCKET=$T/custodyd.sock xargs -P 25 -I {} "$CUSTODYCTL" key create --vault-name {} --name fresh --kty oct -o json <"$T/vaults" >"$T/third" 2>&1
tap_is "50 of custodyctl have made 50 versions" 50 "$(jq -r .key.kid "$T/third" | sort -u | wc -l)"
http GET '/keys/fresh/versions?maxresults=25' $WEST
tap_is "half of them in each vault" 25 "$(json '.value | length')"
tap_is "nothing is left half done" "0 []" "$(http GET /status ""; json .intents) $(http GET /doctor ""; json '.findings | tojson')"
tap_done
