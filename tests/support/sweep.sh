# Kill sweeps (threats D7, G13): a daemon, or the worker of token west, or depd, is killed at its n-th system call after a request was sent;
# then everything must be as before the request or as after it, and the same request again must make sense.
#
#   . "$SRCDIR/tests/support/lib.sh"
#   . "$SRCDIR/tests/support/keyvault.sh"
#   . "$SRCDIR/tests/support/sweep.sh"
#   world_start
#   update_before() { ... }      # what must be there; $NAME is a name of this point's own
#   update_client() { ... }      # the request, by client_http, and what it waits for then by client_waits
#   update_after() { ... }       # after recovery: $CODE is what the client was told (000: nothing); checks by expect
#   sweep update daemon 5        # or worker, or depd in the world of dep.sh; so many points, if $CRASH_STRIDE does not say how far apart they are
#   tap_done
#
# SWEEP_TOKEN names the token whose worker is killed, "west" if not set; SWEEP_FINDING a kind of what the doctor may find.
# CRASH_STRIDE=1 takes every point; CRASH_CALLS=every counts every call, not only those that can leave something behind.
# shellcheck shell=sh

CODE=000
sweep_daemon=custodyd # that requests are sent to

# client_http METHOD PATH HOST [JSON]: the request as a client of its own.
client_http() {
	client_host=${3:-localhost}
	case $client_host in
	*.* | localhost) ;;
	*) client_host=$client_host.vault.azure.net ;;
	esac
	client_path=$2
	case $client_path in
	/keys* | /deletedkeys*) client_path="$client_path?api-version=7.4" ;;
	esac
	cat >"$T/client.curl" <<-CURL
		silent
		max-time = $DEADLINE
		unix-socket = "$T/$sweep_daemon.sock"
		request = $1
		header = "Host: $client_host"
		header = "Authorization: Bearer test"
		output = "$T/client.body"
		write-out = "%{http_code}\n"
		url = "http://localhost$client_path"
	CURL
	if [ $# -ge 4 ]; then
		printf '%s' "$4" >"$T/client.json"
		printf 'header = "Content-Type: application/json"\ndata-binary = "@%s"\n' "$T/client.json" >>"$T/client.curl"
	fi
	printf 'curl -K "%s"\n' "$T/client.curl" >"$T/client"
}

# client_waits COMMAND: the client then waits until the command succeeds, the daemon is gone, or too long: what is swept ends then.
client_waits() {
	cat >>"$T/client" <<-CLIENT
		end=\$((\$(date +%s) + $DEADLINE))
		while kill -0 $(cat "$T/$sweep_daemon.pid") 2>/dev/null && [ "\$(date +%s)" -lt "\$end" ] && ! $1; do
			sleep 0.02
		done
	CLIENT
}

# expect DESCRIPTION COMMAND...: one check of this point.
expect() {
	expect_description=$1
	shift
	if expect_output=$("$@" 2>&1); then
		return 0
	fi
	point_problem "$expect_description: $expect_output"
}

expect_is() {
	[ "$2" = "$3" ] || point_problem "$1: expected '$2', got '$3'"
}

# expect_one_of DESCRIPTION GOT EXPECTED...
expect_one_of() {
	expect_description=$1
	expect_got=$2
	shift 2
	for expect_candidate in "$@"; do
		[ "$expect_candidate" != "$expect_got" ] || return 0
	done
	point_problem "$expect_description: got '$expect_got', not one of: $*"
}

point_problem() {
	point_failed=yes
	diag "$sweep_name in the $sweep_process at $n ($verdict), client told $CODE: $1"
}

acknowledged() {
	case $CODE in 2??) true ;; *) false ;; esac
}

# told DESCRIPTION EXPECTED METHOD PATH HOST [JSON]: as answers(), for a point. EXPECTED may have alternatives: "200|404 KeyNotFound".
told() {
	told_description=$1
	told_expected=$2
	shift 2
	http "$@"
	case "|$told_expected|" in
	*"|$(answer)|"*) ;;
	*) point_problem "$told_description: $1 $2: expected $told_expected, got $(answer) $(cat "$T/body")" ;;
	esac
}

# key_works VAULT NAME[/VERSION] TYPE: the key does its work on the token: none is half known.
key_works() {
	case $3 in
	oct)
		use "$1" "$2" wrapkey A256KW AAECAwQFBgcICQoLDA0ODw
		expect_is "$2 wraps" 200 "$(answer)"
		[ "$HTTP_STATUS" != 200 ] || use "$1" "$2" unwrapkey A256KW "$(json .value)"
		;;
	EC) use "$1" "$2" sign ES256 AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8 ;;
	RSA) use "$1" "$2" sign RS256 AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8 ;;
	esac
	expect_is "$2 works" 200 "$(answer)"
}

# versions VAULT NAME: how many there are; 0 for an unknown key.
versions() {
	http GET "/keys/$2/versions" "$1"
	json '.value | length'
}

# created TYPE JSON: of a key $NAME in $WEST there is one version if the client was told so, none if it was told the opposite; once more
# makes one more.
created() {
	created_now=$(versions "$WEST" "$NAME")
	case $CODE in
	200) expect_is "versions" 1 "$created_now" ;;
	503) expect_is "versions after a refusal" 0 "$created_now" ;;
	*) expect_one_of "versions" "$created_now" 0 1 ;;
	esac
	[ "$created_now" -eq 0 ] || key_works "$WEST" "$NAME" "$1"
	told "once more" 200 POST "/keys/$NAME/create" "$WEST" "$2"
	expect_is "versions after once more" $((created_now + 1)) "$(versions "$WEST" "$NAME")"
	key_works "$WEST" "$NAME" "$1"
	key_clear "$WEST" "$NAME"
}

# key_clear VAULT NAME: makes room for the next point.
key_clear() {
	http DELETE "/keys/$2" "$1"
	http DELETE "/deletedkeys/$2" "$1"
}

# The ids of token west as the token has them, each with what it is: both halves of an EC key are there.
objects_on_token() {
	token_tool west --list-objects 2>/dev/null | awk '
		/^(Secret|Private|Public) Key Object/ { kind = $1; label = ""; id = ""; seen[++count] = kind }
		/^  ID:/ { seen[count] = $2 " " kind }
		END { for (i = 1; i <= count; i++) print seen[i] }' | grep -v '^637573746f64792d6964656e74697479 ' | sort
}

objects_in_catalog() {
	sqlite3 "$T/custody.db" "SELECT lower(hex(v.id)), v.kty FROM version v JOIN key k ON k.id = v.key JOIN vault a ON a.id = k.vault
		WHERE a.token = 'west'" | while IFS='|' read -r catalog_id catalog_kty; do
		case $catalog_kty in
		oct*) echo "$catalog_id Secret" ;;
		RSA*) echo "$catalog_id Private" ;;
		EC*) printf '%s Private\n%s Public\n' "$catalog_id" "$catalog_id" ;;
		esac
	done | sort
}

# shellcheck disable=SC2317 # run by wait_for
settled() {
	http GET /status ""
	[ "$HTTP_STATUS $(json .intents)" = "200 0" ]
}

# shellcheck disable=SC2317 # run by wait_for
tokens_started() {
	http GET /tokens "" && [ "$(json '[.value[] | select(.state == "starting" or .state == "unavailable")] | length')" = 0 ]
}

# Token and catalog tell one story, nothing is pending, the audit is whole (threats D10, B28).
invariants() {
	if [ "$sweep_daemon" = depd ]; then
		expect "the audit verifies" "$AUDIT_CHECK" "$T/log/dep-audit.jsonl"
		return
	fi
	wait_for tokens_started || point_problem "the tokens do not start: $(json -c .value)"
	expect_is "token west" ready "$(token_state west)"
	wait_for settled || point_problem "intents stay: $(json .intents)"
	# a token that is being enrolled may not be ready; what is said of it is no contradiction
	doctor_says=$(ctl doctor -o json 2>&1 | jq -c --arg token "${SWEEP_TOKEN:-}" --arg known "${SWEEP_FINDING:-}" \
		'map(select((.kind != "token" or .subject != $token) and .kind != $known))' 2>&1)
	expect_is "the doctor finds nothing" "[]" "$doctor_says"
	expect_is "objects on the token" "$(objects_in_catalog)" "$(objects_on_token)"
	expect "the audit verifies" "$AUDIT_CHECK" "$T/log/audit.jsonl"
}

# The process is gone when it was killed: back to a daemon that serves.
recover_process() {
	[ "${verdict%% *}" = killed ] || return 0
	if [ "$sweep_process" = depd ]; then
		wait_for test -e "$T/depd.exit" || bail "the killed depd does not end"
		dep_start || bail "no start after $verdict of $sweep_name: status $?"
		return
	fi
	if [ "$sweep_process" = daemon ]; then
		wait_for test -e "$T/custodyd.exit" || bail "the killed daemon does not end"
		daemon_start || bail "no start after $verdict of $sweep_name: status $?"
		return
	fi
	# The pause before a worker is started again doubles with each loss; a daemon that starts has forgotten them.
	sweep_losses=$((sweep_losses + 1))
	if [ $((sweep_losses % 3)) -eq 0 ]; then
		daemon_kill
		daemon_start || bail "no restart"
	fi
}

# The process to sweep over is there; a worker may just be replaced.
# shellcheck disable=SC2317 # run by wait_for
point_begins() {
	point_pid=$(cat "$T/$sweep_daemon.pid")
	[ "$sweep_process" != worker ] || point_pid=$(worker_pid "${SWEEP_TOKEN:-west}")
	[ "$point_pid" -gt 0 ]
}

# point N: one run; verdict says whether something was killed.
point() {
	n=$1
	point_failed=no
	sweep_serial=$((sweep_serial + 1))
	NAME=$(echo "$sweep_name" | tr _ -)-$sweep_process-$sweep_serial
	verdict=before
	"${sweep_name}_before"
	"${sweep_name}_client"
	wait_for point_begins || bail "there is no $sweep_process"
	"$SWEEP" "$point_pid" "$sweep_calls" "$n" sh "$T/client" >"$T/swept" 2>"$T/swept.err" ||
		bail "sweep: $(cat "$T/swept.err")"
	CODE=$(grep -x '[0-9][0-9][0-9]' "$T/swept" | head -n 1)
	CODE=${CODE:-000}
	verdict=$(tail -n 1 "$T/swept")
	recover_process
	[ "$sweep_process" != worker ] || [ "$CODE" != 000 ] || point_problem "the daemon did not answer"
	invariants
	"${sweep_name}_after"
	invariants_again
	if [ "$point_failed" = yes ]; then
		sweep_failed=$((sweep_failed + 1))
	fi
}

# What "after" did once more must have left nothing open either.
invariants_again() {
	[ "$sweep_daemon" != depd ] || return 0
	wait_for settled || point_problem "afterwards intents stay: $(json .intents)"
	expect_is "objects on the token afterwards" "$(objects_in_catalog)" "$(objects_on_token)"
}

# fail_at CALL N: no death, but the request's N-th such call says EIO. failed=yes if it was reached.
fail_at() {
	n="$2 of $1"
	rm -f "$T/trace" "$T/strace.err" # that of the last time says "attached" too
	strace -p "$(daemon_pid)" -o "$T/trace" -e trace="$1" -e inject="$1:error=EIO:when=$2" 2>"$T/strace.err" &
	strace_pid=$!
	wait_for grep -qs attached "$T/strace.err" || bail "strace: $(cat "$T/strace.err")"
	CODE=$(sh "$T/client")
	kill -TERM "$strace_pid"
	wait "$strace_pid"
	failed=no
	# shellcheck disable=SC2034 # for the test
	! grep -q INJECTED "$T/trace" || failed=yes
}

# sweep NAME daemon|worker|depd SAMPLE: with a sample of 0 only when CRASH_STRIDE is set.
sweep_serial=0
sweep() {
	[ "$3" -gt 0 ] || [ -n "${CRASH_STRIDE:-}" ] || return 0
	sweep_name=$1
	sweep_process=$2
	sweep_daemon=custodyd
	[ "$2" != depd ] || sweep_daemon=depd
	sweep_calls=${CRASH_CALLS:-effects}
	sweep_failed=0
	sweep_losses=0
	sweep_points=0
	point 0
	sweep_whole=${verdict#whole }
	acknowledged || bail "$sweep_name is refused: $CODE $(cat "$T/client.body")"
	sweep_stride=${CRASH_STRIDE:-$((sweep_whole / $3 + 1))}
	sweep_next=$(((sweep_stride + 1) / 2))
	while [ "${verdict%% *}" != whole ] || [ "$sweep_points" -eq 0 ]; do
		[ "$sweep_next" -le "$sweep_whole" ] || [ "$sweep_stride" -eq 1 ] || break
		[ "$sweep_next" -le $((3 * sweep_whole + 50)) ] || bail "$sweep_name has no end"
		point "$sweep_next"
		sweep_points=$((sweep_points + 1))
		sweep_next=$((sweep_next + sweep_stride))
	done
	tap_is "$sweep_name survives the $sweep_process's death at $sweep_points of $sweep_whole calls" 0 "$sweep_failed"
	diag "crash-row $sweep_name $sweep_process $sweep_calls $sweep_points $sweep_failed"
}
