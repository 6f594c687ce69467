#!/bin/sh
# Seal and open of a large file by custodyctl, from its start to its end, against AES-256-GCM of OpenSSL in memory on one core.
# The files are in memory (/dev/shm), so that no disk is measured. Making the pages of a new file costs the kernel more than encrypting
# them, as cp shows; "to /dev/null" is without that.
. "$SRCDIR/tests/bench/bench.sh"
MIB=${BENCH_MIB:-1024}

bench_begin "Seal and open of a file of $MIB MiB ($ROUNDS rounds)"
world_start
dual_keys rsa
FILES=$(mktemp -d /dev/shm/custody-bench.XXXXXX) || bail "no /dev/shm"
bench_directory=$FILES
head -c "$MIB"M /dev/urandom >"$FILES/plain" || bail "no room in /dev/shm"

# rate COMMAND...: the file's MB through its time.
rate() {
	rm -f "$FILES/copy" # before the clock runs: freeing it takes long, too
	rate_start=$(date +%s%N)
	"$@" >"$T/rate.log" 2>&1 || bail "$* : $(cat "$T/rate.log")"
	echo $((MIB * 1048576 * 1000 / ($(date +%s%N) - rate_start)))
}

openssl_rate() {
	openssl speed -mr -elapsed -seconds 1 -bytes 16384 -evp aes-256-gcm 2>/dev/null | awk -F : '/^[+]F:/ { printf "%d\n", $4 / 1000000 }'
}

seal_to() {
	ctl seal --key "$WEST_KID" --key "$EAST_KID" --out "$FILES/copy" "$FILES/plain"
}

open_to() {
	ctl open --out "$FILES/copy" "$FILES/sealed"
}

ctl_out() {
	CUSTODY_SOCKET=$T/custodyd.sock "$CUSTODYCTL" "$@" >/dev/null
}

seal_away() {
	ctl_out seal --key "$WEST_KID" --key "$EAST_KID" --out - "$FILES/plain"
}

open_away() {
	ctl_out open --show-secret --out - "$FILES/sealed"
}


seal_to
mv "$FILES/copy" "$FILES/sealed"
open_to
cmp "$FILES/plain" "$FILES/copy" || bail "what was opened is not what was sealed"

round=0
while [ "$round" -lt "$ROUNDS" ]; do
	{
		echo "openssl speed, 16 KiB|$(openssl_rate)"
		echo "cp, file to file|$(rate cp "$FILES/plain" "$FILES/copy")"
		echo "seal, file to file|$(rate seal_to)"
		echo "open, file to file|$(rate open_to)"
		echo "seal, file to /dev/null|$(rate seal_away)"
		echo "open, file to /dev/null|$(rate open_away)"
	} >>"$T/results"
	round=$((round + 1))
done

awk -F '|' "$MEDIAN"'
	{
		if (!($1 in rounds)) names[++count] = $1
		i = ++rounds[$1]
		all[$1] = all[$1] " " $2
		if ($1 ~ /^openssl/) speed[i] = $2
		else ratios[$1] = ratios[$1] " " $2 / speed[i]
		if ($1 ~ /^cp/) copy[i] = $2
		if ($1 ~ /file$/) of_copy[$1] = of_copy[$1] " " $2 / copy[i]
	}
	END {
		printf "\n%-28s %8s %12s %8s\n", "way", "MB/s", "of openssl", "of cp"
		for (n = 1; n <= count; n++)
			printf "%-28s %8d %12s %8s\n", names[n], median(all[names[n]]), decimal(median(ratios[names[n]])),
				decimal(median(of_copy[names[n]]))
		print "aim: at least 0.70 of openssl"
	}' "$T/results"
bench_end
