# The demonstration: what the product is for, from beginning to end, on a world of its own in a temporary directory that is removed
# afterwards. Sourced by quickstart.
# shellcheck shell=sh disable=SC2153 # of quickstart and world.sh

# --- the table

# show WHAT COMMAND...: a step of the table; what the command says is shown when it fails.
show() {
	show_what=$1
	shift
	echo "$show_what"
	show_start=$(date +%s%N)
	if show_said=$("$@" 2>&1); then
		show_row "$show_what" "$show_start"
		return
	fi
	echo "failed:" >&2
	printf '%s\n' "$show_said" >&2
	exit 1
}

show_row() {
	row=$(printf '%-66s %8s ms' "$1" "$((($(date +%s%N) - $2) / 1000000))")
	table="$table$row
"
}

# refused WHAT COMMAND...: the command must fail, and what it says is the point.
refused() {
	refused_what=$1
	shift
	echo "$refused_what"
	refused_start=$(date +%s%N)
	if refused_said=$("$@" 2>&1); then
		echo "quickstart: this should have been refused: $refused_what" >&2
		exit 1
	fi
	show_row "$refused_what" "$refused_start"
	printf '%s\n' "$refused_said" | sed 's/^/    /'
}

demo_cleanup() {
	demo_status=$?
	trap '' HUP INT TERM
	stop_all || kill_all
	rm -rf "$DIR"
	exit "$demo_status"
}

key_id() {
	ctl key show --vault-name "$(vaults_of "$1")" --name root | jq -r .key.kid
}

open_and_compare() {
	rm -rf "$DIR/opened"
	ctl open --retries 0 --out "$DIR/opened" "$DIR/sealed" && diff -r "$1" "$DIR/opened"
}

west_is_lost() {
	[ "$(ctl token show --name west | jq -r .state)" != ready ]
}

destroy_west() {
	west_pid=$(ctl token show --name west | jq -r .worker.pid)
	rm -rf "$DIR/tokens/west" && kill -KILL "$west_pid" && poll west_is_lost
}

demonstrate() {
	data=$1
	table=
	[ -e "$data" ] || die "$data: there is no such file or directory"
	need_packages build && need_name || exit 1
	build
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/custody.XXXXXX") || exit 1
	check_dir "$DIR"
	trap demo_cleanup EXIT
	trap 'exit 130' HUP INT TERM
	echo
	show "two SoftHSM tokens, custodyd, a vault on each token" bring_up
	for token in west east; do
		show "an RSA-3072 key in $(vaults_of $token), on token $token" ctl key create \
			--vault-name "$(vaults_of $token)" --name root --kty RSA --size 3072 --ops wrapKey unwrapKey
	done
	west=$(key_id west) && east=$(key_id east) || exit 1
	what="$(find "$data" -type f | wc -l) files, $(du -sh "$data" | cut -f 1)"
	show "seal $what, under both keys" ctl seal --key "$west" --key "$east" --out "$DIR/sealed" "$data"
	show "open it and compare byte for byte" open_and_compare "$data"
	show "destroy token west: its files gone, its worker killed" destroy_west
	show "open it with token east alone and compare" open_and_compare "$data"
	show "delete the key in $(vaults_of east) (softly)" ctl key delete --vault-name "$(vaults_of east)" --name root --yes
	refused "see that it no longer opens, and why" open_and_compare "$data"
	show "recover the key" ctl key recover --vault-name "$(vaults_of east)" --name root
	show "open it again and compare" open_and_compare "$data"
	printf '\n%s\n' "$table"
	echo "It is all cleaned up again. To try it yourself: ./quickstart up DIR, and README.md."
}

