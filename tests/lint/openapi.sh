#!/bin/sh
# doc/openapi.json against the table of routes: each route, its permission, dialect and name, and nothing else; all references lead somewhere.
. "$SRCDIR/tests/support/lib.sh"
cd "$SRCDIR" || bail "no $SRCDIR"

# routes TABLE: "POST /keys/{name}/{version}/sign dialect sign key.sign", a line each.
routes() {
	sed -n 's/^PERMISSION(\([A-Z_]*\), "\([^"]*\)".*/\1 \2/p' src/custodyd/perm.tbl >"$T/words"
	sed -n 's/^ROUTE(\([A-Z]*\), "\([^"]*\)", \([a-z]*\), \([A-Z_]*\), .*, "\([^"]*\)")$/\1 \2 \3 \4 \5/p' "$1" | tr -d '?' |
		awk -v words="$T/words" '
			BEGIN { while ((getline line < words) > 0) { split(line, w, " "); may["PERMISSION_" w[1]] = "permission " w[2] }
				may["ROUTE_ANYBODY"] = "anybody"; may["ROUTE_ADMINISTRATOR"] = "administrator" }
			{ print $1, $2, $3 == "true" ? "dialect" : "own", may[$4], $5 }' | sort
}

described() {
	jq -r '.paths | to_entries[] | .key as $path | .value | to_entries[] | .value as $op | [(.key | ascii_upcase), $path,
		(if any($op.parameters[]; ."$ref" == "#/components/parameters/apiVersion") and $op.security != null then "dialect" else "own" end),
		$op["x-custody-may"], $op.operationId] | join(" ")' "$1" | sort
}

routes src/custodyd/route.tbl >"$T/table"
described doc/openapi.json >"$T/document"
tap_is "all rows were read" "$(grep -c '^ROUTE(' src/custodyd/route.tbl)" "$(wc -l <"$T/table")"
tap_is "the document has the routes of the table" "" "$(diff "$T/table" "$T/document")"
# shellcheck disable=SC2016 # of jq
tap_is "every reference leads somewhere" "" "$(jq -r '. as $all | [.. | objects | select(has("$ref")) | ."$ref"] | unique[] |
	select((ltrimstr("#/") | split("/")) as $path | $all | getpath($path) == null)' doc/openapi.json)"
# shellcheck disable=SC2016
tap_is "every schema is used" "" "$(jq -r '[.. | objects | ."$ref"? // empty | split("/")[-1]] as $used | .components.schemas | keys - $used | .[]' doc/openapi.json)"
# shellcheck disable=SC2016
tap_is "every part of a path is a parameter" "" "$(jq -r '.paths | to_entries[] | .key as $path | .value[] |
	select([.parameters[] | select(.in == "path") | "{" + .name + "}"] != [$path | scan("\\{[a-z]+\\}")]) | .operationId' doc/openapi.json)"
tap_is "every answer of an operation is described" "" "$(jq -r '.paths[][] | select(.responses.default == null or .summary == null) | .operationId' doc/openapi.json)"

sed 's/PERMISSION_SIGN/PERMISSION_GET/; s|"/rng"|"/random"|' src/custodyd/route.tbl >"$T/route.tbl"
routes "$T/route.tbl" >"$T/table"
tap_is "what differs is found" 4 "$(diff "$T/table" "$T/document" | grep -c '^[<>]')"
tap_done
