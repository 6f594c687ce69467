/* Vector files under vectors/ for tests: JSON in the shape of Wycheproof's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "json/json.h"

struct vectors {
	const char *file;
	struct json_value *document;
	struct arena *arena; /* holds what the functions below return */
	size_t run;
	size_t skipped;
};

/* Called for each test of each group. */
typedef void vectors_case(
	struct vectors *vectors, const struct json_value *group, const struct json_value *test);

/*
 * Runs `check` over `file` (path below vectors/), prints how many cases ran. Members are looked up in the
 * test. Fails if the file's numberOfTests were not all seen.
 */
void vectors_run(const char *file, vectors_case *check);

/* Says that a case is not of our concern (an iv length we do not have, say). */
void vectors_skip(struct vectors *vectors);

/* The named member, which must be there: octets of a hex text (odd lengths have a 0 in front). */
struct bytes vectors_hex(
	struct vectors *vectors, const struct json_value *object, const char *name);
const char *vectors_text(const struct json_value *object, const char *name);
int64_t vectors_int(const struct json_value *object, const char *name);
/* 'v'alid, 'i'nvalid or 'a'cceptable. */
char vectors_result(const struct json_value *test);

/* Fails the test naming file and case. */
void vectors_fail(struct vectors *vectors, const struct json_value *test, const char *what);
