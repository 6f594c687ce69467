# Key Vault's dialect for the system tests: keys, operations, and their results checked by openssl(1).
#
#   . "$SRCDIR/tests/support/lib.sh"
#   . "$SRCDIR/tests/support/keyvault.sh"
#
# shellcheck shell=sh
# shellcheck disable=SC2034 # for the tests

WEST=contosowestus
EAST=contosocentralus

# answer: the last status; with code and inner code if it is an error: "403 Forbidden KeyDisabled".
answer() {
	if [ "$HTTP_STATUS" -ge 400 ]; then
		answer_codes=$(json '[.error.code, .error.innererror.code // empty] | join(" ")' 2>/dev/null)
		echo "$HTTP_STATUS $answer_codes"
	else
		echo "$HTTP_STATUS"
	fi
}

# answers DESCRIPTION EXPECTED METHOD PATH HOST [JSON]: sends the request and compares answer() with EXPECTED.
answers() {
	answers_description=$1
	answers_expected=$2
	shift 2
	http "$@"
	answers_got=$(answer)
	if [ "$answers_got" = "$answers_expected" ]; then
		tap_pass "$answers_description"
	else
		tap_fail "$answers_description"
		diag "expected: $answers_expected"
		diag "     got: $answers_got of $1 $2"
		diag "$(cat "$T/body")"
	fi
}

# key_make VAULT NAME JSON: creates a key; KID is its id.
key_make() {
	http POST "/keys/$2/create" "$1" "$3"
	[ "$HTTP_STATUS" = 200 ] || bail "create $2 in $1: $HTTP_STATUS $(cat "$T/body")"
	# shellcheck disable=SC2034 # for the test
	KID=$(json .key.kid)
}

# kid_path KID: path of the key version.
kid_path() {
	echo "/keys/${1#https://*/keys/}"
}

# use VAULT NAME[/VERSION] OPERATION ALG VALUE [MORE MEMBERS]: a cryptographic operation. Without a version the path has an
# empty segment, as the SDK writes it.
use() {
	use_key=$2
	case $use_key in
	*/*) ;;
	*) use_key=$use_key/ ;;
	esac
	http POST "/keys/$use_key/$3" "$1" "{\"alg\":\"$4\",\"value\":\"$5\"${6:+,$6}}"
}

# follow FIRST-PATH [VAULT]: all pages of a list by nextLink as it is; a line for each item's id in $T/items, for each page's size
# in $T/pages.
follow() {
	follow_path=$1
	follow_vault=${2:-$WEST}
	: >"$T/items"
	: >"$T/pages"
	while [ -n "$follow_path" ]; do
		http GET "$follow_path" "$follow_vault"
		[ "$HTTP_STATUS" = 200 ] || bail "page $follow_path: $HTTP_STATUS $(cat "$T/body")"
		json '.value[].kid' >>"$T/items"
		json '.value | length' >>"$T/pages"
		follow_link=$(json '.nextLink // ""')
		case $follow_link in
		"" | "https://$follow_vault.vault.azure.net/"*) follow_path=${follow_link#https://"$follow_vault".vault.azure.net} ;;
		*) bail "nextLink does not lead to the vault: $follow_link" ;;
		esac
	done
}

# policy_set VAULT PRINCIPAL WORD...: gives exactly these permissions.
policy_set() {
	policy_vault=$1
	policy_principal=$2
	shift 2
	http PUT "/vaults/$policy_vault/policies/$policy_principal" "" \
		"{\"permissions\":{\"keys\":[$(printf '"%s",' "$@" | sed 's/,$//')]}}"
	[ "$HTTP_STATUS" = 200 ] || bail "policy of $policy_principal: $HTTP_STATUS $(cat "$T/body")"
}

policy_delete() {
	http DELETE "/vaults/$1/policies/$2" ""
	[ "$HTTP_STATUS" = 200 ] || bail "policy of $2: $HTTP_STATUS $(cat "$T/body")"
}

# b64_of: standard input as base64url.
b64_of() {
	# shellcheck disable=SC2119
	b64
}

# random_b64 N: N random octets as base64url.
random_b64() {
	random_octets "$1" | b64_of
}

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

unhex() {
	printf '%s' "$1" | tr a-f A-F | basenc --base16 -d
}

# pubkey_pem FILE: the public key of the last KeyBundle as PEM, written from its JWK octet by octet.
pubkey_pem() {
	case $(json .key.kty) in
	RSA*)
		cat >"$T/asn1" <<-END
			asn1 = SEQUENCE:spki
			[spki]
			algorithm = SEQUENCE:algorithm
			key = BITWRAP,SEQUENCE:rsa
			[algorithm]
			oid = OID:rsaEncryption
			none = NULL
			[rsa]
			n = INTEGER:0x$(unb64 "$(json .key.n)" | hex)
			e = INTEGER:0x$(unb64 "$(json .key.e)" | hex)
		END
		;;
	EC*)
		case $(json .key.crv) in
		P-256) pubkey_curve=prime256v1 ;;
		P-384) pubkey_curve=secp384r1 ;;
		P-521) pubkey_curve=secp521r1 ;;
		P-256K) pubkey_curve=secp256k1 ;;
		esac
		cat >"$T/asn1" <<-END
			asn1 = SEQUENCE:spki
			[spki]
			algorithm = SEQUENCE:algorithm
			key = FORMAT:HEX,BITSTRING:04$(unb64 "$(json .key.x)" | hex)$(unb64 "$(json .key.y)" | hex)
			[algorithm]
			oid = OID:id-ecPublicKey
			curve = OID:$pubkey_curve
		END
		;;
	esac
	openssl asn1parse -genconf "$T/asn1" -noout -out "$T/spki" && openssl pkey -pubin -inform DER -in "$T/spki" -out "$1"
}

# ecdsa_der SIGNATURE: r||s (base64url) as the DER that openssl reads.
ecdsa_der() {
	ecdsa_hex=$(unb64 "$1" | hex)
	ecdsa_half=$((${#ecdsa_hex} / 2))
	cat >"$T/asn1" <<-END
		asn1 = SEQUENCE:signature
		[signature]
		r = INTEGER:0x$(printf '%s' "$ecdsa_hex" | cut -c "1-$ecdsa_half")
		s = INTEGER:0x$(printf '%s' "$ecdsa_hex" | cut -c "$((ecdsa_half + 1))-")
	END
	openssl asn1parse -genconf "$T/asn1" -noout -out "$T/der" && cat "$T/der"
}

# flip BASE64URL [OCTET]: the same with one bit of an octet (default: the last) changed.
flip() {
	flip_hex=$(unb64 "$1" | hex)
	flip_at=${2:-$((${#flip_hex} / 2 - 1))}
	flip_old=$(printf '%s' "$flip_hex" | cut -c "$((flip_at * 2 + 1))-$((flip_at * 2 + 2))")
	flip_new=$(printf '%02x' $((0x$flip_old ^ 1)))
	unhex "$(printf '%s' "$flip_hex" | sed "s/^\(.\{$((flip_at * 2))\}\)../\1$flip_new/")" | b64_of
}

# someone UID[:GID[,GID…]] COMMAND...: runs it as another uid with these groups and no others. The socket's directory lets him in.
someone() {
	someone_ids=$1
	shift
	someone_gids=${someone_ids#*:}
	[ "$someone_gids" != "$someone_ids" ] || someone_gids=${someone_ids%%:*}
	someone_primary=${someone_gids%%,*}
	someone_more=${someone_gids#"$someone_primary"}
	chmod 711 "$T"
	if [ -n "$someone_more" ]; then
		setpriv --reuid "${someone_ids%%:*}" --regid "$someone_primary" --groups "${someone_more#,}" "$@"
	else
		setpriv --reuid "${someone_ids%%:*}" --regid "$someone_primary" --clear-groups "$@"
	fi
}

# need_root: the test asks as other uids.
need_root() {
	[ "$(id -u)" -eq 0 ] || tap_skip_all "only root can ask as other users"
}

# ask IDS METHOD PATH VAULT [JSON [HEADER]]: as http(), by someone IDS ("" is ourselves); prints answer().
ask() {
	ask_ids=$1
	ask_method=$2
	ask_path=$3
	ask_host=${4:-localhost}
	ask_body=${5:-}
	ask_header=${6:-User-Agent: custody-tests}
	case $ask_host in
	*.* | localhost) ;;
	*) ask_host=$ask_host.vault.azure.net ;;
	esac
	case $ask_path in
	/keys*\?* | /rng\?* | /deletedkeys*\?*) ask_path="$ask_path&api-version=7.4" ;;
	/keys* | /rng | /deletedkeys*) ask_path="$ask_path?api-version=7.4" ;;
	esac
	set -- curl -s --max-time "$DEADLINE" --path-as-is --unix-socket "$T/custodyd.sock" -X "$ask_method" -H "Host: $ask_host" \
		-H 'Authorization: Bearer test' -H "$ask_header" -D - -w '\n%{http_code}'
	[ -z "$ask_body" ] || set -- "$@" -H 'Content-Type: application/json' --data-binary "$ask_body"
	[ -z "$ask_ids" ] || set -- someone "$ask_ids" "$@"
	"$@" "http://localhost$ask_path" >"$T/whole"
	HTTP_STATUS=$(tail -n 1 "$T/whole")
	sed '/^\r*$/,$d' "$T/whole" >"$T/headers"
	sed '1,/^\r*$/d' "$T/whole" | sed '$d' >"$T/body"
	answer
}

# dual_keys TYPE: a key in each vault, WEST_KID and EAST_KID: "rsa" of 2048 bits, or "oct".
dual_keys() {
	case $1 in
	oct) dual_body='{"kty":"oct"}' ;;
	*) dual_body='{"kty":"RSA","key_size":2048,"key_ops":["wrapKey","unwrapKey"]}' ;;
	esac
	key_make $WEST west "$dual_body"
	WEST_KID=$KID
	key_make $EAST east "$dual_body"
	EAST_KID=$KID
}

# dual_wrap VALUE [CONTEXT [KID KID]]: an envelope of both keys, in $T/envelope. Both are base64url.
dual_wrap() {
	http POST /dual/wrapkey "" "{\"keys\":[\"${3:-$WEST_KID}\",\"${4:-$EAST_KID}\"],\"context\":\"${2-}\",\"value\":\"$1\"}"
	[ "$HTTP_STATUS" = 200 ] || bail "dual wrap: $HTTP_STATUS $(cat "$T/body")"
	jq -c .envelope "$T/body" >"$T/envelope"
}

# dual OPERATION [ENVELOPE-FILE [CONTEXT [MORE MEMBERS]]]: unwrapkey, rewrapkey or check.
dual() {
	http POST "/dual/$1" "" "{\"envelope\":$(cat "${2:-$T/envelope}"),\"context\":\"${3-}\"${4:+,$4}}"
}

# attempts: who was asked, and what came of it: "west opened, east unavailable ServiceUnavailable".
attempts() {
	json '(.attempts // .recipients // .error.details) | map([.token, .outcome, .code // empty] | join(" ")) | sort_by(.[0:4] != "west") | join(", ")'
}
