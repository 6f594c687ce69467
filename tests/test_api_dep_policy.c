/* Bodies of policies and of the tenant's assignment: what is taken, what is refused, what is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/dep_leaving.h"
#include "api/dep_policy.h"
#include "arena_fixture.h"

struct refused {
	const char *body;
	enum err_code code;
	const char *says;
};

#define KEYS "\"keys\":[\"a\",\"b\"]"

static void
create_members_are_decoded(void **state)
{
	static const char body[] =
		"{\"kind\":\"mailbox\",\"name\":\"USA_mailboxes\",\"description\":"
		"\"Root key\",\"keys\":[\"https://a/keys/k\",\"https://b/keys/k\"]}";
	struct api_dep_create create;
	struct err err;

	assert_true(api_dep_create_decode(bytes_of_text(body), *state, &create, &err));

	assert_int_equal(create.kind, API_DEP_MAILBOX);
	assert_string_equal(create.name, "USA_mailboxes");
	assert_string_equal(create.description, "Root key");
	assert_string_equal(create.keys[0], "https://a/keys/k");
	assert_string_equal(create.keys[1], "https://b/keys/k");
}

static void
create_that_breaks_a_rule_is_refused(void **state)
{
	static const struct refused rows[] = {
		{"{\"name\":\"a\"," KEYS "}",						      ERR_BAD_PARAMETER,     "kind"       },
		{"{\"kind\":\"geo\",\"name\":\"a\"," KEYS "}",                                     ERR_BAD_PARAMETER,     "kind"       },
		{"{\"kind\":\"service\",\"name\":\"a\"," KEYS "}",                                 ERR_BAD_PARAMETER,     "kind"       },
		{"{\"kind\":\"m365\"," KEYS "}",						   ERR_BAD_PARAMETER,     "name"       },
		{"{\"kind\":\"m365\",\"name\":\"\"," KEYS "}",                                     ERR_BAD_PARAMETER,     "name"       },
		{"{\"kind\":\"m365\",\"name\":\"a b\"," KEYS "}",                                  ERR_BAD_PARAMETER,     "name"       },
		{"{\"kind\":\"m365\",\"name\":\"a/b\"," KEYS "}",                                  ERR_BAD_PARAMETER,     "name"       },
		{"{\"kind\":\"m365\",\"name\":\"..\"," KEYS "}",                                   ERR_BAD_PARAMETER,     "name"       },
		{"{\"kind\":\"m365\",\"name\":\"01234567-89ab-4cde-8f01-23456789abcd\"," KEYS "}",
                 ERR_BAD_PARAMETER,										       "name"       },
		{"{\"kind\":\"m365\",\"name\":\"a\"}",                                             ERR_BAD_PARAMETER,     "keys"       },
		{"{\"kind\":\"m365\",\"name\":\"a\",\"keys\":[]}",                                 ERR_TWO_KEYS_REQUIRED, "0 were"     },
		{"{\"kind\":\"m365\",\"name\":\"a\",\"keys\":[\"k\"]}",                            ERR_TWO_KEYS_REQUIRED,
                 "1 was"													       },
		{"{\"kind\":\"m365\",\"name\":\"a\",\"keys\":[\"k\",\"l\",\"m\"]}",
                 ERR_TWO_KEYS_REQUIRED,										   "3 were"     },
		{"{\"kind\":\"m365\",\"name\":\"a\",\"purge\":1," KEYS "}",                        ERR_BAD_PARAMETER,
                 "member"													      },
		{"{\"kind\":\"m365\",\"name\":\"a\",\"description\":\"a\\nb\"," KEYS "}",
                 ERR_BAD_PARAMETER,										       "description"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_dep_create create;
		struct err err = {0};
		if (api_dep_create_decode(bytes_of_text(rows[i].body), *state, &create, &err))
			fail_msg("taken: %s", rows[i].body);
		if (err.code != rows[i].code || strstr(err.message, rows[i].says) == NULL)
			fail_msg("%s: %s, %s", rows[i].body, err_name(err.code), err.message);
	}
}

static void
create_at_its_limits(void **state)
{
	char name[API_DEP_POLICY_NAME_MAX + 2], description[4 * (API_DEP_DESCRIPTION_MAX + 2)];
	struct api_dep_create create;
	for (size_t more = 0; more < 2; more++) {
		struct err err = {0};
		memset(name, 'n', sizeof(name));
		name[API_DEP_POLICY_NAME_MAX + more] = '\0';
		const char *body =
			arena_printf(*state, "{\"kind\":\"m365\",\"name\":\"%s\"," KEYS "}", name);
		assert_int_equal(api_dep_create_decode(bytes_of_text(body), *state, &create, &err),
			more == 0);
	}
	for (size_t more = 0; more < 2; more++) {
		struct err err = {0};
		description[0] = '\0';
		size_t len = 0;
		for (size_t i = 0; i < API_DEP_DESCRIPTION_MAX + more; i++, len += 2)
			memcpy(description + len, "\xc3\xa9", 3); /* é: two octets, one character */
		const char *body = arena_printf(*state,
			"{\"kind\":\"m365\",\"name\":\"a\",\"description\":\"%s\"," KEYS "}",
			description);
		assert_int_equal(api_dep_create_decode(bytes_of_text(body), *state, &create, &err),
			more == 0);
	}
}

static void
change_has_at_least_one_member(void **state)
{
	struct api_dep_change change;
	struct err err = {0};

	assert_true(
		api_dep_change_decode(bytes_of_text("{\"enabled\":false}"), *state, &change, &err));
	assert_true(change.has_enabled);
	assert_false(change.has_outage_fallback);
	assert_false(change.enabled);
	assert_null(change.description);
	assert_true(api_dep_change_decode(
		bytes_of_text("{\"description\":\"\"}"), *state, &change, &err));
	assert_string_equal(change.description, "");
	assert_false(change.has_enabled);
	assert_false(api_dep_change_decode(bytes_of_text("{}"), *state, &change, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_false(api_dep_change_decode(
		bytes_of_text("{\"name\":\"other\"}"), *state, &change, &err));
}

static void
assign_names_a_policy(void **state)
{
	const char *policy = NULL;
	struct err err = {0};

	assert_true(api_dep_assign_decode(
		bytes_of_text("{\"policy\":\"Contoso_Global\"}"), *state, &policy, &err));
	assert_string_equal(policy, "Contoso_Global");
	assert_false(
		api_dep_assign_decode(bytes_of_text("{\"policy\":null}"), *state, &policy, &err));
	assert_false(
		api_dep_assign_decode(bytes_of_text("{\"policy\":\"\"}"), *state, &policy, &err));
}

/* 100 only when nothing is left (threats G25). */
static void
percentage_is_rounded_down(void **state)
{
	(void)state;
	static const struct api_dep_workload workloads[] = {
		{"teams",    "p", "new data", 0,    0  },
		{"exchange", "p", "all data", 1000, 999},
	};
	const struct api_dep_assignment assignment = {
		.state = API_DEP_ROLLING_BACK,
		.rolling_back = "old",
		.incident = "1",
		.percent = 99,
		.policy = "id",
		.name = "n",
		.kind = API_DEP_SERVICE,
		.workloads = workloads,
		.workload_count = ARRAY_LEN(workloads),
	};
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);

	api_dep_assignment_format(&assignment, &out);

	assert_string_equal(buf_peek(&out),
		"{\"state\":\"RollingBack\",\"rollback\":{\"policy\":\"old\",\"incident\":\"1\","
		"\"percentage\":99},"
		"\"policy\":{\"id\":\"id\",\"kind\":\"service\",\"name\":\"n\"},\"assigned\":0,"
		"\"workloads\":["
		"{\"name\":\"teams\",\"policy\":\"p\",\"covers\":\"new data\","
		"\"scopes\":0,\"encrypted\":0,\"percentage\":100},"
		"{\"name\":\"exchange\",\"policy\":\"p\",\"covers\":\"all data\","
		"\"scopes\":1000,\"encrypted\":999,\"percentage\":99}]}");
}

static void
policy_is_written_with_its_generations(void **state)
{
	(void)state;
	static const struct api_dep_generation generation = {
		.id = "g",
		.number = 1,
		.keys = {"a/1", "b/1"},
		.availability_key = NULL,
		.created = 5,
		.redundancy = 2,
		.checked = 6,
		.scopes = 7,
	};
	const struct api_dep_policy policy = {
		.id = "p",
		.kind = API_DEP_M365,
		.name = "n",
		.description = "",
		.state = "enabled",
		.uris = {"a", "b"},
		.created = 3,
		.updated = 4,
		.outage_fallback_s = API_DEP_UNLIMITED,
		.generations = &generation,
		.generation_count = 1,
	};
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);

	api_dep_policy_list_format(&policy, 1, "n", &out);

	assert_string_equal(buf_peek(&out),
		"{\"value\":[{\"id\":\"p\",\"kind\":\"m365\",\"name\":\"n\",\"description\":\"\","
		"\"state\":"
		"\"enabled\",\"assigned\":false,\"keys\":[\"a\",\"b\"],\"created\":3,\"updated\":4,"
		"\"outageFallback\":null,\"outageSince\":null,"
		"\"generations\":[{\"id\":\"g\",\"number\":1,\"keys\":[\"a/1\",\"b/"
		"1\"],\"availabilityKey\":null,"
		"\"created\":5,\"redundancy\":2,\"availabilityKeyOpens\":null,\"checked\":6,"
		"\"scopes\":7}]}],\"next\":\"n\"}");
}

static void
rollback_ticket_is_whole(void **state)
{
	static const struct refused rows[] = {
		{"{\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\"}",                      ERR_BAD_PARAMETER,
                 "fqdn"												      },
		{"{\"fqdn\":\"contoso\",\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "fqdn"   },
		{"{\"fqdn\":\"-a.com\",\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "fqdn"   },
		{"{\"fqdn\":\"a..com\",\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "fqdn"   },
		{"{\"fqdn\":\"a.com.\",\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "fqdn"   },
		{"{\"fqdn\":\"a.com\",\"contact\":\"\",\"reason\":\"b\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "contact"},
		{"{\"fqdn\":\"a.com\",\"contact\":\"a\",\"reason\":\"\\n\",\"incident\":\"1\"}",
                 ERR_BAD_PARAMETER,										 "reason" },
		{"{\"fqdn\":\"a.com\",\"contact\":\"a\",\"reason\":\"b\"}",                      ERR_BAD_PARAMETER,
                 "incident"												  },
		{"{\"fqdn\":\"a.com\",\"contact\":\"a\",\"reason\":\"b\",\"incident\":\"1\",\"x\":"
		 "1}",							  ERR_BAD_PARAMETER, "member" },
	};
	static const char good[] = "{\"fqdn\":\"a-1.Contoso.com\",\"contact\":\"anna\",\"reason\":"
				   "\"leaving\",\"incident\":\"#4711\"}";
	struct api_dep_rollback rollback;
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err_clear(&err);
		if (api_dep_rollback_decode(bytes_of_text(rows[i].body), *state, &rollback, &err))
			fail_msg("taken: %s", rows[i].body);
		assert_int_equal(err.code, rows[i].code);
		if (strstr(err.message, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].body, err.message);
	}
	assert_true(api_dep_rollback_decode(bytes_of_text(good), *state, &rollback, &err));
	assert_string_equal(rollback.fqdn, "a-1.Contoso.com");
	assert_string_equal(rollback.contact, "anna");
	assert_string_equal(rollback.reason, "leaving");
	assert_string_equal(rollback.incident, "#4711");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_members_are_decoded),
		TEST(create_that_breaks_a_rule_is_refused),
		TEST(create_at_its_limits),
		TEST(change_has_at_least_one_member),
		TEST(assign_names_a_policy),
		TEST(rollback_ticket_is_whole),
		TEST(percentage_is_rounded_down),
		TEST(policy_is_written_with_its_generations),
	};
	return cmocka_run_group_tests_name("api_dep_policy", tests, NULL, NULL);
}
