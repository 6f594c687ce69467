#!/bin/sh
# Who holds what: no PKCS#11 module in custodyd, only its socket in the worker, which starts no program, leaves no core, shows
# nobody its memory, and is another user if the section says so (threats A26, B19, F14).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
need_root
user=nobody
uid=$(id -u $user)
token_make west
config_set token-west user $user
config_set token-west env "SOFTHSM2_CONF=$T/tokens/west.conf PLAIN=yes"
chown -R $user "$T/tokens/west" "$T/tokens/west.conf"
chmod 711 "$T" "$T/tokens"
SECRET_OF_OURS=x
export SECRET_OF_OURS
daemon_start || bail "custodyd did not start (status $?)"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "token west is $(token_state west)"
daemon=$(daemon_pid)
worker=$(worker_pid west)

tap_is "no module is mapped into custodyd" "" "$(grep -E 'softhsm|p11-kit|pkcs11' "/proc/$daemon/maps")"
tap_is "nor linked to it" "" "$(objdump -p "$(readlink "/proc/$daemon/exe")" | grep NEEDED | grep -E 'softhsm|p11|pkcs11')"
tap_like "one is in the worker" "*libsofthsm2.so" "$(grep -o '/[^ ]*softhsm[^ ]*' "/proc/$worker/maps" | head -n 1)"
tap_is "no database is in the worker" "" "$(grep -o '/[^ ]*custody.db[^ ]*\|/[^ ]*libsqlite[^ ]*' "/proc/$worker/maps")"

find "/proc/$worker/fd" -type l -printf '%f %l\n' | sort -n |
	grep -v " $T/tokens/west/" | sed 's/\[[0-9]*\]//; s/^\([0-2]\) .*/\1/' >"$T/fds"
tap_is "the worker has its three outputs and its socket" "0 1 2 3 socket:" "$(tr '\n' ' ' <"$T/fds" | sed 's/ $//')"
tap_is "its environment is what the section allows" "OPENSSL_CONF=/dev/null PLAIN=yes SOFTHSM2_CONF=$T/tokens/west.conf" \
	"$(tr '\0' '\n' <"/proc/$worker/environ" | grep -v SAN_OPTIONS | sort | tr '\n' ' ' | sed 's/ $//')"

status_of() {
	sed -n "s/^$1:[ 	]*//p" "/proc/$worker/status" | tr '\t' ' '
}
tap_is "it is another user" "$uid $uid $uid $uid" "$(status_of Uid)"
tap_is "without capabilities" 0000000000000000 "$(status_of CapEff)"
tap_is "and without a way to any" "0000000000000000 0000000000000000 1" "$(status_of CapPrm) $(status_of CapBnd) $(status_of NoNewPrivs)"
tap_is "under a filter of system calls" 2 "$(status_of Seccomp)"
tap_is "it has no children" "" "$(cat "/proc/$worker/task/"*/children)"
for pid in "$daemon" "$worker"; do
	tap_is "no core is left of process $pid" "0 0" "$(awk '/^Max core/ { print $5, $6 }' "/proc/$pid/limits")"
	tap_is "its files in /proc are root's: it is not dumpable" 0 "$(stat -c %u "/proc/$pid/mem")"
done
someone "$uid:$(id -g $user)" head -c 1 "/proc/$worker/mem" >/dev/null 2>"$T/mem"
tap_like "the same user may not read its memory" "*Permission denied*" "$(cat "$T/mem")"
someone "$uid:$(id -g $user)" cat "/proc/$worker/environ" >/dev/null 2>"$T/mem"
tap_like "nor its environment" "*Permission denied*" "$(cat "$T/mem")"

kill -ABRT "$worker"
# shellcheck disable=SC2317 # run by wait_for
replaced() {
	[ "$(worker_pid west)" != "$worker" ] && token_is west ready
}
tap_ok "one that aborts is replaced" wait_for replaced
tap_is "and leaves no core" "" "$(find "$T" -name 'core*')"
tap_done
