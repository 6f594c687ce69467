# Library of the system tests of depd, on top of lib.sh: the owners' custodyd, the service's own under $T/service, depd.
#
#   . "$SRCDIR/tests/support/lib.sh"
#   . "$SRCDIR/tests/support/keyvault.sh"
#   . "$SRCDIR/tests/support/dep.sh"
#   dep_world_start
#   dep GET /status
#   tap_is "it answers" 200 "$HTTP_STATUS"
#   tap_done
#
# $T/depd.conf, .sock, .log, .pid, .exit; $T/dep.db; $T/log/dep-audit.jsonl. Sections of its configuration are files in $T/conf:
# "depd", "role-NAME", "workload-KIND", "geo-NAME"; change them by config_set before dep_world_start or dep_reload.
# shellcheck shell=sh

DEP_EXCHANGE=00000002-0000-0ff1-ce00-000000000000
DEP_SHAREPOINT=00000003-0000-0ff1-ce00-000000000000
DEP_M365=c066d759-24ae-40e7-a56f-027002b5d3e4
# shellcheck disable=SC2034 # of lib.sh
WORLD_DAEMONS="depd custodyd service/custodyd"

mkdir "$T/service" "$T/service/tokens" "$T/service/log" "$T/service/conf" || exit 99
sed "s|$T/|$T/service/|" "$T/conf/custodyd" >"$T/service/conf/custodyd"
cat >"$T/conf/depd" <<EOF
organization = contoso
catalog = $T/dep.db
audit = $T/log/dep-audit.jsonl
socket = $T/depd.sock
owners-socket = $T/custodyd.sock
service-socket = $T/service/custodyd.sock
EOF
config_set role-global-admin principals "user:$(id -un)"
for dep_kind in mailbox workload cloudpc site; do
	config_set workload-$dep_kind principals "user:$(id -un)"
done
for dep_application in $DEP_EXCHANGE $DEP_SHAREPOINT $DEP_M365; do
	config_set "application-$dep_application" name "application-$dep_application"
	config_set "application-$dep_application" user "$(id -un)"
done

# service COMMAND...: a function of lib.sh in the world of the service's custodyd: service daemon_stop, service ctl key list …
service() {
	(service_in "$@")
}

service_in() {
	T=$T/service
	"$@"
}

service_world() {
	token_make sw && token_make se && daemon_start || return
	for world_token in sw se; do
		ctl token enroll --name $world_token || return
	done
	ctl keyvault create --name availability --token sw && ctl keyvault create --name roots-west --token sw &&
		ctl keyvault create --name roots-east --token se
}

dep_config_write() {
	{
		echo "[depd]"
		cat "$T/conf/depd"
		for config_file in "$T"/conf/role-* "$T"/conf/workload-* "$T"/conf/geo-*; do
			[ -f "$config_file" ] || continue
			config_section=${config_file##*/}
			echo "[${config_section%%-*} ${config_section#*-}]"
			cat "$config_file"
		done
	} >"$T/depd.conf"
}

# Starts depd and returns when it is ready; its exit status if it ended before.
dep_start() {
	dep_config_write
	rm -f "$T/depd.exit" "$T/depd.pid"
	"$NOTIFY_RUN" "$DEADLINE" "$T/depd" "$DEPD" --config "$T/depd.conf"
}

# dep_clock_fake SECONDS: as clock_fake, the clock of depd alone.
dep_clock_fake() {
	clock_set "$1"
	[ ! -e "$T/depd-at" ] || return 0
	clock_wrap depd "$DEPD"
	DEPD=$T/depd-at
}

# dep_stop [SIGNAL]
dep_stop() {
	process_end depd "$@"
}

dep_reload() {
	dep_config_write
	kill -HUP "$(cat "$T/depd.pid")"
}

# dep_log_has PATTERN: a line of depd's log matches the basic regular expression.
dep_log_has() {
	grep -q -e "$1" "$T/depd.log"
}

# dep_grant VAULT GUID [PERMISSION...]: exactly these; none takes all away.
dep_grant() {
	grant_vault=$1
	grant_to=$2
	shift 2
	if [ $# -eq 0 ]; then
		ctl keyvault delete-policy --name "$grant_vault" --spn "$grant_to"
	else
		ctl keyvault set-policy --name "$grant_vault" --spn "$grant_to" --key-permissions "$@"
	fi >"$T/grant.log" 2>&1 || bail "the policy of $grant_vault: $(cat "$T/grant.log")"
}

# The owners' world with purge protection and the applications' permissions, the service's world, depd.
dep_world_start() {
	world_start
	for dep_vault in contosowestus contosocentralus; do
		ctl keyvault update --name $dep_vault --enable-purge-protection true >"$T/vault.log" 2>&1 ||
			bail "keyvault update: $(cat "$T/vault.log")"
		for dep_application in $DEP_EXCHANGE $DEP_SHAREPOINT $DEP_M365; do
			dep_grant $dep_vault "$dep_application" get wrapKey unwrapKey
		done
	done
	service service_world >"$T/service/start.log" 2>&1 || bail "the service's custodyd: $(cat "$T/service/start.log")"
	dep_start || bail "depd did not start (status $?)"
}

# dep METHOD PATH [JSON]: sets HTTP_STATUS; the answer is in $T/body, its headers in $T/headers.
dep() {
	dep_method=$1
	dep_path=$2
	shift 2
	HTTP_SOCKET=$T/depd.sock
	http "$dep_method" "$dep_path" "" "$@"
	# shellcheck disable=SC2034 # of lib.sh
	HTTP_SOCKET=
}

# dep_key VAULT NAME [JSON]: a key of the owners, RSA-2048 for wrapping unless told otherwise; prints its id with the version.
dep_key() {
	http POST "/keys/$2/create" "$1" "${3:-{\"kty\":\"RSA\",\"key_size\":2048,\"key_ops\":[\"wrapKey\",\"unwrapKey\"]\}}"
	[ "$HTTP_STATUS" = 200 ] || bail "the key $2 in $1: $HTTP_STATUS $(cat "$T/body")"
	json .key.kid
}
