#!/bin/sh
# No secret that passes through gets into a log, the audit, the catalog, a temporary file, a command line, an environment or a core (threats C1,
# F12, F13, A15): canaries of each kind are sent in every way, then looked for everywhere.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
PIN_OCTETS=40
canaries=$T/canaries
mkdir "$canaries"
cp /proc/sys/kernel/core_pattern "$T/cores"
config_set custodyd log-level debug
world_start
# canary NAME: standard input is one. Its octets stay in a file; its texts, base64url, base64 and hexadecimal, become lines for grep -F.
canary() {
	cat >"$canaries/$1"
	{
		b64_of <"$canaries/$1"
		echo
		base64 -w 0 <"$canaries/$1"
		echo
		hex <"$canaries/$1"
		echo
	} >>"$canaries/texts"
}
for token in west east; do
	cat "$T/pin-$token"
	echo
	cat "$T/so-pin-$token"
	echo
done >"$canaries/texts"
bearer=eyJ$(random_octets 24 | hex).token
echo "$bearer" >>"$canaries/texts"

# --- through the dialect, in good and bad requests, with a token that names a person

key_make $WEST kw '{"kty":"oct"}'
key_make $WEST rsa '{"kty":"RSA","key_size":2048,"key_ops":["encrypt","decrypt","wrapKey","unwrapKey"]}'
random_octets 32 | canary plain
value=$(b64_of <"$canaries/plain")
send() { # PATH BODY
	printf '%s' "$2" | curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "$T/custodyd.sock" -X POST -H "Host: $WEST.vault.azure.net" \
		-H "Authorization: Bearer $bearer" -H 'Content-Type: application/json' --data-binary @- -o "$canaries/answer" "http://localhost$1?api-version=7.4"
}
send /keys/kw//wrapkey "{\"alg\":\"A256KW\",\"value\":\"$value\"}"
send /keys/kw//unwrapkey "{\"alg\":\"A256KW\",\"value\":\"$(json .value "$canaries/answer")\"}"
tap_is "the plaintext came back" "$value" "$(json .value "$canaries/answer")"
send /keys/rsa//encrypt "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$value\"}"
send /keys/rsa//decrypt "{\"alg\":\"RSA-OAEP-256\",\"value\":\"$(json .value "$canaries/answer")\"}"
tap_is "and by RSA" "$value" "$(json .value "$canaries/answer")"
for body in "{\"alg\":\"A256KW\",\"value\":\"$value\"" "{\"alg\":\"$value\"}" "{\"$value\":1}" "\"$value\"" "{\"alg\":\"A256KW\",\"value\":\"$value\",\"value\":\"$value\"}" \
	"{\"alg\":\"A256KW\",\"value\":\"$value\",\"tags\":{\"$value\":\"$value\"}}" "$value"; do
	send /keys/kw//wrapkey "$body"
	send /keys/kw//unwrapkey "$body"
	send /dual/wrapkey "$body"
done

# --- through custodyctl

west=$(ctl key show --vault-name $WEST --name rsa | jq -r .key.kid)
key_make $EAST kw '{"kty":"oct"}'
east=$KID
ctl dual generate --key "$west" --key "$east" --length 32 --envelope "$T/envelope.json" --out "$canaries/generated-key" 2>"$T/ctl.log" || bail "dual generate: $(cat "$T/ctl.log")"
canary generated <"$canaries/generated-key"
ctl dual wrap --key "$west" --key "$east" --in "$canaries/plain" --out "$T/wrapped.json" 2>>"$T/ctl.log" || bail "dual wrap: $(cat "$T/ctl.log")"
ctl dual unwrap --in "$T/wrapped.json" --out "$canaries/unwrapped" 2>>"$T/ctl.log"
tap_ok "custodyctl wraps and unwraps" cmp "$canaries/plain" "$canaries/unwrapped"
ctl seal --key "$west" --key "$east" --out "$T/sealed" "$canaries/plain" 2>>"$T/ctl.log"
ctl open --out "$canaries/opened" "$T/sealed" 2>>"$T/ctl.log"
tap_ok "seals and opens" cmp "$canaries/plain" "$canaries/opened"

# --- a terminal: only if told

on_terminal() { # COMMAND-LINE: runs it with a terminal as its standard output; what it says, without the secret's own file
	CUSTODY_SOCKET=$T/custodyd.sock script -qec "'$CUSTODYCTL' $1" /dev/null </dev/null 2>&1
	echo "exit $?"
}
for command in "dual unwrap --in '$T/wrapped.json'" "open --out - '$T/sealed'" "dual generate --key $west --key $east --out - --force --envelope '$T/e2.json'"; do
	on_terminal "$command" >"$T/terminal"
	tap_like "refused on a terminal: $(printf '%.14s' "$command")" "*--show-secret*exit 2*" "$(cat "$T/terminal")"
	on_terminal "$command --show-secret" >"$canaries/terminal"
	tap_like "but when told" "*exit 0" "$(cat "$canaries/terminal")"
done
for command in "dual unwrap --in '$T/wrapped.json'" "open --out - '$T/sealed'"; do
	on_terminal "$command -o json" >"$T/terminal" # no form of output is a way around
	tap_unlike "nor in another form" "*exit 0" "$(cat "$T/terminal")"
done
tap_exits "a plaintext is no word of a command line" 2 ctl dual wrap --key "$west" --key "$east" --value "$value"

# --- where they could be

for pid in $(daemon_pid) $(worker_pid west) $(worker_pid east); do
	tr '\0' '\n' <"/proc/$pid/cmdline"
	tr '\0' '\n' <"/proc/$pid/environ"
	for link in "/proc/$pid/fd/"*; do
		[ ! -f "$link" ] || cat "$link"
	done
done >"$T/processes"
tap_ok "the environment of a worker is what its section allows" \
	test "$(tr '\0' '\n' <"/proc/$(worker_pid west)/environ" | sed 's/=.*//' | sort | tr '\n' ' ')" = "OPENSSL_CONF SOFTHSM2_CONF "
# PINs stand in their files, tokens have SoftHSM's own objects
texts_found() {
	grep -rlaFf "$canaries/texts" "$T" --exclude-dir=canaries --exclude='pin-*' --exclude='so-pin-*' --exclude=request --exclude=body
}
found=$(texts_found)
tap_is "no text of a canary in any file: logs, audit, catalog, envelopes, sockets' directory" "" "$found"
for name in plain generated; do
	found=$(LC_ALL=C grep -rlaP "$(hex <"$canaries/$name" | sed 's/../\\x&/g')" "$T" --exclude-dir=canaries)
	tap_is "nor its octets: $name" "" "$found"
done
printf 'x%s' "$value" >"$T/control"
tap_is "which would be found" "$T/control" "$(texts_found)"
rm "$T/control"

# --- no core of anything

prlimit --core=unlimited --pid $$ || bail "no cores here"
daemon_stop
daemon_start || bail "custodyd did not start again"
wait_for token_is west ready || bail "token west is $(token_state west)"
for pid in $(daemon_pid) $(worker_pid west); do
	tap_is "core limit of $(cat "/proc/$pid/comm")" "0 0" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")"
done
west_pid=$(worker_pid west)
kill -ABRT "$west_pid"
wait_for test ! -e "/proc/$west_pid"
daemon_stop ABRT
tap_unlike "the daemon ended by the signal" 0 "$(cat "$T/custodyd.exit")"
tap_is "and no core is anywhere" "" "$(find "$T" /proc/self/cwd/ -maxdepth 1 -name 'core*' -newer "$T/cores")"
tap_done
