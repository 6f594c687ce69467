#!/bin/sh
# The tours of README.md: every command of it, in order, says what the page shows.
. "$SRCDIR/tests/support/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL CUSTODY_SOCKET
D=$T/up
# shellcheck disable=SC2317 # called by the trap
stop_all() {
	for log in "$D/log/custodyd.log" "$D/log/depd.log"; do
		[ "$tap_failed" -eq 0 ] || show_file "$log"
	done
	BUILD=$BUILDDIR "$SRCDIR/quickstart" down "$D"
	cleanup
}
trap stop_all EXIT

awk '/^## /{ on = /A tour/ } on && /^    /{ print substr($0, 5) }' "$SRCDIR/README.md" >"$T/page"
tap_ok "the page has a tour" test "$(grep -c '^\$ ' "$T/page")" -gt 40

# The page as a script: prints each command, then runs it, with our paths. Whoever kills a worker waits until that was noticed.
awk -v quickstart="BUILD='$BUILDDIR' '$SRCDIR/quickstart'" -v dir="$D" -v build="$BUILDDIR" '
	/^\$ / { command = ""; more = 1 }
	more {
		text = text $0 "\n"
		command = command (command == "" ? substr($0, 3) : $0) "\n"
		more = /\\$/
		if (more)
			next
		gsub(/\.\/quickstart/, quickstart, command)
		gsub(/\/tmp\/custody/, dir, command)
		gsub(/build\/examples/, build "/examples", command)
		printf "cat <<\"SAID\"\n%sSAID\n%s", text, command
		if (command ~ /kill -9/)
			print "wait_for lost"
		text = ""
	}' "$T/page" >"$T/script"

# shellcheck disable=SC2317 # called by the script
lost() {
	[ "$(custodyctl token show --name west | jq -r .state)" != ready ]
}
mkdir "$T/work"
# shellcheck disable=SC1091 # made above
(cd "$T/work" && . "$T/script") >"$T/said" 2>&1 </dev/null

# Ids, dates and numbers differ; so do the widths of columns.
plain() {
	sed -E -e "s|$D|/tmp/custody|g" -e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/GUID/g' -e 's/[0-9a-f]{32}/ID/g' -e 's/[0-9-]{10}T[0-9:]{8}/TIME/g' -e 's/[0-9]+/N/g' \
		-e 's/ +/ /g' -e 's/-+/-/g' -e 's/ $//' -e 's/token west is starting/token west is unavailable/' "$1"
}
plain "$T/page" >"$T/page.plain"
# Whether the daemon has tried to start the lost token twice when it is asked is a matter of time: if not, the tool waits and says so.
plain "$T/said" | grep -v '^custodyctl open: warning: .* Trying again in ' >"$T/said.plain"
tap_is "the tour says what the page shows" "" "$(diff "$T/page.plain" "$T/said.plain")"
tap_done
