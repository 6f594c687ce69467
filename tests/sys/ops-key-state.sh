#!/bin/sh
# The table of states (§9): what a disabled, expired, not yet valid or narrowed key still does.
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start

key_make $WEST r '{"kty":"RSA","key_size":2048}'
key_make $WEST e '{"kty":"EC"}'
key_make $WEST w '{"kty":"oct"}'
key_make $WEST g '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
value=$(random_b64 32)
use $WEST r encrypt RSA-OAEP-256 "$value"
rsa=$(json .value)
use $WEST r sign PS256 "$value"
rsa_signature=$(json .value)
use $WEST e sign ES256 "$value"
ec_signature=$(json .value)
use $WEST w wrapkey A256KW "$value"
kw=$(json .value)
use $WEST g encrypt A256GCM "$value"
gcm=$(json .value)
gcm_parts="\"iv\":\"$(json .iv)\",\"tag\":\"$(json .tag)\""

# all: what each operation answers, a line each: "r encrypt 200".
all() {
	for all_operation in encrypt wrapkey; do
		use $WEST r $all_operation RSA-OAEP-256 "$value"
		echo "r $all_operation $(answer)"
	done
	for all_operation in decrypt unwrapkey; do
		use $WEST r $all_operation RSA-OAEP-256 "$rsa"
		echo "r $all_operation $(answer)"
	done
	use $WEST r sign PS256 "$value"
	echo "r sign $(answer)"
	http POST /keys/r//verify $WEST "{\"alg\":\"PS256\",\"digest\":\"$value\",\"value\":\"$rsa_signature\"}"
	echo "r verify $(answer)"
	use $WEST e sign ES256 "$value"
	echo "e sign $(answer)"
	http POST /keys/e//verify $WEST "{\"alg\":\"ES256\",\"digest\":\"$value\",\"value\":\"$ec_signature\"}"
	echo "e verify $(answer)"
	use $WEST w wrapkey A256KW "$value"
	echo "w wrapkey $(answer)"
	use $WEST w unwrapkey A256KW "$kw"
	echo "w unwrapkey $(answer)"
	use $WEST g encrypt A256GCM "$value"
	echo "g encrypt $(answer)"
	use $WEST g decrypt A256GCM "$gcm" "$gcm_parts"
	echo "g decrypt $(answer)"
}
# expected PROTECTING OPENING
expected() {
	sed -e "/ encrypt\| wrapkey\| sign/s/200.*/$1/" -e "/ decrypt\| unwrapkey\| verify/s/200.*/$2/" "$T/all"
}
set_all() {
	for key in r e w g; do
		http PATCH "/keys/$key/" $WEST "{\"attributes\":$1}"
		[ "$HTTP_STATUS" = 200 ] || bail "PATCH: $(cat "$T/body")"
	done
}
reads() {
	for key in r e w g; do
		http GET "/keys/$key/" $WEST
		printf '%s ' "$HTTP_STATUS"
	done
}

all >"$T/all"
tap_is "enabled and in time: all is done" 12 "$(grep -c ' 200$' "$T/all")"
set_all '{"enabled":false}'
tap_is "disabled: nothing is done" "$(expected "403 Forbidden KeyDisabled" "403 Forbidden KeyDisabled")" "$(all)"
tap_is "the message is the service's" "Operation decrypt is not allowed on a disabled key." "$(json .error.message)"
tap_is "but get works" "200 200 200 200 " "$(reads)"
set_all '{"enabled":true,"exp":1000}'
tap_is "expired: nothing new, the old opens" "$(expected "403 Forbidden KeyExpired" 200)" "$(all)"
tap_is "and get works" "200 200 200 200 " "$(reads)"
set_all '{"exp":4000000001,"nbf":4000000000}'
tap_is "not yet valid: nothing new, the old opens" "$(expected "403 Forbidden KeyNotYetValid" 200)" "$(all)"
now=$(date +%s)
set_all "{\"nbf\":$((now - 100)),\"exp\":$((now + 1000))}"
tap_is "inside its time: all is done" "$(cat "$T/all")" "$(all)"
set_all "{\"nbf\":$now,\"exp\":$now}"
tap_is "at exp it has expired" "$(expected "403 Forbidden KeyExpired" 200)" "$(all)"
set_all '{"nbf":0,"exp":4000000000}'
for key in r e w g; do
	answers "key_ops of $key are emptied" 200 PATCH "/keys/$key/" $WEST '{"key_ops":[]}'
done
tap_is "no operation left: nothing is done" "$(expected "403 Forbidden KeyOperationForbidden" "403 Forbidden KeyOperationForbidden")" "$(all)"
tap_is "the message is the service's" "Operation decrypt is not permitted on this key." "$(json .error.message)"

key_make $WEST r '{"kty":"RSA","key_size":2048,"attributes":{"enabled":false}}'
answers "the state that counts is the addressed version's" "403 Forbidden KeyDisabled" POST /keys/r//encrypt $WEST "{\"alg\":\"RSA-OAEP\",\"value\":\"$value\"}"
http DELETE /keys/r $WEST
answers "deleted: 404, not 403" "404 KeyNotFound" POST /keys/r//encrypt $WEST "{\"alg\":\"RSA-OAEP\",\"value\":\"$value\"}"
tap_done
