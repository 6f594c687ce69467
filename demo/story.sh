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

# --- a directory tree, sealed under both keys

key_id() {
	ctl key show --vault-name "$(vaults_of "$1")" --name root | jq -r .key.kid
}

root_key() {
	ctl key create --vault-name "$(vaults_of "$1")" --name root --kty RSA --size 3072 --ops wrapKey unwrapKey
}

open_and_compare() {
	rm -rf "$DIR/opened"
	ctl open --retries 0 --out "$DIR/opened" "$DIR/sealed" && diff -r "$1" "$DIR/opened"
}

west_is() {
	[ "$(ctl token show --name west | jq -r .state)" = "$1" ]
}

west_is_lost() {
	! west_is ready
}

# Its files are moved to the place that is named, or removed.
lose_west() {
	west_pid=$(ctl token show --name west | jq -r .worker.pid)
	if [ $# -eq 0 ]; then
		rm -rf "$DIR/tokens/west"
	else
		mv "$DIR/tokens/west" "$1"
	fi && kill -KILL "$west_pid" && poll west_is_lost
}

return_west() {
	mv "$1" "$DIR/tokens/west" && poll west_is ready
}

# --- mail, under a policy over the same two keys

# deliver NUMBER FILE: a message with the file in it.
deliver() {
	{
		printf 'From: Bob <bob@contoso.com>\nTo: Anna <anna@contoso.com>\nSubject: %s\nMIME-Version: 1.0\n' "${2##*/}"
		printf 'Content-Type: text/plain; name="%s"\nContent-Transfer-Encoding: base64\n\n' "${2##*/}"
		base64 "$2"
	} >"$DIR/mail/cur/$1.contoso:2,S"
}

make_mail() {
	mkdir -p "$DIR/mail/cur" "$DIR/mail/new" "$DIR/mail/tmp" || return
	message=0
	for file in *.md doc/*.md man/*.[1-8]; do
		message=$((message + 1))
		deliver "$message" "$file" || return
	done
}

allow_exchange() {
	for vault in $OWNERS_VAULTS; do
		ctl keyvault set-policy --name "$vault" --spn "$EXCHANGE" --key-permissions get wrapKey unwrapKey || return
	done
}

revoke_exchange() {
	for vault in $OWNERS_VAULTS; do
		ctl keyvault delete-policy --name "$vault" --spn "$EXCHANGE" || return
	done
}

protect_and_allow() {
	for vault in $OWNERS_VAULTS; do
		ctl keyvault update --name "$vault" --enable-purge-protection true || return
	done
	allow_exchange
}

# Anna is assigned before she is registered, as before a move into the service; bob is here already.
make_mailboxes() {
	echo '{"id":"bob@contoso.com"}' | dep mailbox register || return
	for mailbox in anna bob; do
		dep mailbox set "$mailbox@contoso.com" --policy USA_mailboxes || return
	done
	echo '{"id":"anna@contoso.com"}' | dep mailbox register && poll is_encrypted bob
}

is_encrypted() {
	dep mailbox show "$1@contoso.com" | jq -e .isEncrypted
}

# What depd has opened already would be read for a while yet: it is forgotten first, so that both owners are asked.
read_mail() {
	rm -rf "$DIR/read"
	dep flush -o none && dep open --retries 0 --out "$DIR/read" "$DIR/mail.sealed" && diff -r "$DIR/mail" "$DIR/read"
}

generation_of() {
	dep mailbox show "$1@contoso.com" | jq -r .dataEncryptionPolicyID
}

has_moved() {
	[ "$(generation_of anna)" != "$1" ] && is_encrypted anna && is_encrypted bob
}

roll() {
	before=$(generation_of anna)
	root_key west && root_key east && dep mailbox policy refresh USA_mailboxes && poll has_moved "$before"
}

# --- the end of it: a purge

# An authority of the organization, and Vera, whom it vouches for.
make_approver() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Contoso/CN=Approvers" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
		-keyout "$DIR/approvers-ca.key" -out "$DIR/approvers-ca.pem" &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=Contoso/CN=Vera" \
			-keyout "$DIR/vera.key" -out "$DIR/vera.csr" || return
	printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$DIR/vera.ext"
	openssl x509 -req -in "$DIR/vera.csr" -CA "$DIR/approvers-ca.pem" -CAkey "$DIR/approvers-ca.key" -days 30 \
		-extfile "$DIR/vera.ext" -out "$DIR/vera.pem" &&
		dep approver add vera --certificate "$DIR/vera.pem" && dep organization public-key --out "$DIR/contoso.pem"
}

request_purge() {
	dep mailbox policy purge request USA_mailboxes --reason "Contoso leaves the service" --contact vera@contoso.com --exiting-service
}

approve_purge() {
	dep mailbox policy purge document USA_mailboxes --out "$DIR/document" &&
		openssl cms -sign -binary -outform DER -md sha256 -signer "$DIR/vera.pem" -inkey "$DIR/vera.key" \
			-in "$DIR/document" -out "$DIR/signature" &&
		dep mailbox policy purge approve USA_mailboxes --document "$DIR/document" --signature "$DIR/signature" && poll is_purged
}

is_purged() {
	dep mailbox policy purge show USA_mailboxes | jq -e '.state == "Purged"'
}

verify_certificate() {
	dep mailbox policy purge certificate USA_mailboxes --out "$DIR/certificate" &&
		dep purge verify "$DIR/certificate" --public-key "$DIR/contoso.pem" --authorities "$DIR/approvers-ca.pem"
}

# --- the story

tree_is_sealed() {
	show "an RSA-3072 key in contosowestus, on token west" root_key west
	show "an RSA-3072 key in contosocentralus, on token east" root_key east
	west=$(key_id west) && east=$(key_id east) || exit 1
	what="$(find "$1" -type f | wc -l) files, $(du -sh "$1" | cut -f 1)"
	show "seal $what, under both keys" ctl seal --key "$west" --key "$east" --out "$DIR/sealed" "$1"
	show "open it and compare byte for byte" open_and_compare "$1"
}

mail_is_kept() {
	show "the service's own custody, and depd" service_up
	show "both owners let Exchange use their keys" protect_and_allow
	show "a policy for mailboxes over both keys" dep mailbox policy create --name USA_mailboxes --key "${west%/*}" "${east%/*}"
	show "assign it to two mailboxes, and move them to it" make_mailboxes
	make_mail || exit 1
	show "seal $(find "$DIR/mail" -type f | wc -l) messages of anna's" \
		dep seal --kind mailbox --scope anna@contoso.com --out "$DIR/mail.sealed" "$DIR/mail"
	show "read them and compare byte for byte" read_mail
	show "lose token west" lose_west "$DIR/west"
	show "read them with token east alone" read_mail
	show "token west comes back" return_west "$DIR/west"
	show "both owners revoke their keys" revoke_exchange
	refused "see that the mail can be read no more, and why" read_mail
	show "both owners restore them" allow_exchange
	show "read the mail again" read_mail
	show "roll: new versions of both keys, the mailboxes moved to them" roll
	show "read the mail again" read_mail
}

mail_is_purged() {
	show "an approver of purges, with a certificate" make_approver
	show "both owners revoke their keys, to leave the service" revoke_exchange
	show "ask for the mail to be purged" request_purge
	show "the approver signs the document, and it is carried out" approve_purge
	show "verify the certificate of destruction" verify_certificate
	show "both owners give the permissions back" allow_exchange
	refused "see that the mail is gone for good all the same" read_mail
}

tree_is_opened() {
	show "destroy token west: its files gone, its worker killed" lose_west
	show "open it with token east alone and compare" open_and_compare "$1"
	show "delete the key in contosocentralus (softly)" ctl key delete --vault-name contosocentralus --name root --yes
	refused "see that it no longer opens, and why" open_and_compare "$1"
	show "recover the key" ctl key recover --vault-name contosocentralus --name root
	show "open it again and compare" open_and_compare "$1"
}

demonstrate() {
	table=
	[ -e "$1" ] || die "$1: there is no such file or directory"
	need_packages build && need_name || exit 1
	build
	umask 077
	# shellcheck disable=SC2034 # of world.sh
	DEMO_PURGE_WAIT=0s
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/custody.XXXXXX") || exit 1
	trap demo_cleanup EXIT
	trap 'exit 130' HUP INT TERM
	check_dir "$DIR"
	echo
	show "two SoftHSM tokens, custodyd, a vault on each token" owners_up
	tree_is_sealed "$1"
	mail_is_kept
	mail_is_purged
	tree_is_opened "$1"
	printf '\n%s\n' "$table"
	echo "It is all cleaned up again. To try it yourself: ./quickstart up DIR, and README.md."
}
