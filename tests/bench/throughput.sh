#!/bin/sh
# Operations a second of custodyd against the same operation on the same key by Cryptoki in process and through `p11-kit server`.
# Every round measures everything, a slice of time each; ratios are medians of the rounds' ratios. BENCH_ONLY="rsa2048 aes": only these.
. "$SRCDIR/tests/bench/bench.sh"
P11_KIT_CLIENT=$(pkg-config --variable=p11_module_path p11-kit-1)/p11-kit-client.so
CONNECTIONS="1 8 64"

bench_begin "Operations with keys ($ROUNDS rounds of $SLICE_MS ms for each line)"
[ -e "$P11_KIT_CLIENT" ] || bail "no $P11_KIT_CLIENT (package p11-kit-modules)"
world_start

# --- what is measured: a line "name|operation of bench-cryptoki or -|label|p11-kit can" for each in $T/operations

# operation FILE-STEM NAME OPERATION LABEL SERVED
operation() {
	case " ${BENCH_ONLY:-$1} " in
	*" $1 "*) echo "$1|$2|$3|$4|$5" >>"$T/operations" ;;
	esac
}

# rsa_unwrap BITS: RSA-OAEP-256 is served by raw RSA on SoftHSM, so the baseline is raw RSA.
rsa_unwrap() {
	key_make $WEST "rsa$1" "{\"kty\":\"RSA\",\"key_size\":$1,\"key_ops\":[\"wrapKey\",\"unwrapKey\"]}"
	use $WEST "rsa$1" wrapkey RSA-OAEP-256 "$(random_b64 32)"
	unb64 "$(json .value)" >"$T/rsa$1.in"
	request "$T/rsa$1.http" POST "$(kid_path "$KID")/unwrapkey" $WEST "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$(json .value)\"}"
	operation "rsa$1" "RSA-$1 unwrapKey" rsa-decrypt "$WEST/rsa$1" yes
}

rsa_unwrap 2048
rsa_unwrap 3072
rsa_unwrap 4096

key_make $WEST aes '{"kty":"oct","key_size":256,"key_ops":["wrapKey","unwrapKey"]}'
use $WEST aes wrapkey A256KW "$(random_b64 32)"
unb64 "$(json .value)" >"$T/aes.in"
request "$T/aes.http" POST "$(kid_path "$KID")/unwrapkey" $WEST "{\"alg\":\"A256KW\",\"value\":\"$(json .value)\"}"
operation aes "AES-256 unwrapKey" aes-unwrap "$WEST/aes" no # 0.24 knows no key wrap

random_octets 32 >"$T/digest"
key_make $WEST rs '{"kty":"RSA","key_size":2048,"key_ops":["sign"]}'
{
	unhex 3031300d060960864801650304020105000420 # DigestInfo of SHA-256
	cat "$T/digest"
} >"$T/rs.in"
request "$T/rs.http" POST "$(kid_path "$KID")/sign" $WEST "{\"alg\":\"RS256\",\"value\":\"$(b64_of <"$T/digest")\"}"
operation rs "RS256 sign (RSA-2048)" rsa-sign "$WEST/rs" yes

key_make $WEST es '{"kty":"EC","crv":"P-256","key_ops":["sign"]}'
cp "$T/digest" "$T/es.in"
request "$T/es.http" POST "$(kid_path "$KID")/sign" $WEST "{\"alg\":\"ES256\",\"value\":\"$(b64_of <"$T/digest")\"}"
operation es "ES256 sign (P-256)" ec-sign "$WEST/es" yes

request "$T/get.http" GET "$(kid_path "$KID")" $WEST
operation get "get key" - - no

dual_keys rsa
dual_wrap "$(random_b64 32)" "$(b64 mailbox-7)"
request "$T/dual.http" POST /dual/unwrapkey "" "{\"envelope\":$(cat "$T/envelope"),\"context\":\"$(b64 mailbox-7)\"}"
operation dual "dual unwrap (RSA-2048)" - - no

# --- p11-kit server on the same token

SOFTHSM2_CONF=$T/tokens/west.conf p11-kit server -f -n "$T/p11-kit.sock" --provider "$SOFTHSM_MODULE" "pkcs11:token=west" >"$T/p11-kit.log" 2>&1 &
bench_pid=$!
wait_for test -S "$T/p11-kit.sock" || bail "p11-kit server did not start"

# --- slices, each a line "name|way|rate p50 p99 [custodyd's CPU microseconds a request]" in $T/results

# slice NAME WAY COMMAND...
slice() {
	slice_head="$1|$2"
	shift 2
	slice_result=$("$@") || bail "$slice_head: $*"
	echo "$slice_head|$slice_result" >>"$T/results"
}

cryptoki() {
	SOFTHSM2_CONF=$T/tokens/west.conf P11_KIT_SERVER_ADDRESS=unix:path=$T/p11-kit.sock "$BENCH_TOOLS/bench-cryptoki" \
		"$1" west "$T/pin-west" "$4" "$3" "$T/$2.in" "$5" "$SLICE_MS"
}

# custodyd CONNECTIONS FILE: with its own CPU time for each request, which is what it adds.
custodyd() {
	custodyd_before=$(daemon_cpu)
	custodyd_result=$(load "$1" "$2") || return
	custodyd_took=$(($(daemon_cpu) - custodyd_before))
	echo "$custodyd_result $((custodyd_took * 1000 / (${custodyd_result%% *} * SLICE_MS + 1)))"
}

measure() {
	while IFS='|' read -r stem name operation label served; do
		if [ "$operation" != - ]; then
			slice "$name" "Cryptoki, threads: 1" cryptoki "$SOFTHSM_MODULE" "$stem" "$operation" "$label" 1
			slice "$name" "Cryptoki, threads: $CORES" cryptoki "$SOFTHSM_MODULE" "$stem" "$operation" "$label" "$CORES"
		fi
		[ "$served" = no ] || slice "$name" "p11-kit server, threads: $CORES" cryptoki "$P11_KIT_CLIENT" "$stem" "$operation" "$label" "$CORES"
		for connections in $CONNECTIONS; do
			slice "$name" "custodyd, connections: $connections" custodyd "$connections" "$T/$stem.http"
		done
	done <"$T/operations"
}

round=0
while [ "$round" -lt "$ROUNDS" ]; do
	measure
	round=$((round + 1))
done

awk -F '|' -v raw="Cryptoki, threads: $CORES" -v kit="p11-kit server, threads: $CORES" "$MEDIAN"'
	# Of the rounds: the rate by this way through the rate by another.
	function ratio(name, way, other,   i, list) {
		for (i = 1; i <= rounds[name, way]; i++)
			if (rate[name, other, i] > 0)
				list = list " " rate[name, way, i] / rate[name, other, i]
		return median(list)
	}
	{
		name = $1; way = $2
		split($3, of, " ")
		if (!(name in seen)) { seen[name] = 1; names[++name_count] = name }
		if (!((name, way) in rounds)) ways[name, ++way_count[name]] = way
		i = ++rounds[name, way]
		rate[name, way, i] = of[1]
		rates[name, way] = rates[name, way] " " of[1]
		p50[name, way] = p50[name, way] " " of[2]
		p99[name, way] = p99[name, way] " " of[3]
		cpu[name, way] = cpu[name, way] " " of[4]
	}
	END {
		printf "\n%-24s %-28s %9s %8s %10s %8s %8s %12s\n", "operation", "way", "ops/s", "of raw", "of p11-kit", "p50 us", "p99 us", "custodyd us"
		for (n = 1; n <= name_count; n++)
			for (w = 1; w <= way_count[names[n]]; w++) {
				name = names[n]; way = ways[name, w]
				printf "%-24s %-28s %9d %8s %10s %8d %8d %12s\n", w == 1 ? name : "", way, median(rates[name, way]),
					decimal(ratio(name, way, raw)), decimal(ratio(name, way, kit)),
					median(p50[name, way]), median(p99[name, way]), median(cpu[name, way])
			}
		rsa = "RSA-2048 unwrapKey"; full = "custodyd, connections: 64"
		printf "\n%-66s %8s %8s\n", "", "aim", "here"
		printf "%-66s %8s %8s\n", "RSA-2048 unwrapKey, 64 connections, of raw", ">= 0.85", decimal(ratio(rsa, full, raw))
		printf "%-66s %8s %8s\n", "the same, of p11-kit server", ">= 1.60", decimal(ratio(rsa, full, kit))
		printf "%-66s %8s %8s\n", "AES-256 unwrapKey, 64 connections, of raw", ">= 0.40", decimal(ratio("AES-256 unwrapKey", full, raw))
		printf "%-66s %8s %8d\n", "microseconds added to one RSA-2048 unwrapKey (p50, 1 connection)", "<= 120",
			median(p50[rsa, "custodyd, connections: 1"]) - median(p50[rsa, "Cryptoki, threads: 1"])
		print "raw: Cryptoki in process, a thread for each CPU. custodyd us: its CPU time for each request."
	}' "$T/results"
bench_end
