#!/bin/sh
# What bash offers when custodyctl or depctl is typed: words, options and values of the command table, and files.
. "$SRCDIR/tests/support/lib.sh"
mkdir "$T/files"
: >"$T/files/in put"
: >"$T/files/other"
cat >"$T/complete.bash" <<'EOF'
. "$1"
shift
cd "$1" || exit 1
shift
program=$1
shift
complete -p "$program" >/dev/null || exit 1
COMP_WORDS=("$program" "$@")
COMP_CWORD=$#
"_$program"
IFS=,
echo "${COMPREPLY[*]}"
EOF

# offers EXPECTED WORD...: the last word is the one being typed.
offers() {
	offers_expected=$1
	shift
	tap_is "$program $*" "$offers_expected" \
		"$(bash "$T/complete.bash" "$BUILDDIR/src/ctl/$program.bash" "$T/files" "$program" "$@" 2>&1)"
}
program=custodyctl

offers "keyvault,key,dual,seal,open,token,status,doctor,catalog,clock,help" ""
offers "keyvault,key" k
offers "wrap,unwrap,rewrap,generate,check" dual ""
offers "set-attributes" key se
offers "key" keyvault k
offers "create" keyvault key cr
offers "sign" help key si
offers "--kty" key create --k
offers "--kty" keyvault key create --k
offers "RSA,RSA-HSM,EC,EC-HSM,oct,oct-HSM" key create --kty ""
offers "verify" key create --ops sign ve
offers "json,table,tsv,none" key show -o ""
offers "RS256" key sign -n k -a RS2
offers "wrapKey" keyvault set-policy --key-permissions get wr
offers "all" keyvault set-policy -n v --key-permissions al
offers "true,false" key set-attributes --enabled ""
offers "in put" seal in
offers "in put,other" seal -o ""
offers "other" token login --pin-file o
offers "in put" open --out x in
offers "" key create --kty RSA ""
offers "" key show --name ""
offers "" frob frob ""

program=depctl
offers "m365,mailbox,mailuser,geo,site,scope,datakey,seal,open,approver,organization,purge,blind-fallback,status,clock,flush,help" ""
offers "policy,register,moved,set,show,list" mailbox ""
offers "create,list,show,set,refresh,validate,purge,recover" mailbox policy ""
offers "refresh" m365 policy ref
offers "refresh" help m365 policy ref
offers "--description" m365 policy create --d
offers "--policy" mailbox set --p
offers "primary,secondary" geo update NAM --key-type ""
offers "mailbox,workload,cloudpc,site" seal --kind ""
offers "in put" seal in

# every command offers exactly the options that its help has
for command in "key create" "keyvault create" seal "dual generate" status; do
	# shellcheck disable=SC2086 # two words
	tap_is "all options of $command" \
		"$("$CUSTODYCTL" $command --help | awk '$1 ~ /^--/ { print $1 } $1 ~ /^-.,$/ { print $2 }' | sort -u | tr '\n' ' ')" \
		"$(bash "$T/complete.bash" "$BUILDDIR/src/ctl/custodyctl.bash" "$T/files" custodyctl $command -- | tr ',' '\n' | sort -u | tr '\n' ' ')"
done
tap_done
