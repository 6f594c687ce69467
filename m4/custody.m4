# Features and compiler flags of Custody. The user's CFLAGS stay his; ours go to AM_CFLAGS.

AC_DEFUN([CUSTODY_FEATURES], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [compiler warnings are errors, as in ./quickstart check])],
	[], [enable_werror=no])
AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers=LIST],
	[build with -fsanitize=LIST, for example address,undefined or thread])], [], [enable_sanitizers=no])
AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for line coverage (make coverage)])],
	[], [enable_coverage=no])
AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing],
	[link the fuzz targets with libFuzzer (needs clang); otherwise they replay their corpus])], [], [enable_fuzzing=no])
AC_ARG_WITH([systemdsystemunitdir], [AS_HELP_STRING([--with-systemdsystemunitdir=DIR], [directory of the systemd units @<:@PREFIX/lib/systemd/system@:>@])],
	[], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
AC_ARG_WITH([bashcompletiondir], [AS_HELP_STRING([--with-bashcompletiondir=DIR], [directory of bash completions @<:@DATADIR/bash-completion/completions@:>@])],
	[], [with_bashcompletiondir='${datadir}/bash-completion/completions'])
AC_SUBST([bashcompletiondir], [$with_bashcompletiondir])
AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
AC_SUBST([SANITIZERS], [$enable_sanitizers])
AM_CONDITIONAL([SANITIZED], [test "$enable_sanitizers" != no])
])

# CUSTODY_FLAG(variable, flag): appends the flag if the compiler takes it without a warning. A flag with commas must be quoted.
AC_DEFUN([CUSTODY_FLAG], [
AS_VAR_PUSHDEF([cache], [custody_cv_flag_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cache], [
	custody_save_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	CFLAGS=$custody_save_cflags
])
AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([cache])
])

AC_DEFUN([CUSTODY_COMPILER_FLAGS], [
CUSTODY_CFLAGS="-std=gnu11"
CUSTODY_LDFLAGS=
m4_foreach_w([flag], [-Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition -Wcast-qual -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wswitch-enum
	-Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Wduplicated-cond -Wduplicated-branches
	-Wlogical-op -Wjump-misses-init -Wno-string-conversion -fno-common -fstack-protector-strong -fstack-clash-protection
	-fcf-protection -ftrivial-auto-var-init=zero], [CUSTODY_FLAG([CUSTODY_CFLAGS], m4_defn([flag]))])
m4_foreach_w([flag], [-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed], [CUSTODY_FLAG([CUSTODY_LDFLAGS], m4_defn([flag]))])
AS_IF([test "$enable_sanitizers" != no], [
	CUSTODY_CFLAGS="$CUSTODY_CFLAGS -fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
	CUSTODY_LDFLAGS="$CUSTODY_LDFLAGS -fsanitize=$enable_sanitizers"
], [
	CUSTODY_CFLAGS="$CUSTODY_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
	CUSTODY_LDFLAGS="$CUSTODY_LDFLAGS -Wl,--no-undefined"
])
AS_IF([test "$enable_coverage" = yes], [
	CUSTODY_CFLAGS="$CUSTODY_CFLAGS --coverage -fprofile-update=atomic"
	CUSTODY_LDFLAGS="$CUSTODY_LDFLAGS --coverage"
])
AS_IF([test "$enable_fuzzing" = yes], [CUSTODY_CFLAGS="$CUSTODY_CFLAGS -fsanitize=fuzzer-no-link"])
AS_IF([test "$enable_werror" = yes], [CUSTODY_CFLAGS="$CUSTODY_CFLAGS -Werror"])
AC_SUBST([CUSTODY_CFLAGS])
AC_SUBST([CUSTODY_LDFLAGS])
])

AC_DEFUN([CUSTODY_SUMMARY], [
AC_MSG_NOTICE([
    $PACKAGE_NAME $PACKAGE_VERSION
    prefix          $prefix
    compiler        $CC $CFLAGS
    warnings fatal  $enable_werror
    sanitizers      $enable_sanitizers
    coverage        $enable_coverage
    fuzzing         $enable_fuzzing])
])
