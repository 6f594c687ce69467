#!/bin/sh
# Catalog and token disagree: the doctor names an object without a row, a row without an object, a key in another's place, one with
# other attributes and a twin, each by its id; it changes nothing, so a second run says the same (threats D10, A8, A9, A10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
for key in good missing other looser twin purged; do
	key_make $WEST $key '{"kty":"oct"}'
	eval "id_$key=\${KID##*/}"
done
key_make $EAST k '{"kty":"EC"}'
http DELETE /keys/purged $WEST
http DELETE /deletedkeys/purged $WEST
http GET /doctor ""
tap_is "all is well at first" "200 0" "$HTTP_STATUS $(json '.findings | length')"

tool() {
	token_tool west "$@" >"$T/tool.log" 2>&1 || bail "pkcs11-tool $*: $(cat "$T/tool.log")"
}
delete() {
	tool --delete-object --type secrkey --label "contosowestus/$1"
}
# plant ID LABEL [OPTION...]
plant() {
	plant_id=$1
	plant_label=$2
	shift 2
	tool --write-object "$T/known" --type secrkey --key-type AES:32 --id "$plant_id" --label "$plant_label" --private "$@"
}
random_octets 32 >"$T/known"
orphan=$(random_octets 16 | hex)
# shellcheck disable=SC2154 # by eval
{
	plant "$orphan" contosowestus/orphan --usage-wrap --sensitive
	delete missing
	delete other
	plant "$id_other" contosowestus/other --usage-wrap --sensitive
	delete looser
	plant "$id_looser" contosowestus/looser --usage-wrap --usage-decrypt --extractable
	plant "$id_twin" thief --usage-wrap --sensitive
	plant "$id_purged" contosowestus/purged --usage-wrap --sensitive
}
inventory() {
	for inventory_token in west east; do
		token_tool $inventory_token --list-objects 2>/dev/null
	done | sha256sum
	sqlite3 -readonly "$T/custody.db" 'SELECT * FROM key; SELECT * FROM version; SELECT * FROM intent; SELECT * FROM tombstone' | sha256sum
}
before=$(inventory)
# shellcheck disable=SC2154 # by eval
printf '%s\n' "missing-object $id_missing on token west" "orphan-object $orphan on token west" "purged-object $id_purged on token west" \
	"wrong-object $id_looser on token west" "wrong-object $id_other on token west" "wrong-object $id_twin on token west" | sort >"$T/expected"
for run in first second; do
	http GET /doctor ""
	tap_is "the $run run names each disagreement, and nothing else" "$(cat "$T/expected")" \
		"$(json '.findings[] | .kind + " " + .subject' | sort)"
	tap_is "the $run run changes nothing" "$before" "$(inventory)"
done
tap_like "of a wrong one it says what is wrong" "*(*)" "$(json ".findings[] | select(.subject | startswith(\"$id_twin\")) | .message")"
tap_exits "custodyctl doctor says the same, and by its exit status" 7 ctl doctor
ctl doctor -o json >"$T/doctor"
tap_is "of each" 6 "$(grep -c -e "$id_missing" -e "$orphan" -e "$id_purged" -e "$id_looser" -e "$id_other" -e "$id_twin" "$T/doctor")"
use $WEST good wrapkey A256KW "$(random_b64 32)"
tap_is "a key that is right goes on" 200 "$(answer)"
for key in missing other looser twin; do
	use $WEST $key wrapkey A256KW "$(random_b64 32)"
	tap_like "$key is not used" "503 ServiceUnavailable Key*" "$(answer)"
done

token_lose east
worker=$(worker_pid east)
kill -KILL "$worker"
# shellcheck disable=SC2317 # run by wait_for
east_gone() {
	! token_is east ready
}
wait_for east_gone
http GET /doctor ""
tap_is "a token that is away is a finding, its keys are not" "token east" "$(json '.findings[] | select(.subject | contains("east")) | .kind + " " + .subject')"
tap_is "the other is looked at all the same" 6 "$(json '[.findings[] | select(.subject | endswith("on token west"))] | length')"
tap_done
