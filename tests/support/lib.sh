# Library of the system tests: real daemons, real SoftHSM tokens, one directory per test, TAP out.
#
#   . "$SRCDIR/tests/support/lib.sh"
#   world_start                       # tokens west and east, custodyd, two vaults
#   http GET /keys/k contosowestus
#   tap_is "no such key" 404 "$HTTP_STATUS"
#   tap_done
#
# Where things are: $T the test's own directory; $T/custodyd.conf, .sock, .log, .pid, .exit; $T/custody.db; $T/log/audit.jsonl;
# $T/tokens/NAME, $T/tokens/NAME.conf, $T/pin-NAME, $T/so-pin-NAME. Nothing has a fixed name or port; nothing sleeps for luck:
# wait_for polls a condition up to a deadline. From the harness: $CUSTODYD, $CUSTODY_TOKEN, $CUSTODYCTL, $NOTIFY_RUN, $FAKE_CLOCK_LIBRARY, $SRCDIR.
# shellcheck shell=sh

set -u
umask 077

SOFTHSM_MODULE=${SOFTHSM_MODULE:-/usr/lib/softhsm/libsofthsm2.so}
[ "${SANITIZERS:-no}" = no ] && DEADLINE=${DEADLINE:-20}
DEADLINE=${DEADLINE:-60} # seconds that anything may take before the test gives up

tap_count=0
tap_failed=0
tap_planned=no

# A Unix socket's path has at most 107 octets, so a long TMPDIR is not used.
TMPDIR=${TMPDIR:-/tmp}
[ "${#TMPDIR}" -le 40 ] || TMPDIR=/tmp
T=$(mktemp -d "$TMPDIR/ct.XXXXXX") || exit 99
mkdir "$T/tokens" "$T/log" "$T/conf" || exit 99

# --- results

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

tap_pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

tap_fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
}

# tap_ok DESCRIPTION COMMAND...: the command succeeds; its output is shown if not.
tap_ok() {
	tap_description=$1
	shift
	if tap_output=$("$@" 2>&1); then
		tap_pass "$tap_description"
	else
		tap_status=$?
		tap_fail "$tap_description"
		diag "status $tap_status of: $*"
		diag "$tap_output"
	fi
}

# tap_exits DESCRIPTION STATUS COMMAND...: the command ends with exactly this exit status.
tap_exits() {
	tap_description=$1
	tap_expected=$2
	shift 2
	tap_output=$("$@" 2>&1)
	tap_status=$?
	if [ "$tap_status" -eq "$tap_expected" ]; then
		tap_pass "$tap_description"
	else
		tap_fail "$tap_description"
		diag "status $tap_status, not $tap_expected, of: $*"
		diag "$tap_output"
	fi
}

# tap_is DESCRIPTION EXPECTED ACTUAL
tap_is() {
	if [ "$2" = "$3" ]; then
		tap_pass "$1"
	else
		tap_fail "$1"
		diag "expected: $2"
		diag "     got: $3"
	fi
}

# tap_like DESCRIPTION PATTERN TEXT: the text matches the shell pattern.
tap_like() {
	# shellcheck disable=SC2254 # a pattern is meant
	case $3 in
	$2) tap_pass "$1" ;;
	*)
		tap_fail "$1"
		diag "pattern: $2"
		diag "    got: $3"
		;;
	esac
}

# tap_unlike DESCRIPTION PATTERN TEXT
tap_unlike() {
	# shellcheck disable=SC2254
	case $3 in
	$2)
		tap_fail "$1"
		diag "forbidden: $2"
		diag "      got: $3"
		;;
	*) tap_pass "$1" ;;
	esac
}

# Ends the test; CI accepts no skip that is not listed in tests/skips.
tap_skip_all() {
	echo "1..0 # SKIP $1"
	tap_planned=yes
	exit 0
}

bail() {
	echo "Bail out! $1"
	tap_failed=$((tap_failed + 1))
	tap_planned=yes
	exit 1
}

tap_done() {
	for tap_daemon in $WORLD_DAEMONS; do
		process_runs "$tap_daemon" || continue
		process_end "$tap_daemon"
		tap_is "$tap_daemon stops cleanly" 0 "$(cat "$T/$tap_daemon.exit" 2>/dev/null)"
	done
	echo "1..$tap_count"
	tap_planned=yes
	[ "$tap_failed" -eq 0 ]
	exit
}

show_file() {
	[ -s "$1" ] || return 0
	echo "# ---- ${1#"$T"/} (last 200 lines)"
	tail -n 200 "$1" | sed 's/^/# /'
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	cleanup_status=$?
	trap - EXIT
	trap '' HUP INT TERM
	for cleanup_daemon in $WORLD_DAEMONS; do
		! process_runs "$cleanup_daemon" || kill -KILL "$(cat "$T/$cleanup_daemon.pid")" 2>/dev/null
	done
	if [ "$tap_planned" = no ]; then
		echo "Bail out! the test ended early, status $cleanup_status"
		tap_failed=1
	fi
	if [ "$tap_failed" -ne 0 ]; then
		for file in "$T"/*.conf "$T"/*.log "$T"/log/* "$T"/*.exit "$T"/core* "$T"/service/*.log "$T"/service/log/*; do
			show_file "$file"
		done
	fi
	[ -z "${SMALLFS:-}" ] || smallfs_drop
	if [ -n "${KEEP:-}" ]; then
		diag "kept: $T"
	else
		rm -rf "$T"
	fi
	[ "$tap_failed" -eq 0 ] || exit 1
	exit "$cleanup_status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- daemons: NAME is a path within $T; NAME.pid and NAME.exit are beside it (notify_run.c)

WORLD_DAEMONS=custodyd

process_runs() {
	[ -e "$T/$1.pid" ] && [ ! -e "$T/$1.exit" ]
}

# process_end NAME [SIGNAL]
process_end() {
	kill -"${2:-TERM}" "$(cat "$T/$1.pid")" 2>/dev/null
	wait_for test -e "$T/$1.exit"
}

# wait_for COMMAND...: until it succeeds; false after $DEADLINE seconds. Say afterwards what was awaited.
wait_for() {
	wait_until=$(($(date +%s) + DEADLINE))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$wait_until" ] || return 1
		sleep 0.02
	done
}

# --- tokens

# token_make NAME [LABEL]: a new SoftHSM token with a store, a configuration and random PINs of its own.
token_make() {
	token_label=${2:-$1}
	mkdir -p "$T/tokens/$1"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n' \
		"$T/tokens/$1" >"$T/tokens/$1.conf"
	od -An -N"${PIN_OCTETS:-8}" -tx1 /dev/urandom | tr -d ' \n' >"$T/pin-$1"
	od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >"$T/so-pin-$1"
	SOFTHSM2_CONF=$T/tokens/$1.conf softhsm2-util --init-token --free --label "$token_label" \
		--pin "$(cat "$T/pin-$1")" --so-pin "$(cat "$T/so-pin-$1")" >"$T/tokens/$1.init" 2>&1 ||
		bail "softhsm2-util: $(cat "$T/tokens/$1.init")"
	cat >"$T/conf/token-$1" <<-EOF
		uri = pkcs11:token=$token_label
		module = $SOFTHSM_MODULE
		pin-source = file:$T/pin-$1
		region = ${1}us
		sessions = 2
		env = SOFTHSM2_CONF=$T/tokens/$1.conf
	EOF
}

# token_tool NAME ARGUMENT...: pkcs11-tool as somebody with PIN and module but without the daemon.
token_tool() {
	token_tool_name=$1
	shift
	SOFTHSM2_CONF=$T/tokens/$token_tool_name.conf pkcs11-tool --module "$SOFTHSM_MODULE" --login \
		--pin "$(cat "$T/pin-$token_tool_name")" "$@"
}

# token_objects NAME LABEL: what pkcs11-tool says of each object of that label but public halves, a line each.
token_objects() {
	token_tool "$1" --list-objects 2>/dev/null | awk -v label="$2" '
		function flush() {
			if (text ~ "label: *" label " " && text !~ /^Public/)
				print text
			text = ""
		}
		/^[^ ]/ && !/^Using/ { flush() }
		{ gsub(/[ \t]+/, " "); text = text $0 " " }
		END { flush() }'
}

# token_lose NAME and token_return NAME: its files go, and come back.
token_lose() {
	mv "$T/tokens/$1" "$T/tokens/$1.lost"
}

token_return() {
	mv "$T/tokens/$1.lost" "$T/tokens/$1"
}

# token_die NAME: its files go, and who had them open ends, so that the daemon knows.
token_die() {
	token_lose "$1"
	kill -KILL "$(worker_pid "$1")"
	wait_for token_is "$1" unavailable || bail "token $1 is $(token_state "$1")"
}

# --- configuration: files of lines in $T/conf, joined by config_write

# config_set SECTION KEY [VALUE]: SECTION is "custodyd" or "token-NAME"; without VALUE the line is taken out.
config_set() {
	touch "$T/conf/$1"
	grep -v "^$2 = " "$T/conf/$1" >"$T/conf/$1.new"
	[ $# -lt 3 ] || printf '%s = %s\n' "$2" "$3" >>"$T/conf/$1.new"
	mv "$T/conf/$1.new" "$T/conf/$1"
}

config_write() {
	{
		echo "[custodyd]"
		cat "$T/conf/custodyd"
		for config_file in "$T"/conf/token-* "$T"/conf/application-*; do
			[ -e "$config_file" ] || continue
			config_section=${config_file##*/}
			echo "[${config_section%%-*} ${config_section#*-}]"
			cat "$config_file"
		done
	} >"$T/custodyd.conf"
}

cat >"$T/conf/custodyd" <<EOF
catalog = $T/custody.db
audit = $T/log/audit.jsonl
socket = $T/custodyd.sock
worker = ${CUSTODY_TOKEN:-/nonexistent}
dns-suffix = vault.azure.net
administrators = user:$(id -un)
EOF

# --- custodyd

# Starts it and returns when it is ready; its exit status if it ended before (see notify_run.c).
daemon_start() {
	config_write
	rm -f "$T/custodyd.exit" "$T/custodyd.pid"
	"$NOTIFY_RUN" "$DEADLINE" "$T/custodyd" "$CUSTODYD" --config "$T/custodyd.conf"
}

daemon_pid() {
	cat "$T/custodyd.pid"
}

# daemon_stop [SIGNAL]: asks it to end and waits; its exit status is in $T/custodyd.exit. false: it did not end in time.
daemon_stop() {
	process_end custodyd "$@"
}

daemon_kill() {
	daemon_stop KILL
}

daemon_reload() {
	config_write
	kill -HUP "$(daemon_pid)"
}

# log_has PATTERN: a line of the daemon's log matches the basic regular expression.
log_has() {
	grep -q -e "$1" "$T/custodyd.log"
}

# token_state NAME: its state as /tokens says it.
token_state() {
	http GET "/tokens/$1" "" && json .state
}

token_is() {
	[ "$(token_state "$1")" = "$2" ]
}

# process_stop PID: it stands still when this returns. A signal alone is not enough: until it is delivered, other threads still answer.
process_stop() {
	kill -STOP "$1" && wait_for process_stands "$1"
}

# shellcheck disable=SC2317 # run by wait_for
process_stands() {
	process_states=$(cat "/proc/$1/task"/*/stat | sed 's/.*) \(.\).*/\1/' | sort -u) && [ "$process_states" = T ]
}

worker_pid() {
	http GET "/tokens/$1" "" && json .worker.pid
}

# The usual scene: tokens west and east enrolled, custodyd up, a vault with all permissions on each.
world_start() {
	token_make west
	token_make east
	world_enroll
}

# world_enroll: the rest of world_start, for tests that change something about the tokens before.
world_enroll() {
	daemon_start || bail "custodyd did not start (status $?)"
	for world_token in west east; do
		ctl token enroll --name $world_token >"$T/enroll.log" 2>&1 || bail "enroll: $(cat "$T/enroll.log")"
	done
	wait_for token_is west ready || bail "token west is $(token_state west)"
	wait_for token_is east ready || bail "token east is $(token_state east)"
	vault_make contosowestus west
	vault_make contosocentralus east
}

# vault_make NAME TOKEN [OPTION...]: with all key permissions for the caller.
vault_make() {
	vault_name=$1
	vault_token=$2
	shift 2
	ctl keyvault create --name "$vault_name" --token "$vault_token" "$@" >"$T/vault.log" 2>&1 ||
		bail "keyvault create: $(cat "$T/vault.log")"
}

ctl() {
	CUSTODY_SOCKET=$T/custodyd.sock "$CUSTODYCTL" "$@"
}

# clock_fake SECONDS: the wall clock of custodyd is off by so many, from now on if it runs, else from its start (see fake_clock.c).
clock_fake() {
	clock_set "$1"
	[ ! -e "$T/custodyd-at" ] || return 0
	clock_wrap custodyd "$CUSTODYD"
	CUSTODYD=$T/custodyd-at
}

clock_set() {
	printf '%020d' "$1" 1<>"$T/clock"
}

# clock_wrap NAME PROGRAM: $T/NAME-at is the program under that clock.
clock_wrap() {
	cat >"$T/$1-at" <<-EOF
		#!/bin/sh
		# the sanitizer's runtime need not be the first library
		ASAN_OPTIONS=\${ASAN_OPTIONS:+\$ASAN_OPTIONS:}verify_asan_link_order=0
		FAKE_CLOCK='$T/clock'
		LD_PRELOAD='$FAKE_CLOCK_LIBRARY'
		export ASAN_OPTIONS FAKE_CLOCK LD_PRELOAD
		exec '$2' "\$@"
	EOF
	chmod 700 "$T/$1-at"
}

# --- HTTP

# http METHOD PATH HOST [JSON]: sets HTTP_STATUS; the answer is in $T/body, its headers in $T/headers. HOST is a vault, a full
# host name or "". Routes of the dialect get their api-version and the bearer token that the challenge asks for.
http() {
	http_method=$1
	http_path=$2
	http_host=${3:-localhost}
	case $http_host in
	*.* | localhost) ;;
	*) http_host=$http_host.vault.azure.net ;;
	esac
	case $http_path in
	*api-version=*) ;;
	/keys* | /rng | /deletedkeys*)
		case $http_path in
		*\?*) http_path="$http_path&api-version=7.4" ;;
		*) http_path="$http_path?api-version=7.4" ;;
		esac
		;;
	esac
	if [ $# -ge 4 ]; then
		printf '%s' "$4" >"$T/request"
		set -- -H 'Content-Type: application/json' --data-binary "@$T/request"
	else
		set --
	fi
	: >"$T/body"
	# shellcheck disable=SC2034 # for the test
	HTTP_STATUS=$(curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "${HTTP_SOCKET:-$T/custodyd.sock}" -X "$http_method" \
		-H "Host: $http_host" -H 'Authorization: Bearer test' -H 'User-Agent: custody-tests' -H 'Expect:' \
		-D "$T/headers" -o "$T/body" -w '%{http_code}' "$@" "http://localhost$http_path")
}

# json FILTER [FILE]: what jq finds in the last answer, as text.
json() {
	jq -r "$1" "${2:-$T/body}"
}

# Standard input or an argument as base64url without padding, and back.
b64() {
	{ if [ $# -gt 0 ]; then printf '%s' "$1"; else cat; fi; } | basenc --base64url -w 0 | tr -d '='
}

unb64() {
	unb64_text=$1
	while [ $((${#unb64_text} % 4)) -ne 0 ]; do
		unb64_text="$unb64_text="
	done
	printf '%s' "$unb64_text" | basenc --base64url -d
}

# page_program PAGE N: the N-th program of the examples of a page of the manual, without the formatter's escapes.
page_program() {
	awk -v wanted="$2" '
		/^\.Sh / { examples = $2 == "EXAMPLES" }
		/^\.Ed/ { inside = 0 }
		inside && found == wanted && !/^\./ { gsub(/\\e/, "\\"); print }
		examples && /^\.Bd/ { inside = 1; found++ }' "$1"
}

# cc_custody PROGRAM: compiles PROGRAM.c against the libcustody of the build, without a warning.
cc_custody() {
	if [ "${SANITIZERS:-no}" = no ]; then
		set -- "$1" -O1
	else
		set -- "$1" "-fsanitize=$SANITIZERS"
	fi
	"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "$2" -I"$SRCDIR/src/lib" -o "$1" "$1.c" -L"$BUILDDIR/src/lib/.libs" -lcustody
}

random_octets() {
	head -c "$1" /dev/urandom
}
