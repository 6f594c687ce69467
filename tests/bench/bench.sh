# What the benchmarks share: the scene of the system tests, slices of time, medians.
#
#   . "$SRCDIR/tests/bench/bench.sh"
#
# From the environment: BENCH_ROUNDS (5) rounds; more make it longer and steadier. BENCH_MS (400): each slice of a round.
# shellcheck shell=sh
# shellcheck disable=SC2034 # for the benchmarks

. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"

ROUNDS=${BENCH_ROUNDS:-5}
SLICE_MS=${BENCH_MS:-400}
CORES=$(nproc)
BENCH_TOOLS=$BUILDDIR/tests/bench

bench_pid=       # of what else was started
bench_directory= # of what else was made
bench_cleanup() {
	bench_status=$?
	[ -z "$bench_pid" ] || kill "$bench_pid" 2>/dev/null
	[ -z "$bench_directory" ] || rm -rf "$bench_directory"
	(exit $bench_status)
	cleanup
}
trap bench_cleanup EXIT

bench_begin() {
	if [ "${SANITIZERS:-no}" != no ]; then
		bail "a build with sanitizers says nothing about speed"
	fi
	echo
	echo "$*"
	echo "  on $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $CORES CPUs, Linux $(uname -r)," \
		"load $(cut -d ' ' -f 1 /proc/loadavg); $(openssl version | cut -d ' ' -f 1,2), SoftHSM $(softhsm2-util --version)"
}

bench_end() {
	for bench_daemon in $WORLD_DAEMONS; do
		! process_runs "$bench_daemon" || process_end "$bench_daemon" || bail "$bench_daemon did not stop"
	done
	tap_planned=yes
}

# request FILE METHOD PATH HOST [JSON]: appends the octets of an HTTP request, as an SDK sends it.
request() {
	request_host=${4:-localhost}
	case $request_host in
	localhost) request_path=$3 ;;
	*)
		request_path="$3?api-version=7.4"
		request_host=$request_host.vault.azure.net
		;;
	esac
	{
		printf '%s %s HTTP/1.1\r\nHost: %s\r\n' "$2" "$request_path" "$request_host"
		printf 'User-Agent: custody-bench\r\nAccept: application/json\r\nAuthorization: Bearer bench\r\n'
		[ $# -lt 5 ] || printf 'Content-Type: application/json\r\nContent-Length: %s\r\n' "${#5}"
		printf '\r\n%s' "${5:-}"
	} >>"$1"
}

# load CONNECTIONS FILE [MILLISECONDS]: "operations-a-second p50 p99" of custodyd.
load() {
	"$BENCH_TOOLS/bench-load" "$T/custodyd.sock" "$1" "${3:-$SLICE_MS}" "$2"
}

# The CPU time that custodyd took so far, in microseconds.
daemon_cpu() {
	echo $(($(cut -d ' ' -f 1 "/proc/$(daemon_pid)/schedstat") / 1000))
}

# For awk: of a list of numbers, "-" if it is empty; and two digits of one.
MEDIAN='
	function median(list,   n, i, k, words, swap) {
		n = split(list, words, " ")
		if (n == 0)
			return "-"
		for (i = 2; i <= n; i++)
			for (k = i; k > 1 && words[k] + 0 < words[k - 1] + 0; k--) {
				swap = words[k]; words[k] = words[k - 1]; words[k - 1] = swap
			}
		return words[int((n + 1) / 2)]
	}
	function decimal(number) { return number == "-" ? "-" : sprintf("%.2f", number) }
'
