/*
 * Functions that we never call, with what to call instead. Force-included in every compilation; the
 * system's own declarations come first, so that only a use of ours fails to compile.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(use) BANNED_##use

/* no bound */
#undef strcpy
#define strcpy(...) BANNED(use_arena_strdup_or_buf)
#undef strcat
#define strcat(...) BANNED(use_buf_text)
#undef stpcpy
#define stpcpy(...) BANNED(use_buf_text)
#undef sprintf
#define sprintf(...) BANNED(use_snprintf_or_buf_printf)
#undef vsprintf
#define vsprintf(...) BANNED(use_vsnprintf)
#undef gets
#define gets(...) BANNED(use_file_read)

/* no error, or one that nobody looks at */
#undef atoi
#define atoi(...) BANNED(use_a_strict_parser)
#undef atol
#define atol(...) BANNED(use_a_strict_parser)
#undef atoll
#define atoll(...) BANNED(use_a_strict_parser)
#undef strtol
#define strtol(...) BANNED(use_a_strict_parser)

/* hidden state */
#undef strtok
#define strtok(...) BANNED(use_strspn_and_strcspn)
#undef gmtime
#define gmtime(...) BANNED(use_clock_format)
#undef localtime
#define localtime(...) BANNED(use_clock_format)
#undef ctime
#define ctime(...) BANNED(use_clock_format)
#undef asctime
#define asctime(...) BANNED(use_clock_format)

/* a shell; names that others can guess; numbers that others can guess */
#undef system
#define system(...) BANNED(use_posix_spawn)
#undef popen
#define popen(...) BANNED(use_posix_spawn)
#undef tmpnam
#define tmpnam(...) BANNED(use_mkostemp)
#undef tempnam
#define tempnam(...) BANNED(use_mkostemp)
#undef mktemp
#define mktemp(...) BANNED(use_mkostemp)
#undef rand
#define rand(...) BANNED(use_the_generator_of_src_crypto)
#undef random
#define random(...) BANNED(use_the_generator_of_src_crypto)

/* a stack that a caller can size */
#undef alloca
#define alloca(...) BANNED(use_arena_alloc)
