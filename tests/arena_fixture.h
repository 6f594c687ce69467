/* For tests of decoders: *state is an arena; a table says which of its rows failed. After cmocka.h. */
#pragma once

#include "base/arena.h"

static inline int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static inline int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* Fails the test with the row's body. */
#define ASSERT_ROW(condition, body)                                                                \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s: %s", #condition, (body));                                    \
	} while (0)
