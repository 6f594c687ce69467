#!/bin/sh
# Each thing that can be wrong, for each command that it can be wrong for: one sentence, a name, the exit code of its class.
. "$SRCDIR/tests/support/lib.sh"

# fails DESCRIPTION STATUS PATTERN COMMAND...: nothing on standard output, one line on standard error ($lines, if there is more to tell).
lines=1
fails() {
	fails_what=$1
	fails_status=$2
	fails_pattern=$3
	shift 3
	"$@" >"$T/out" 2>"$T/err" </dev/null
	tap_is "$fails_what: $2 ${3-}" "$fails_status, no output, $lines line" \
		"$?, $(if [ -s "$T/out" ]; then cat "$T/out"; else echo no output; fi), $(wc -l <"$T/err") line"
	tap_like "$fails_what: says it" "custodyctl $fails_pattern" "$(cat "$T/err")"
}

fails "no daemon yet" 5 "status: *Is it running? [[]ConnectionFailed]" ctl status --retries 0
world_start
west=https://contosowestus.vault.azure.net/keys/root
east=https://contosocentralus.vault.azure.net/keys/root
for vault in contosowestus contosocentralus; do
	ctl key create --vault-name $vault --name root --kty oct -o none || bail "no key in $vault"
done
printf '%032d' 7 >"$T/key"
ctl dual wrap --key $west --key $east --in "$T/key" --out "$T/envelope" || bail "no envelope"
ctl seal --key $west --key $east "$T/key" || bail "nothing was sealed"
version=$(printf '%032d' 1)

for verb in "create --kty oct --name x" list list-deleted; do
	# shellcheck disable=SC2086 # words
	fails "no such vault" 3 "key*[[]VaultNotFound]" ctl key $verb --vault-name nowhere
done
for verb in show update "delete --yes"; do
	# shellcheck disable=SC2086 # words
	fails "no such vault" 3 "keyvault ${verb% --yes}: *[[]VaultNotFound]" ctl keyvault $verb --name nowhere
done
fails "no such token" 3 "keyvault create: *[[]TokenNotFound]" ctl keyvault create --name new --token nowhere
fails "no such token" 3 "token show: *[[]TokenNotFound]" ctl token show --name nowhere
fails "no such token" 3 "token enroll: *[[]TokenNotFound]" ctl token enroll --name nowhere
for verb in list-versions show set-attributes "delete --yes" show-deleted recover "purge --yes" "wrap -a A256KW --in $T/key" \
	"unwrap -a A256KW --value AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" "sign -a ES256 --in $T/key"; do
	# shellcheck disable=SC2086 # words
	fails "no such key" 3 "key*[[]KeyNotFound]" ctl key $verb --vault-name contosowestus --name none
done
for verb in show set-attributes "wrap -a A256KW --in $T/key"; do
	# shellcheck disable=SC2086 # words
	fails "no such version" 3 "key*[[]KeyNotFound]" ctl key $verb --id $west/$version
done
fails "no such key" 3 "dual wrap: *[[]KeyNotFound]" ctl dual wrap --key $west-none --key $east --in "$T/key"
fails "no such key" 3 "seal: *[[]KeyNotFound]" ctl seal --key $west-none --key $east "$T/key" --out "$T/none"
fails "one vault" 3 "dual wrap: *choose keys in two vaults. [[]SameVault]" ctl dual wrap --key $west --key $west --in "$T/key"
vault_make second west
ctl key create --vault-name second --name root --kty oct -o none || bail "no key in second"
fails "one token" 3 "seal: *choose keys in vaults on two tokens. [[]SameToken]" \
	ctl seal --key $west --key https://second.vault.azure.net/keys/root "$T/key" --out "$T/none"
fails "no such file" 3 "dual unwrap: *none cannot be read: No such file*[[]FileError]" ctl dual unwrap --in "$T/none"
fails "no envelope" 3 "dual check: *[[]BadParameter]" ctl dual check --in "$T/key"
fails "not sealed" 3 "open: *[[]SealedCorrupt]" ctl open --out "$T/none" "$T/key"
tap_ok "nothing was made" test ! -e "$T/none"

# Somebody without permissions and not an administrator. The program where he may run it:
mkdir "$T/bin" "$T/coverage"
chmod 777 "$T/coverage" # of builds that count what was run
cp "$BUILDDIR/src/ctl/.libs/custodyctl" "$BUILDDIR/src/lib/.libs/libcustody.so.0" "$T/bin" || bail "no custodyctl"
chmod 711 "$T"
chmod -R a+rX "$T/bin" "$T/envelope" "$T/key" "$T/key.sealed"
stranger() {
	setpriv --reuid 2 --regid 2 --clear-groups \
		env CUSTODY_SOCKET="$T/custodyd.sock" GCOV_PREFIX="$T/coverage" LD_LIBRARY_PATH="$T/bin" "$T/bin/custodyctl" "$@"
}
for command in status doctor "token list" "token show --name west" "token enroll --name west" "clock confirm --yes" \
	"keyvault create --name new --token west" "keyvault update --name contosowestus --tags a=b" \
	"keyvault delete --name second --yes" "keyvault set-policy --name second --user bin --key-permissions get" \
	"keyvault delete-policy --name second --user root"; do
	# shellcheck disable=SC2086 # words
	fails "a stranger" 4 "*[[]AccessDenied]" stranger $command
done
for command in "key list" "key create --name x" "key show --name root" "key delete --name root --yes" \
	"key wrap --name root -a A256KW --in $T/key"; do
	# shellcheck disable=SC2086 # words
	fails "a stranger" 4 "*[[]Forbidden]" stranger $command --vault-name contosowestus
done
lines=3 # each key's reason
fails "a stranger" 4 "dual unwrap: *[[]AccessDenied]*" stranger dual unwrap --in "$T/envelope"
fails "a stranger" 4 "open: *[[]AccessDenied]*" stranger open --out "$T/none" "$T/key.sealed"
lines=1
tap_is "a stranger sees no vault" "[]" "$(stranger keyvault list)"

# two at once: nothing is lost, and who comes late is told
pids=
for _ in 1 2 3 4 5 6; do
	ctl key create --vault-name contosowestus --name both --kty oct -o none 2>>"$T/both.err" &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
tap_is "six at once make six versions" 6 "$(ctl key list-versions --vault-name contosowestus --name both -o tsv | wc -l)"
tap_is "without a complaint" "" "$(cat "$T/both.err")"

# a token that is gone
token_lose west
kill -KILL "$(worker_pid west)"
wait_for token_is west unavailable || wait_for token_is west refused || diag "west is $(token_state west)"
fails "a token lost" 5 "key create: *" ctl key create --retries 0 --vault-name contosowestus --name new --kty oct
fails "a token lost" 5 "key wrap: *" ctl key wrap --retries 0 --id $west -a A256KW --in "$T/key"
fails "a token lost" 5 "seal: *" ctl seal --retries 0 --key $west --key $east "$T/key" --out "$T/none"
tap_exits "an envelope short of a key is no" 7 ctl dual check --in "$T/envelope"
tap_like "and tokens tell which" "*west*unavailable*" "$(ctl token list -o tsv | grep -E '^west' | sed 's/refused/unavailable/')"

daemon_kill
fails "a daemon killed" 5 "status: *Connection refused. Is it running? [[]ConnectionFailed]" ctl status --retries 0
fails "a daemon killed" 5 "open: *[[]ConnectionFailed]" ctl open --retries 0 --out "$T/none" "$T/key.sealed"
tap_ok "nothing was made" test ! -e "$T/none"
tap_done
