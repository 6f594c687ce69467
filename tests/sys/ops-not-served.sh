#!/bin/sh
# What is left out on purpose is 400 NotSupported, the same bytes for good input and bad (§8; threats A14, A18).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

key_make $WEST k '{"kty":"RSA","key_size":2048}'
pubkey_pem "$T/pem" || bail "no public key"
printf 'plain' >"$T/plain"
good=$(openssl pkeyutl -encrypt -pubin -inkey "$T/pem" -in "$T/plain" -pkeyopt rsa_padding_mode:pkcs1 | b64_of)
use $WEST k encrypt RSA1_5 "$(b64 plain)"
tap_is "the public half of RSA1_5 works" "200 256" "$HTTP_STATUS $(unb64 "$(json .value)" | wc -c)"
ours=$(json .value)
for operation in decrypt unwrapkey; do
	: >"$T/answers"
	for cipher in "$good" "$ours" "$(flip "$good")" "$(random_b64 256)" "$(random_b64 255)" "$(b64 x)"; do
		use $WEST k $operation RSA1_5 "$cipher"
		echo "$HTTP_STATUS $(cat "$T/body")" >>"$T/answers"
	done
	http POST /keys/k//$operation $WEST '{"alg":"RSA1_5"}'
	echo "$HTTP_STATUS $(cat "$T/body")" >>"$T/answers"
	tap_is "RSA1_5 is not opened by $operation, whatever it is (A14)" 1 "$(sort -u "$T/answers" | wc -l)"
	tap_is "the answer" "400 NotSupported" "$(answer)"
done

key_make $WEST g '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
for alg in A256CBC A256CBCPAD; do
	for operation in encrypt decrypt; do
		: >"$T/answers"
		for value in "$(random_b64 16)" "$(random_b64 15)" "$(random_b64 4000)"; do
			use $WEST g $operation $alg "$value" '"iv":"AAAAAAAAAAAAAAAAAAAAAA"'
			echo "$HTTP_STATUS $(cat "$T/body")" >>"$T/answers"
		done
		tap_is "$alg is not served: $operation, whatever it is (A18)" 1 "$(sort -u "$T/answers" | wc -l)"
		tap_is "the answer" "400 NotSupported" "$(answer)"
	done
done

version=${KID##*/}
for request in "POST /keys/g/release" "POST /keys/g//release" "POST /keys/g/$version/release" "GET /keys/g/attestation" "GET /keys/g/$version/attestation" \
	"POST /keys/nobody/release"; do
	if [ "${request%% *}" = POST ]; then
		http POST "${request#* }" $WEST '{"target":"a.b.c"}'
	else
		http GET "${request#* }" $WEST
	fi
	tap_is "$(echo "$request" | sed "s/$version/VERSION/")" "400 NotSupported" "$(answer)"
done
answers "key_ops of import and export" "400 NotSupported" POST /keys/x/create $WEST '{"kty":"RSA","key_ops":["import"]}'
answers "the override of methods is ignored" 200 GET /keys/k $WEST
tap_is "also when asked for" 200 "$(curl -s -o "$T/body" -w '%{http_code}' --unix-socket "$T/custodyd.sock" -H "Host: $WEST.vault.azure.net" \
	-H 'Authorization: x' -H 'X-HTTP-Method: DELETE' 'http://x/keys/k?api-version=7.4')"
answers "and nothing happened" 200 GET /keys/k $WEST
tap_done
