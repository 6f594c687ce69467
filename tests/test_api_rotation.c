/* Rotation policies: what is taken, what is refused, what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/rotation.h"
#include "arena_fixture.h"

#define NOW 1772323200 /* 2026-03-01: February is not in the way */

#define ROTATE(trigger)  "{\"trigger\":{" trigger "},\"action\":{\"type\":\"Rotate\"}}"
#define NOTIFY(trigger)  "{\"trigger\":{" trigger "},\"action\":{\"type\":\"notify\"}}"
#define AFTER(period)    "\"timeAfterCreate\":\"" period "\""
#define BEFORE(period)   "\"timeBeforeExpiry\":\"" period "\""
#define ACTIONS(actions) "\"lifetimeActions\":[" actions "]"
#define EXPIRY(period)   "\"attributes\":{\"expiryTime\":\"" period "\"}"

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
policies_are_decoded(void **state)
{
	static const struct {
		const char *body;
		struct api_rotation rotation;
	} rows[] = {
		{"{}",						      {0}                      },
		{"{" ACTIONS("") ",\"attributes\":{}}",                     {0}                      },
		{"{" ACTIONS(ROTATE(AFTER("P30D"))) ",\"attributes\":{}}",
                 {.rotate_after = "P30D"}							    },
		{"{" ACTIONS(ROTATE(AFTER("P7D"))) "," EXPIRY("P28D") "}",
                 {.rotate_after = "P7D", .expiry = "P28D"}                                           },
		{"{" ACTIONS(ROTATE(BEFORE("P30D"))) "," EXPIRY("P2Y") "}",
                 {.rotate_before = "P30D", .expiry = "P2Y"}                                          },
		{"{" ACTIONS(NOTIFY(BEFORE("P30D"))) "}",                   {.notify_before = "P30D"}},
		{"{" ACTIONS(ROTATE(AFTER("P3M")) "," NOTIFY(BEFORE("PT168H"))) "," EXPIRY(
			 "P1Y10D") "}",
                 {.rotate_after = "P3M", .notify_before = "PT168H", .expiry = "P1Y10D"}              },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_rotation rotation;
		struct err err;
		ASSERT_ROW(api_rotation_decode(
				   bytes_of_text(rows[i].body), NOW, *state, &rotation, &err),
			rows[i].body);
		ASSERT_ROW(same(rotation.expiry, rows[i].rotation.expiry), rows[i].body);
		ASSERT_ROW(
			same(rotation.rotate_after, rows[i].rotation.rotate_after), rows[i].body);
		ASSERT_ROW(
			same(rotation.rotate_before, rows[i].rotation.rotate_before), rows[i].body);
		ASSERT_ROW(
			same(rotation.notify_before, rows[i].rotation.notify_before), rows[i].body);
	}
}

static void
what_breaks_a_rule_is_refused(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		{"{" EXPIRY("P27D") "}",									     "28 days"                    },
		{"{" EXPIRY("90 days") "}",									  "no period"                  },
		{"{" EXPIRY("") "}",										 "no period"                  },
		{"{" ACTIONS(ROTATE(AFTER("P6D"))) "}",							      "7 days"                     },
		{"{" ACTIONS(ROTATE("")) "}",									"either"                     },
		{"{" ACTIONS(ROTATE(AFTER("P30D") "," BEFORE("P30D"))) "," EXPIRY("P90D") "}",
                 "either"															 },
		{"{" ACTIONS(ROTATE(BEFORE("P30D"))) "}",							    "needs attributes.expiryTime"},
		{"{" ACTIONS(ROTATE(BEFORE("P90D"))) "," EXPIRY("P90D") "}",                                         "not shorter"                },
		{"{" ACTIONS(ROTATE(AFTER("P30D")) "," ROTATE(AFTER("P40D"))) "}",                                   "twice"                      },
		{"{" ACTIONS(NOTIFY(BEFORE("P30D")) "," NOTIFY(BEFORE("P40D"))) "}",                                 "twice"                      },
		{"{" ACTIONS(NOTIFY(AFTER("P30D"))) "}",							     "Notify has"                 },
		{"{" ACTIONS(
			 "{\"trigger\":{" AFTER("P30D") "},\"action\":{\"type\":\"Delete\"}}") "}",
                 "neither"															},
		{"{" ACTIONS("{\"trigger\":{" AFTER("P30D") "},\"action\":{}}") "}",                                 "type"                       },
		{"{" ACTIONS("{\"trigger\":{" AFTER("P30D") "}}") "}",                                               "action"                     },
		{"{" ACTIONS(ROTATE(AFTER("P30D")) "," NOTIFY(BEFORE("P30D")) "," NOTIFY(
			 BEFORE("P30D"))) "}",
                 "lifetimeActions"														},
		{"[]",											       ""			   },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_rotation rotation;
		struct err err = {0};
		ASSERT_ROW(!api_rotation_decode(
				   bytes_of_text(rows[i].body), NOW, *state, &rotation, &err),
			rows[i].body);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		if (strstr(err.message, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].body, err.message);
	}
}

static void
policies_are_shown(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	const struct api_rotation whole = {
		.rotate_before = "P30D", .notify_before = "P7D", .expiry = "P90D"};
	api_rotation_format("https://v/keys/k/rotationpolicy", &whole, 5, 6, &out);
	assert_string_equal(buf_peek(&out),
		"{\"id\":\"https://v/keys/k/rotationpolicy\"," ACTIONS("{\"trigger\":{" BEFORE(
			"P30D") "},\"action\":{\"type\":\"Rotate\"}},"
				"{\"trigger\":{" BEFORE("P7D") "},\"action\":{\"type\":\"Notify\"}"
							       "}") ",\"attributes\":{"
								    "\"expiryTime\":\"P90D\","
								    "\"created\":5,\"updated\":6}"
								    "}");

	buf_reset(&out);
	api_rotation_format("i", &(struct api_rotation){0}, -1, -1, &out);
	assert_string_equal(buf_peek(&out),
		"{\"id\":\"i\"," ACTIONS("{\"trigger\":{" BEFORE(
			"P30D") "},\"action\":{\"type\":\"Notify\"}}") ",\"attributes\":{}}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(policies_are_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(what_breaks_a_rule_is_refused, setup, teardown),
		cmocka_unit_test(policies_are_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
