#!/bin/sh
# examples/mailstore, a workload on libcustody alone, with a Maildir of thousands of messages with attachments: moved in, killed at any call
# of that, read, listed, delivered to, through a roll, another policy, one dead token and two; refused after a revocation and all there when
# that is taken back (threats G1, G8); of another mailbox or organization nothing opens (threats G16, G17), for another kind of
# workload neither (threats G19); not to be read once a purge was requested (threats G13).
# shellcheck disable=SC2119,SC2317 # functions are run by others
. "$SRCDIR/tests/support/lib.sh"
. "$SRCDIR/tests/support/keyvault.sh"
. "$SRCDIR/tests/support/dep.sh"
. "$SRCDIR/tests/support/dep_policy.sh"
. "$SRCDIR/tests/support/dep_purge.sh"
need_root
config_set workload-cloudpc principals "user:12345"
config_set depd approvers-needed 1
COUNT=2000
ANNA=anna@contoso.com
S=$T/store
DEPD_SOCKET=$T/depd.sock
export DEPD_SOCKET

mail() { # COMMAND MAILBOX ARGUMENT...
	mail_command=$1
	mail_box=$2
	shift 2
	"$BUILDDIR/examples/mailstore/mailstore" "$mail_command" "$S" "$mail_box" "$@"
}
# Messages as people send them: headers, text, an attachment in base64 of up to 12 kB; every 500th has one of 2 MB.
make_maildir() { # DIRECTORY COUNT
	mkdir -p "$1/tmp" "$1/new" "$1/cur"
	[ -s "$T/octets" ] || random_octets 48000 | base64 >"$T/octets"
	awk -v directory="$1" -v count="$2" '
		{ lines[NR] = $0 }
		function attachment(wanted,   i) {
			for (i = 0; i < wanted; i++)
				print lines[int(rand() * NR) + 1] >file
		}
		END {
			srand(1)
			for (n = 1; n <= count; n++) {
				file = sprintf("%s/%s/%d.M%dP1.host%s", directory, n % 2 ? "cur" : "new", 1700000000 + n, n, n % 2 ? ":2,S" : "")
				printf "From: sender%d@example.com\nTo: anna@contoso.com\nSubject: Report %d of the quarter\n", n % 97, n >file
				printf "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n\nplainly written %d\n", n, n, n >file
				printf "--b%d\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n", n >file
				attachment(n % 500 ? rand() * 160 : 27000)
				printf "--b%d--\n", n >file
				close(file)
			}
		}' "$T/octets"
}
in_clear() { # DIRECTORY...: files that can be read
	grep -rlE 'plainly|Subject:|sender|MIME' "$@"
}
state() {
	dc mailbox show "$1" | jq -r '"\(.state) \(.isEncrypted)"'
}
current_of() { # POLICY: the GUID of its current generation
	dc mailbox policy show "$1" | jq -r '.generations[-1].id'
}
under() {
	dc mailbox show $ANNA | jq -r .dataEncryptionPolicyID
}
forget() { # what depd has in memory
	dc flush >"$T/flush.log" 2>&1 || bail "flush: $(cat "$T/flush.log")"
}
letter() {
	printf 'Subject: %s\n\na letter\n' "$1"
}
read_one() {
	[ "$(mail read "$ANNA" "$name" | tail -n 1)" = "a letter" ]
}
refused() { # DESCRIPTION STATUS ERROR COMMAND...: with this exit code, for this reason, and nothing comes out
	refused_description=$1
	refused_expected="$2 $3 "
	shift 3
	"$@" >"$T/out" 2>"$T/err" </dev/null
	tap_is "$refused_description" "$refused_expected" "$? $(grep -o '\[[A-Za-z]*\]$' "$T/err" | tail -n 1) $(cat "$T/out")"
}

make_maildir "$T/Maildir" $COUNT &
made=$!
dep_world_start
dep_policy_world
policy_make mailbox USA
policy_make mailbox Europe
dc mailbox set $ANNA --policy USA >"$T/out" 2>&1 || bail "not assigned: $(cat "$T/out")"
wait $made || bail "the Maildir was not made"
mkdir "$S"

# ---- moved in ----
mkdir "$T/Maildir/.Sent"
refused "a Maildir with more in it than a Maildir is not begun" 1 "" mail import $ANNA "$T/Maildir"
tap_like "which is said" "*/Maildir/.Sent: not a part of a Maildir, and would be left in clear; move it away." "$(cat "$T/err")"
rmdir "$T/Maildir/.Sent"
cp -r "$T/Maildir" "$T/copy"
touch "$T/Maildir/tmp/late"
refused "a delivery that is under way is waited for" 1 "" mail import $ANNA "$T/Maildir"
tap_is "all others are sealed, and it does not count as encrypted" "unencrypted false $COUNT" \
	"$(state $ANNA) $(find "$S/$ANNA/new" "$S/$ANNA/cur" -type f | wc -l)"
refused "another import has to wait" 1 "" mail import $ANNA "$T/copy"
mv "$T/Maildir/tmp/late" "$T/Maildir/new/late"
letter late >"$T/Maildir/new/late"
tap_is "the import goes on with it" "1 moved" "$(mail import $ANNA "$T/Maildir")"
tap_is "and is moved, under the policy that waited for it" "encrypted true $(current_of USA)" "$(state $ANNA) $(under)"
tap_is "nothing is left of it in clear" "" "$(in_clear "$S"; find "$T/Maildir" -mindepth 1)"
tap_is "nor half there, nor for others" "" "$(find "$S/$ANNA/tmp" -mindepth 1; find "$S" -perm /077)"
mail list $ANNA >"$T/list" || tap_fail "list"
tap_is "all are listed" $((COUNT + 1)) "$(sort -u "$T/list" | wc -l)"
tap_is "by their subjects" "Report 7 of the quarter" "$(awk -F '\t' '$1 ~ /\.M7P1/ { print $2 }' "$T/list")"
names() { # of the Maildir, as list has them
	(cd "$T/copy" && find new cur -type f | sort)
}
# shellcheck disable=SC2046 # names are words
tap_is "and are what they were" "$(cd "$T/copy" && names | xargs cat | sha256sum)" "$(mail read $ANNA $(names) | sha256sum)"
name=$(letter Hello | mail deliver $ANNA)
tap_ok "a message is delivered and read" read_one

# ---- wrong input, other mailboxes, other workloads ----
refused "a mailbox that nobody registered" 3 "[ScopeNotFound]" mail deliver bert@contoso.com
tap_ok "gets nothing in the store" test ! -e "$S/bert@contoso.com"
refused "a message that is not there" 1 "" mail read $ANNA new/none
for wrong in "read $ANNA" "read $ANNA tmp/x" "read $ANNA new/../../x" "list ../x" "import $ANNA" "send $ANNA"; do
	# shellcheck disable=SC2086 # words
	refused "refused: $wrong" 2 "" mail $wrong
done
echo '{"id":"bert@contoso.com"}' | dc mailbox register >"$T/out" 2>&1
letter Bert | mail deliver bert@contoso.com >"$T/out" || bail "not delivered"
cp "$S/$ANNA/$name" "$S/bert@contoso.com/new/stolen"
refused "a message of another mailbox does not open in this one" 3 "[BadCiphertext]" mail read bert@contoso.com new/stolen
mail list bert@contoso.com >"$T/list" 2>"$T/err"
tap_is "it is told of in the list, and the others are there" "3 Bert" "$? $(cut -f 2 "$T/list")"
tap_like "by its name" "*new/stolen: *[[]BadCiphertext]" "$(cat "$T/err")"
head -c 250 "$S/$ANNA/$name" >"$S/$ANNA/new/cut"
refused "nor one that was cut" 3 "[SealedCorrupt]" mail read $ANNA new/cut
rm "$S/$ANNA/new/cut"
chmod 755 "$T" "$S"
chmod -R a+rX "$S/$ANNA"
refused "nor does any to a workload of another kind" 4 "[AccessDenied]" someone 12345 env DEPD_SOCKET="$DEPD_SOCKET" CUSTODY_SERVER_UID=0 \
	"$BUILDDIR/examples/mailstore/mailstore" read "$S" $ANNA "$name"

# ---- keys come and go ----
dep_key "$EAST" root-east "$AES" >"$T/newer"
before=$(under)
dc mailbox policy refresh USA >"$T/out" 2>&1 || bail "not refreshed: $(cat "$T/out")"
tap_ok "rolled: it is read" read_one
tap_is "under the new generation" "$(current_of USA) differs" "$(under) $([ "$(under)" = "$before" ] || echo differs)"
dc mailbox set $ANNA --policy Europe >"$T/out" 2>&1 || bail "not assigned: $(cat "$T/out")"
tap_ok "under another policy: it is read" read_one
tap_is "that is where it is now" "$(current_of Europe)" "$(under)"

# ---- revoked, and given back ----
mkdir "$T/few" "$T/few/new" "$T/few/cur" "$T/few/tmp"
(cd "$T/copy" && find new cur -name '*.M1[23]P1*' -exec cp {} "$T/few/{}" \;)
denied
forget
refused "revoked: nothing is listed" 4 "[AccessDenied]" mail list $ANNA
refused "read" 4 "[AccessDenied]" mail read $ANNA "$name"
refused "delivered" 4 "[AccessDenied]" mail deliver $ANNA
refused "or imported" 4 "[AccessDenied]" mail import $ANNA "$T/few"
tap_is "and what was to be imported is where it was" "2" "$(find "$T/few" -type f | wc -l)"
granted
tap_ok "given back, it is read" read_one

# ---- killed at each call that leaves something behind; the same import again makes it whole ----
tap_is "what is in the store already is imported once" "2 moved $((COUNT + 2))" \
	"$(mail import $ANNA "$T/few") $(find "$S/$ANNA" -type f | wc -l)"
mkdir "$T/few/new" "$T/few/cur" "$T/few/tmp"
letter other >"$T/few/cur/$(names | sed -n 's|^cur/||p' | head -n 1)"
refused "another one of the same name is not" 1 "" mail import $ANNA "$T/few"
tap_is "and stays" "a letter" "$(tail -n 1 "$T"/few/cur/*)"
rm "$T"/few/cur/*
tap_ok "an import without a message ends it" mail import $ANNA "$T/few"

subjects() { # MAILBOX MAILDIR: of all messages, in clear or not
	{ mail list "$1" | cut -f 2; grep -rh '^Subject: ' "$2" | cut -c 10-; } 2>>"$T/list.err" | sort -u
}
# kill_at CALL N: 1 if the import has fewer such calls.
kill_at() {
	kill_box=$1-$2@contoso.com
	kill_from=$T/$1-$2
	cp -r "$T/three" "$kill_from"
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -qq -o "$T/strace.log" -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
		"$BUILDDIR/examples/mailstore/mailstore" import "$S" "$kill_box" "$kill_from" >"$T/out" 2>"$T/err"
	kill_status=$?
	[ "$kill_status" = 0 ] || [ "$kill_status" = 137 ] || kill_wrong="$kill_wrong; $1 $2: status $kill_status"
	[ "$(subjects "$kill_box" "$kill_from")" = "$kill_subjects" ] || kill_wrong="$kill_wrong; $1 $2: lost"
	case "$(state "$kill_box" 2>/dev/null) $(find "$kill_from" -type f | wc -l)" in
	"encrypted true 0" | "unencrypted false "* | " "*) ;;
	*) kill_wrong="$kill_wrong; $1 $2: $(state "$kill_box") with $(find "$kill_from" -type f | wc -l) in clear" ;;
	esac
	if [ -e "$S/$kill_box/importing" ] || [ -e "$kill_from/cur" ]; then # it was not at its end
		mail import "$kill_box" "$kill_from" >"$T/out" 2>&1 || kill_wrong="$kill_wrong; $1 $2 again: $(cat "$T/out")"
	fi
	[ "$(state "$kill_box") $(mail list "$kill_box" | wc -l) $(find "$kill_from" -type f | wc -l)" = "encrypted true 3 0" ] ||
		kill_wrong="$kill_wrong; $1 $2 again: not whole"
	[ "$(cd "$S/$kill_box" && echo * tmp/*)" = "cur new tmp tmp/*" ] || kill_wrong="$kill_wrong; $1 $2: something is left over"
	[ "$kill_status" = 137 ]
}
make_maildir "$T/three" 3
kill_subjects=$(grep -rh '^Subject: ' "$T/three" | cut -c 10- | sort)
kill_wrong='' kill_points=0
# Of a sample; all of them, and where there are no more, for who sets CRASH_STRIDE.
kill_sample="fsync=4 renameat2=2 unlink=2 rmdir=2 sendto=4 unlink=4"
kill_all() {
	for call in mkdir fsync rename renameat2 unlink rmdir openat write sendto recvfrom; do
		kill_next=1
		while kill_at $call $kill_next; do
			kill_points=$((kill_points + 1))
			kill_next=$((kill_next + CRASH_STRIDE))
		done
	done
}
if [ -n "${CRASH_STRIDE:-}" ]; then
	kill_all
	kill_sample=''
fi
for point in $kill_sample; do
	kill_at "${point%=*}" "${point#*=}" || kill_wrong="$kill_wrong; $point: not reached"
	kill_points=$((kill_points + 1))
done
tap_is "killed anywhere, an import loses nothing and hides nothing" "" "$kill_wrong"
diag "killed at $kill_points calls"

# ---- tokens die ----
token_die west
forget
tap_ok "one token dead: it is read" read_one
token_die east
forget
tap_ok "two tokens dead: it is read by the availability key" read_one
tap_ok "and mail is delivered" test -n "$(letter dark | mail deliver $ANNA)"
tap_like "which the audit has" "Fallback to Availability Key; *" \
	"$(jq -r 'select(.operation == "generation.fallback") | .detail' "$T/log/dep-audit.jsonl" | tail -n 1)"

# ---- purged ----
purge_world
denied
dc mailbox policy purge request Europe --reason "we leave" --contact vera@contoso.com --exiting-service >"$T/out" 2>&1 ||
	tap_fail "the purge is requested: $(cat "$T/out")"
refused "a purge was requested: nothing is read" 4 "[PolicyPurging]" mail read $ANNA "$name"
granted
refused "nor is by keys that are given back" 4 "[PolicyPurging]" mail list $ANNA
refused "nor delivered" 4 "[PolicyPurging]" mail deliver $ANNA

# ---- another organization with the same mailbox, and the same custody ----
dep_stop
config_set depd organization fabrikam
config_set depd catalog "$T/other.db"
config_set depd audit "$T/log/other-audit.jsonl"
dep_start || bail "the other depd does not start"
wait_for organization_ready || bail "the other organization is not set up"
printf '{"id":"%s"}\n{"id":"bert@contoso.com"}\n' $ANNA | dc mailbox register >"$T/out" 2>&1 || bail "not registered: $(cat "$T/out")"
tap_is "it has mail of its own" "a letter" "$(mail read bert@contoso.com "$(letter own | mail deliver bert@contoso.com)" | tail -n 1)"
refused "and opens none of the first one's" 3 "[BadCiphertext]" mail read $ANNA "$name"
tap_done
