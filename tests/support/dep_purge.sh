# Purges for the system tests of depd, on top of dep_policy.sh: an authority, approvers, a policy that is ready to be purged.
#
#   . "$SRCDIR/tests/support/dep_policy.sh"
#   . "$SRCDIR/tests/support/dep_purge.sh"
#   dep_world_start
#   dep_policy_world
#   purge_world
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # of dep.sh and lib.sh

config_set depd approver-authorities "$T/ca.pem"

# authority NAME: $T/NAME.pem and $T/NAME.key, which certify themselves.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/O=Contoso/CN=$1" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
		-keyout "$T/$1.key" -out "$T/$1.pem" 2>>"$T/openssl.log"
}

# person NAME [AUTHORITY [USAGE [DAYS]]]: $T/NAME.pem and $T/NAME.key, certified by the authority "ca" for signatures.
person() {
	printf 'basicConstraints=CA:FALSE\n%s\n' "${3:-keyUsage=critical,digitalSignature}" >"$T/$1.ext"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=Contoso/CN=$1" \
		-keyout "$T/$1.key" -out "$T/$1.csr" 2>>"$T/openssl.log" &&
		openssl x509 -req -in "$T/$1.csr" -CA "$T/${2:-ca}.pem" -CAkey "$T/${2:-ca}.key" -days "${4:-365}" \
			-extfile "$T/$1.ext" -out "$T/$1.pem" 2>>"$T/openssl.log"
}

# sign NAME DOCUMENT [OPTION...]: his detached signature, $T/signature.
sign() {
	sign_name=$1
	sign_document=$2
	shift 2
	openssl cms -sign -binary -outform DER -md sha256 -signer "$T/$sign_name.pem" -inkey "$T/$sign_name.key" \
		-in "$sign_document" -out "$T/signature" "$@" 2>>"$T/openssl.log" || bail "cannot sign: $(cat "$T/openssl.log")"
}

dc() {
	DEPD_SOCKET=$T/depd.sock "$BUILDDIR/src/ctl/depctl" "$@"
}

# dc_fails DESCRIPTION ERROR COMMAND...: depctl refuses, for this reason.
dc_fails() {
	fails_description=$1
	fails_error=$2
	shift 2
	if dc "$@" >"$T/out" 2>"$T/error"; then
		tap_fail "$fails_description"
		diag "it was done: $(cat "$T/out")"
	else
		tap_like "$fails_description" "*$fails_error*" "$(cat "$T/error")"
	fi
}

# dc_does DESCRIPTION COMMAND...: depctl does it; the answer is in $T/out.
dc_does() {
	does_description=$1
	shift
	if dc "$@" >"$T/out" 2>"$T/error"; then
		tap_pass "$does_description"
	else
		tap_fail "$does_description"
		diag "$(cat "$T/error")"
	fi
}

# The authority "ca" and its approver Vera.
purge_world() {
	{ authority ca && person vera; } || bail "no certificates: $(cat "$T/openssl.log")"
	dc approver add vera --certificate "$T/vera.pem" >"$T/out" 2>&1 || bail "no approver: $(cat "$T/out")"
}

# denied, granted: the mailbox application's permissions on both keys; depd keeps none in memory.
denied() {
	for dep_vault in $WEST $EAST; do
		dep_grant "$dep_vault" "$DEP_EXCHANGE" get
	done
}

granted() {
	for dep_vault in $WEST $EAST; do
		dep_grant "$dep_vault" "$DEP_EXCHANGE" get wrapKey unwrapKey
	done
}

# data_key MAILBOX: one of it, in $T/MAILBOX.wrapped and $T/MAILBOX.plain.
data_key() {
	dep POST "/scopes/mailbox/$1/datakeys"
	[ "$HTTP_STATUS" = 200 ] || bail "no data key of $1: $HTTP_STATUS $(cat "$T/body")"
	json .wrapped | tr -d '\n' >"$T/$1.wrapped"
	json .plaintext | tr -d '\n' >"$T/$1.plain"
}

# opened MAILBOX: what comes of opening its data key: "opened", or status and error.
opened() {
	dep POST "/scopes/mailbox/$1/datakeys/unwrap" "{\"wrapped\":\"$(cat "$T/$1.wrapped")\"}"
	if [ "$HTTP_STATUS" = 200 ] && [ "$(json .plaintext)" = "$(cat "$T/$1.plain")" ]; then
		echo opened
	else
		dep_answer
	fi
}
