#!/bin/sh
# Eight clients make keys at once on SoftHSM, which fails now and then and leaves files behind: as many answers as objects as rows,
# and no orphan (threats B36).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
CLIENTS=8
EACH=12
world_start
config_set custodyd in-flight-per-caller 256
daemon_reload

client=0
while [ $client -lt $CLIENTS ]; do
	i=0
	while [ $i -lt $EACH ]; do
		[ $i -eq 0 ] || echo next
		echo "url = \"http://localhost/keys/k-$client-$i/create?api-version=7.4\""
		echo "unix-socket = \"$T/custodyd.sock\""
		echo 'header = "Host: contosowestus.vault.azure.net"'
		echo 'header = "Authorization: Bearer test"'
		echo 'header = "Content-Type: application/json"'
		printf '%s\n' 'data = "{\"kty\":\"oct\"}"'
		echo 'silent'
		echo "max-time = $DEADLINE"
		echo "output = \"$T/answer-$client-$i\""
		printf '%s\n' 'write-out = "%{http_code}\n"'
		i=$((i + 1))
	done >"$T/curl-$client"
	client=$((client + 1))
done
pids=
client=0
while [ $client -lt $CLIENTS ]; do
	curl -K "$T/curl-$client" >"$T/statuses-$client" 2>&1 &
	pids="$pids $!"
	client=$((client + 1))
done
# shellcheck disable=SC2086 # a list
wait $pids
all=$((CLIENTS * EACH))
tap_is "every creation is answered with a key" "$all 200" "$(cat "$T"/statuses-* | sort | uniq -c | awk '{ print $1, $2 }')"
cat "$T"/answer-* | jq -r .key.kid | sed 's|.*/||' | sort >"$T/kids"
tap_is "each with a version of its own" "$all" "$(uniq "$T/kids" | wc -l)"
follow /keys
tap_is "the catalog has as many keys" "$all" "$(sort -u "$T/items" | wc -l)"
token_tool west --list-objects --type secrkey 2>/dev/null | sed -n 's/^ *ID: *//p' | sort >"$T/objects"
tap_is "the token has as many objects, and these" "$(md5sum <"$T/kids")" "$(md5sum <"$T/objects")"
# SoftHSM hides a broken object; its file stays.
tap_is "and as many files, beside the identity's two and the lease" $((all + 3)) "$(find "$T/tokens/west" -name '*.object' ! -name token.object | wc -l)"
http GET /doctor ""
tap_is "doctor finds nothing" 0 "$(json '.findings | length')"
tap_is "no intent is left" 0 "$(http GET /status "" && json '.intents // 0')"
tap_done
