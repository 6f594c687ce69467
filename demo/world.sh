# The world of ./quickstart up and of the demonstration, all under $DIR: the key owners' custodyd with tokens west and east and a
# vault on each; the service's own custodyd under $DIR/service with tokens sw and se; depd on both. Sourced by quickstart.
# Everything may be there already, or half of it: each part looks for itself.
# shellcheck shell=sh disable=SC2153 # of quickstart: $BUILD, $LOGS, $CALLED_FROM

MODULE=${SOFTHSM_MODULE:-/usr/lib/softhsm/libsofthsm2.so}
DIR_MAX=85 # a Unix socket's path has at most 107 octets, and the longest one here is $DIR/service/custodyd.sock

# As the applications act, so the owners of keys know them: by GUID.
EXCHANGE=00000002-0000-0ff1-ce00-000000000000
APPLICATIONS="$EXCHANGE 00000003-0000-0ff1-ce00-000000000000 c066d759-24ae-40e7-a56f-027002b5d3e4"

application_name() {
	case $1 in
	00000002-*) echo "Office 365 Exchange Online" ;;
	00000003-*) echo "Office 365 SharePoint Online" ;;
	c066d759-*) echo "M365DataAtRestEncryption" ;;
	esac
}

# in_service COMMAND...: with the service's custodyd instead of the owners'.
in_service() {
	(of_service "$@")
}

of_service() {
	DIR=$DIR/service
	"$@"
}

ctl() {
	CUSTODY_SOCKET=$DIR/custodyd.sock "$BUILD/src/ctl/custodyctl" "$@"
}

dep() {
	DEPD_SOCKET=$DIR/depd.sock "$BUILD/src/ctl/depctl" "$@"
}

OWNERS_VAULTS="contosowestus contosocentralus"

vaults_of() {
	case $1 in
	west) echo contosowestus ;;
	east) echo contosocentralus ;;
	sw) echo availability roots-west ;;
	se) echo roots-east ;;
	esac
}

region_of() {
	case $1 in
	west | sw) echo westus ;;
	east | se) echo eastus ;;
	esac
}

# --- tokens

make_token() {
	[ ! -e "$DIR/tokens/$1" ] || return 0
	rm -rf "$DIR/tokens/$1.new"
	mkdir -p "$DIR/tokens/$1.new" || return
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
		"$DIR/tokens/$1" >"$DIR/tokens/$1.conf" || return
	od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/pin-$1" || return
	od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/so-pin-$1" || return
	sed 's/^\(directories.tokendir = .*\)$/\1.new/' "$DIR/tokens/$1.conf" >"$DIR/tokens/$1.new.conf" || return
	SOFTHSM2_CONF=$DIR/tokens/$1.new.conf softhsm2-util --init-token --free --label "$1" \
		--pin "$(cat "$DIR/pin-$1")" --so-pin "$(cat "$DIR/so-pin-$1")" || return
	rm "$DIR/tokens/$1.new.conf"
	mv "$DIR/tokens/$1.new" "$DIR/tokens/$1"
}

# --- configurations

# write_config PROGRAM COMMAND...: what the command prints becomes $DIR/PROGRAM.conf, if there is none.
write_config() {
	config=$DIR/$1.conf
	[ ! -e "$config" ] || return 0
	shift
	"$@" >"$config.new" && mv "$config.new" "$config"
}

# custodyd_config TOKEN...
custodyd_config() {
	cat <<-END
		# Written by quickstart; see custodyd.conf(5).
		[custodyd]
		catalog = $DIR/custody.db
		audit = $DIR/log/audit.jsonl
		socket = $DIR/custodyd.sock
		worker = $BUILD/src/token/custody-token
		administrators = user:$(id -un)
	END
	for token in "$@"; do
		cat <<-END

			[token $token]
			uri = pkcs11:token=$token
			module = $MODULE
			pin-source = file:$DIR/pin-$token
			region = $(region_of "$token")
			env = SOFTHSM2_CONF=$DIR/tokens/$token.conf
		END
	done
}

# The owners' knows the applications that depd acts as.
owners_config() {
	custodyd_config west east
	for application in $APPLICATIONS; do
		cat <<-END

			[application $application]
			name = $(application_name "$application")
			user = $(id -un)
		END
	done
}

# The caller has every role, and is a workload of every kind; but only for actions of users: those of the system are not refused
# when keys are revoked, and who asks is all that tells them apart.
depd_config() {
	cat <<-END
		# Written by quickstart; see depd.conf(5).
		[depd]
		organization = contoso
		catalog = $DIR/dep.db
		audit = $DIR/log/dep-audit.jsonl
		socket = $DIR/depd.sock
		owners-socket = $DIR/custodyd.sock
		service-socket = $DIR/service/custodyd.sock
		approver-authorities = $DIR/approvers-ca.pem
	END
	# three days otherwise
	[ -z "${DEMO_PURGE_WAIT-}" ] || printf 'purge-wait = %s\n' "$DEMO_PURGE_WAIT"
	{
		sed -n 's/^ROLE([A-Z_]*, "\([a-z-]*\)".*/role \1/p' src/depd/role.tbl
		printf 'workload %s\n' mailbox workload cloudpc
	} | while read -r section; do
		printf '\n[%s]\nprincipals = user:%s\n' "$section" "$(id -un)"
	done
}

# --- daemons: PROGRAM runs with $DIR/PROGRAM.conf

# poll COMMAND...: until it succeeds, a minute or so at most.
poll() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || return 1
		sleep 0.05
	done
}

# The processes that run our configuration, a line each: the daemon, and for a moment a child of it that is to become a worker.
daemon_processes() {
	grep -lzxF -e "$DIR/$1.conf" /proc/[0-9]*/cmdline 2>/dev/null | while read -r cmdline; do
		case "$(tr '\0' ' ' 2>/dev/null <"$cmdline")" in
		*"/$1 --config $DIR/$1.conf ") echo "$cmdline" | cut -d / -f 3 ;;
		esac
	done
}

# The daemon itself, whoever started it and however that ended; nothing if there is none.
daemon_pid() {
	processes=$(daemon_processes "$1")
	for process in $processes; do
		parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null)
		echo "$processes" | grep -qx "$parent" || echo "$process"
	done | head -n 1
}

is_gone() {
	[ -z "$(daemon_pid "$1")" ]
}

# A line for each token; while one is starting, custodyd is not up.
custodyd_is_up() {
	tokens_said=$(ctl token list -o tsv --retries 0 2>/dev/null) && ! echo "$tokens_said" | grep -q starting
}

# Its first start makes keys in the service's custody; until then it has nothing to assign.
depd_is_up() {
	dep m365 assignment show --retries 0 >/dev/null 2>&1
}

is_up_or_dead() {
	if "$1_is_up"; then
		is_up=yes
	else
		! kill -0 "$starting" 2>/dev/null
	fi
}

start_daemon() {
	starting=$(daemon_pid "$1")
	if [ -z "$starting" ]; then
		setsid "$BUILD/src/$1/$1" --config "$DIR/$1.conf" >>"$DIR/log/$1.log" 2>&1 </dev/null 9>&- &
		starting=$!
	fi
	is_up=
	poll is_up_or_dead "$1"
	[ -n "$is_up" ] || {
		tail -n 20 "$DIR/log/$1.log"
		return 1
	}
}

# --- all of it

make_vaults() {
	echo "$tokens_said" | awk -F '\t' -v name="$1" '$1 == name { print $4 }' | grep -qx True || ctl token enroll --name "$1" || return
	for vault in $(vaults_of "$1"); do
		echo "$vaults_said" | grep -q "^$vault	" || ctl keyvault create --name "$vault" --token "$1" || return
	done
}

# custody_up CONFIG-COMMAND TOKEN TOKEN
custody_up() {
	custody_config=$1
	shift
	mkdir -p "$DIR/log" "$DIR/tokens" || return
	for token in "$@"; do
		make_token "$token" || return
	done
	# shellcheck disable=SC2086 # words
	write_config custodyd $custody_config && start_daemon custodyd || return
	vaults_said=$(ctl keyvault list -o tsv) || return
	for token in "$@"; do
		make_vaults "$token" || return
	done
}

owners_up() {
	custody_up owners_config west east || return
	for vault in $OWNERS_VAULTS; do
		ctl keyvault set-policy --name "$vault" --user "$(id -un)" --key-permissions all || return
	done
}

service_up() {
	in_service custody_up "custodyd_config sw se" sw se || return
	write_config depd depd_config && start_daemon depd
}

# One at a time.
bring_up() {
	umask 077
	mkdir -p "$DIR" && exec 9>"$DIR/lock" && flock 9 || return
	owners_up && service_up
}

tell_daemon() {
	daemon=$(daemon_pid "$1")
	[ -z "$daemon" ] || kill -TERM "$daemon" 2>/dev/null || is_gone "$1"
}

# false if one of them does not end. depd first: what it has begun needs the others.
stop_all() {
	tell_daemon depd && poll is_gone depd || return
	tell_daemon custodyd && in_service tell_daemon custodyd || return
	poll is_gone custodyd && in_service poll is_gone custodyd
}

kill_all() {
	for daemon in $(daemon_pid depd) $(daemon_pid custodyd) $(in_service daemon_pid custodyd); do
		kill -KILL "$daemon"
	done
}

something_runs() {
	! { is_gone depd && is_gone custodyd && in_service is_gone custodyd; }
}

# --- up and down

check_dir() {
	[ ${#1} -le $DIR_MAX ] || die "$1 is too long for Unix sockets in it: $DIR_MAX characters at most"
}

# The sockets' paths must fit sockaddr_un, so DIR is made absolute but not resolved.
set_dir() {
	[ $# -eq 1 ] || die "which directory? see ./quickstart --help"
	case $1 in
	/*) DIR=$1 ;;
	*) DIR=$CALLED_FROM/$1 ;;
	esac
	case $DIR in
	*[!A-Za-z0-9_./-]*) die "$DIR: letters, digits and _ . / - only, the path goes into configuration files" ;;
	esac
	check_dir "$DIR"
}

# Only the exports go to standard output.
up() {
	set_dir "$@"
	{
		need_packages build && need_name && build
	} >&2 || exit 1
	(bring_up) >"$LOGS/up.log" 2>&1 || {
		tail -n 30 "$LOGS/up.log" >&2
		die "could not bring $DIR up; the daemons' logs are in $DIR/log and $DIR/service/log"
	}
	echo "export CUSTODY_SOCKET=$DIR/custodyd.sock"
	echo "export DEPD_SOCKET=$DIR/depd.sock"
	echo "export PATH=$BUILD/src/ctl:$BUILD/src/custodyd:$BUILD/src/depd:\$PATH"
}

down() {
	set_dir "$@"
	something_runs || [ -e "$DIR/custodyd.conf" ] || die "nothing was started under $DIR"
	stop_all || die "something under $DIR does not end; the daemons' logs are in $DIR/log and $DIR/service/log"
}
