#!/bin/sh
# The caller's context must be the envelope's; the envelope's own is believed by nobody (threats E5).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
value=$(random_b64 32)
dual_wrap "$value" "$(b64 tenant-a)"
cp "$T/envelope" "$T/a"
dual_wrap "$value" "$(b64 tenant-b)"
cp "$T/envelope" "$T/b"
dual_wrap "$value" ""
cp "$T/envelope" "$T/empty"
opens() { # OPERATION FILE CONTEXT
	dual "$1" "$2" "$3"
	answer
}

: >"$T/answers"
for operation in unwrapkey rewrapkey; do
	tap_is "the right context: $operation" 200 "$(opens $operation "$T/a" "$(b64 tenant-a)")"
	tap_is "the right empty one: $operation" 200 "$(opens $operation "$T/empty" "")"
	jq -c '.aad = "'"$(b64 tenant-b)"'"' "$T/a" >"$T/moved"
	jq -c 'del(.aad)' "$T/a" >"$T/stripped"
	jq -c '.aad = "'"$(b64 tenant-a)"'"' "$T/empty" >"$T/added"
	for row in "a:tenant-b" "a:" "a:tenant-" "a:tenant-aa" "a:Tenant-a" "b:tenant-a" "empty:tenant-a" "moved:tenant-b" "moved:tenant-a" "stripped:" "stripped:tenant-a" \
		"added:tenant-a" "added:"; do
		tap_is "$operation of '${row%%:*}' for '${row#*:}'" "400 BadParameter" "$(opens $operation "$T/${row%%:*}" "$(b64 "${row#*:}")")"
		cat "$T/body" >>"$T/answers"
		echo >>"$T/answers"
	done
	jq -c '.aad = ""' "$T/a" >"$T/emptied"
	tap_is "an aad that is there is not empty (RFC 7516 §7.2.1)" "400 BadParameter" "$(opens $operation "$T/emptied" "")"
	http POST /dual/$operation "" "{\"envelope\":$(cat "$T/a")}"
	tap_is "no context is not an empty one: $operation" "400 BadParameter" "$(answer)"
done
tap_is "all wrong contexts have one answer" 1 "$(sort -u "$T/answers" | wc -l)"
dual check "$T/a" "$(b64 tenant-b)"
tap_is "check says it of both recipients" "200 0 west bad BadCiphertext, east bad BadCiphertext" "$HTTP_STATUS $(json .redundancy) $(attempts)"
tap_done
