#!/bin/sh
# The audit cut, replaced, removed or edited, while running and between two runs: said clearly, nothing is answered, and nothing
# of it is taken as good (threats D19, F10).
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
audit=$T/log/audit.jsonl
config_set custodyd audit-sync 50ms
token_make west
daemon_start || bail "no start"
ctl token enroll --name west >/dev/null || bail "enroll"
wait_for token_is west ready || bail "west"
vault_make $WEST west
key_make $WEST k '{"kty":"oct"}'
daemon_stop
mkdir "$T/keep"
cp -p "$T"/custody.db* "$T/keep"
cp -p "$audit" "$T/keep/audit.jsonl"

# as_it_was: catalog and audit of before.
as_it_was() {
	rm -rf "$T"/custody.db* "$T"/log/*
	cp -p "$T"/keep/custody.db* "$T"
	cp -p "$T/keep/audit.jsonl" "$audit"
}

# shellcheck disable=SC2317 # run by wait_for
refuses() {
	http GET /keys/k "$WEST"
	[ "$HTTP_STATUS" = 503 ]
}

# shellcheck disable=SC2317 # run by wait_for
says() {
	grep -q "^<3>audit\.[a-z]* error=AuditIntegrity class=integrity message=\"The audit file $audit $1" "$T/custodyd.log"
}

# running REFUSED WHAT COMMAND...: the file is changed under the daemon. REFUSED "no": what is there is good for a start.
running() {
	running_refused=$1
	running_what=$2
	shift 2
	as_it_was
	: >"$T/custodyd.log"
	daemon_start || bail "no start before: $running_what"
	answers "$running_what: before, it is served" 200 GET /keys/k $WEST
	"$@"
	tap_ok "$running_what: the daemon notices by itself" wait_for says ""
	tap_ok "$running_what: nothing is answered" refuses
	tap_unlike "$running_what: or told" "*kid*" "$(cat "$T/body")"
	answers "$running_what: nor changed" "503 ServiceUnavailable StorageError" DELETE /keys/k $WEST
	daemon_stop
	[ "$running_refused" = no ] || refused "$running_what: and it does not start again" "$audit"
}

# refused WHAT PATTERN: the start fails, with an integrity error or a refusal that names it.
refused() {
	config_write
	timeout "$DEADLINE" "$CUSTODYD" --config "$T/custodyd.conf" >"$T/refused.log" 2>&1
	tap_is "$1" 1 $?
	if grep -q "^<3>start.failed error=\(AuditIntegrity\|CatalogIntegrity\|ConfigError\) .*message=\".*$2" "$T/refused.log"; then
		tap_pass "$1: says it"
	else
		tap_fail "$1: says it"
		diag "$(cat "$T/refused.log")"
	fi
}

# between WHAT PATTERN COMMAND...: the file is changed while nobody has it.
between() {
	between_what=$1
	between_pattern=$2
	shift 2
	as_it_was
	"$@"
	refused "$between_what" "$between_pattern"
}

records=$(wc -l <"$audit")
tap_ok "there are some records" test "$records" -ge 4
# shellcheck disable=SC2317 # run by running and between
{
	cut_all() { : >"$audit"; }
	cut_last() { sed -i '$d' "$audit"; }
	cut_octets() { truncate -s -100 "$audit"; }
	rotated() {
		mv "$audit" "$T/log/audit.1"
		cp "$T/log/audit.1" "$audit"
	}
	removed() { rm "$audit"; }
	grown() { printf '\n' >>"$audit"; }
	edited() { sed -i '2s/"uid":0/"uid":1/' "$audit"; }
	without_second() { sed -i 2d "$audit"; }
	swapped() { sed -i '2{h;d};3{G}' "$audit"; }
	last_twice() { tail -n 1 "$audit" >"$T/line" && cat "$T/line" >>"$audit"; }
	forged() { # the line as another daemon would have written it, with a hash that fits
		head -n -1 "$audit" >"$T/line"
		tail -n 1 "$audit" | sed 's/"operation":"[^"]*"/"operation":"key.get"/; s/,"hash":.*//' >"$T/last"
		printf '%s,"hash":"%s"}\n' "$(cat "$T/last")" "$(tr -d '\n' <"$T/last" | sha256sum | cut -c 1-64)" >>"$T/line"
		cat "$T/line" >"$audit"
	}
	other() { # of another daemon
		head -n 1 "$audit" >"$T/line"
		cat "$T/line" >"$audit"
	}
}
running yes "cut to nothing" cut_all
running no "its last octets cut off" cut_octets
running no "rotated by a tool" rotated
running yes "removed" removed
running yes "written to by somebody" grown

between "emptied" "does not hold record [0-9]*, which the catalog remembers" cut_all
between "without its last record" "does not hold record [0-9]*, which the catalog remembers" cut_last
between "removed between two runs" "does not hold record [0-9]*, which the catalog remembers" removed
between "an edited line" "is not as it was written: the line at octet [0-9]* does not verify" edited
between "a line taken out" "is not as it was written: the line at octet [0-9]* does not verify" without_second
between "two lines swapped" "is not as it was written: the line at octet [0-9]* does not verify" swapped
between "a line repeated" "is not as it was written: the line at octet [0-9]* does not verify" last_twice
between "the last record forged with its hash" "does not hold record [0-9]*, which the catalog remembers" forged
between "all but the first record gone" "does not hold record [0-9]*, which the catalog remembers" other

as_it_was
daemon_start
tap_is "put right again, it starts" 0 $?
answers "and serves" 200 GET /keys/k $WEST
tap_done
