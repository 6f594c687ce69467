#!/bin/sh
# The number of encryptions under an AES-GCM key is bounded for ever: counted in durable blocks, told from 2^31 on, refused at 2^32, over
# restarts and kills (threats E15).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
world_start
key_make $WEST gcm '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
version=${KID##*/}
block=65536
value=$(random_b64 16)
encrypt() {
	use $WEST gcm encrypt A256GCM "$value"
	answer
}
# count_of: as the catalog has it; count_set NUMBER, while the daemon is stopped.
count_of() {
	sqlite3 "$T/custody.db" "SELECT gcm_count FROM version WHERE id = x'$version'"
}
count_set() {
	sqlite3 "$T/custody.db" "UPDATE version SET gcm_count = $1 WHERE id = x'$version'" || bail "sqlite3"
}
restart() {
	daemon_start || bail "custodyd did not start (status $?)"
	wait_for token_is west ready || bail "token west is $(token_state west)"
}

tap_is "the first encryption" 200 "$(encrypt)"
cipher=$(json .value)
parts="\"iv\":\"$(json .iv)\",\"tag\":\"$(json .tag)\""
tap_is "reserves a block" $block "$(count_of)"
tap_is "the second does not write" "200 $block" "$(encrypt) $(count_of)"
daemon_kill
restart
tap_is "after a kill the rest of the block is lost, not used again" "200 $((2 * block))" "$(encrypt) $(count_of)"
daemon_stop

count_set $(((1 << 31) - 2))
restart
tap_is "the last before 2^31" 200 "$(encrypt)"
tap_exits "is not told" 1 log_has '^<4>key.nearly-exhausted '
tap_is "at 2^31 it goes on" 200 "$(encrypt)"
tap_ok "and the log tells" log_has "^<4>key.nearly-exhausted kid=$KID"
daemon_stop

count_set $(((1 << 32) - 2))
restart
tap_is "the last but one" 200 "$(encrypt)"
tap_is "the last" 200 "$(encrypt)"
refused=$(encrypt)
tap_is "then it is over" "403 Forbidden KeyExhausted" "$refused"
tap_is "the whole number is reserved" $((1 << 32)) "$(count_of)"
use $WEST gcm decrypt A256GCM "$cipher" "$parts"
tap_is "what was encrypted decrypts for ever" "200 $value" "$HTTP_STATUS $(json .value)"
daemon_kill
restart
tap_is "and over restarts" "$refused" "$(encrypt)"
http POST /keys/gcm/create $WEST '{"kty":"oct","key_ops":["encrypt","decrypt"]}'
tap_is "a new version begins anew" "200 200" "$HTTP_STATUS $(encrypt)"
tap_done
