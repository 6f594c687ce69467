# A full disk, by hand: tests that source this first run in a mount namespace of their own, where a directory can be a file
# system of 1 MiB.
#
#   . "$SRCDIR/tests/support/smallfs.sh"
#   . "$SRCDIR/tests/support/lib.sh"
#   smallfs_make "$T/small"
#   smallfs_fill "$T/small" 3      # three pages are left
#   smallfs_free "$T/small"
#
# shellcheck shell=sh

if [ -z "${SMALLFS:-}" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "1..0 # SKIP only root can mount"
		exit 0
	fi
	SMALLFS=yes
	export SMALLFS
	exec unshare --mount sh "$0" "$@"
fi

SMALLFS_PAGE=4096
smallfs_mounted=

# smallfs_make DIRECTORY [SIZE]
smallfs_make() {
	mkdir -p "$1"
	mount -t tmpfs -o "size=${2:-1m},mode=0700" smallfs "$1" || bail "no tmpfs at $1"
	smallfs_mounted="$smallfs_mounted $1"
}

# smallfs_fill DIRECTORY [PAGES]: leaves so many pages.
smallfs_fill() {
	cat /dev/zero >>"$1/fill" 2>/dev/null
	truncate -s "-$((${2:-0} * SMALLFS_PAGE))" "$1/fill"
}

smallfs_free() {
	rm -f "$1/fill"
}

# By cleanup() in lib.sh: nothing can be removed under a mount.
smallfs_drop() {
	for smallfs_directory in $smallfs_mounted; do
		umount -l "$smallfs_directory"
	done
}
