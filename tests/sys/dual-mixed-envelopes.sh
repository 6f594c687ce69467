#!/bin/sh
# No mixture of the parts of two envelopes opens, though all their parts are good (threats E1, E10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
dual_keys oct
context=$(b64 c)
first=$(random_b64 32)
second=$(random_b64 32)
dual_wrap "$first" "$context"
cp "$T/envelope" "$T/a"
dual_wrap "$second" "$context"
cp "$T/envelope" "$T/b"
: >"$T/answers"
# Five parts, each of the one or the other: every mixture but the two that are whole.
mixed=0
for mask in $(seq 1 62); do
	jq -c --slurpfile b "$T/b" --argjson m "$mask" '
		def bit(n): ($m / pow(2; n) | floor) % 2 == 1;
		if bit(0) then .protected = $b[0].protected else . end |
		if bit(1) then .recipients[0].encrypted_key = $b[0].recipients[0].encrypted_key else . end |
		if bit(2) then .recipients[1].encrypted_key = $b[0].recipients[1].encrypted_key else . end |
		if bit(3) then .iv = $b[0].iv else . end |
		if bit(4) then .ciphertext = $b[0].ciphertext else . end |
		if bit(5) then .tag = $b[0].tag else . end' "$T/a" >"$T/mixed"
	dual unwrapkey "$T/mixed" "$context"
	# Only an encrypted key exchanged: the other one opens it, as it must, and says degraded.
	case $mask in
	2 | 4) echo "good $HTTP_STATUS $(json .value)" | sed "s/$first/first/" >>"$T/answers" ;;
	61 | 59) echo "good $HTTP_STATUS $(json .value)" | sed "s/$second/first/" >>"$T/answers" ;;
	*) echo "$HTTP_STATUS $(cat "$T/body")" >>"$T/answers" ;;
	esac
	mixed=$((mixed + 1))
done
tap_is "62 mixtures were tried" 62 "$mixed"
tap_is "one key exchanged: the other one opens, with the whole's plaintext" 4 "$(grep -c '^good 200 first$' "$T/answers")"
tap_is "all others have one and the same answer" 1 "$(grep -v '^good' "$T/answers" | sort -u | wc -l)"
tap_like "which is no" "400 *cannot be opened*" "$(grep -v '^good' "$T/answers" | sort -u)"
# shellcheck disable=SC2016 # of jq
for swap in '.recipients[0].encrypted_key as $k | .recipients[0].encrypted_key = .recipients[1].encrypted_key | .recipients[1].encrypted_key = $k' \
	'.recipients[0].header.kid as $k | .recipients[0].header.kid = .recipients[1].header.kid | .recipients[1].header.kid = $k' \
	'.recipients[1] = .recipients[0]'; do
	jq -c "$swap" "$T/a" >"$T/mixed"
	dual unwrapkey "$T/mixed" "$context"
	tap_is "parts exchanged within one: $(printf '%.40s' "$swap")" "400 BadParameter" "$(answer)"
done
tap_done
