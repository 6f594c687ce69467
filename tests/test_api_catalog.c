#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/catalog.h"
#include "arena_fixture.h"

static void
accept_takes_a_reason(void **state)
{
	struct api_catalog_accept accept;
	struct err err;

	assert_true(api_catalog_accept_decode(
		bytes_of_text("{\"reason\":\"the disk is lost\"}"), *state, &accept, &err));

	assert_string_equal(accept.reason, "the disk is lost");
}

static void
accept_without_a_printable_reason_is_bad(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"reason\":null}",
		"{\"reason\":\"\"}",
		"{\"reason\":7}",
		"{\"reason\":\"a\\nb\"}",
		"{\"reason\":\"a\",\"yes\":true}",
	};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct api_catalog_accept accept = {"untouched"};
		struct err err;
		if (api_catalog_accept_decode(bytes_of_text(bodies[i]), *state, &accept, &err) ||
			err.code != ERR_BAD_PARAMETER)
			fail_msg("%s", bodies[i]);
	}
}

static void
accept_reason_has_a_longest(void **state)
{
	char body[API_REASON_MAX + 32] = "{\"reason\":\"";
	struct api_catalog_accept accept;
	struct err err;
	size_t start = strlen(body);
	memset(body + start, 'x', API_REASON_MAX);
	memcpy(body + start + API_REASON_MAX, "\"}", 3);
	assert_true(api_catalog_accept_decode(bytes_of_text(body), *state, &accept, &err));

	memcpy(body + start + API_REASON_MAX, "x\"}", 4);
	assert_false(api_catalog_accept_decode(bytes_of_text(body), *state, &accept, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accept_takes_a_reason),
		TEST(accept_without_a_printable_reason_is_bad),
		TEST(accept_reason_has_a_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
