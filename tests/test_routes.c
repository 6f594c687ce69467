/* The table of routes: complete rows, no two alike, and the paths of the dialect as its clients write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "custodyd/operations.h"
#include "http/router.h"
#include "jose/alg.h"

static void
rows_are_complete_and_audit_names_unique(void **state)
{
	(void)state;
	size_t count;
	const struct route_row *rows = routes_get(&count);
	assert_true(count > 30);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(rows[i].type);
		assert_true(rows[i].type->size >= sizeof(struct call));
		assert_true(rows[i].audit[0] != '\0');
		if (rows[i].route.method == HTTP_GET)
			assert_false(rows[i].mutates);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].audit, rows[k].audit);
	}
}

/* Everything that changes something, and every key operation, is guarded by a permission or is for administrators. */
static void
rows_open_to_anybody_are_these_alone(void **state)
{
	(void)state;
	static const char *const open[] = {"health", "vault.list", "vault.get", "dual.wrap",
		"dual.generate", "dual.unwrap", "dual.rewrap", "dual.check"};
	size_t count;
	const struct route_row *rows = routes_get(&count);
	for (size_t i = 0; i < count; i++) {
		bool listed = false;
		for (size_t k = 0; k < ARRAY_LEN(open); k++)
			listed = listed || strcmp(rows[i].audit, open[k]) == 0;
		if ((rows[i].permission == ROUTE_ANYBODY) != listed)
			fail_msg("%s", rows[i].audit);
		if (rows[i].dialect && rows[i].permission < 0)
			fail_msg("%s: a route of the dialect without a permission", rows[i].audit);
		if (listed && rows[i].mutates)
			fail_msg("%s", rows[i].audit);
	}
}

/* Each key operation asks for the permission of its own name. */
static void
key_operations_need_their_permission(void **state)
{
	(void)state;
	size_t count;
	const struct route_row *rows = routes_get(&count);
	size_t seen = 0;
	for (size_t i = 0; i < count; i++) {
		if (!rows[i].dialect || rows[i].alg_op == 0)
			continue;
		assert_string_equal(permission_word((enum permission)rows[i].permission),
			alg_op_word((enum alg_op)rows[i].alg_op));
		seen++;
	}
	assert_int_equal(seen, 6);
}

struct path_case {
	enum http_method method;
	const char *segments[5];
	const char *audit; /* NULL: 404 or 405 */
};

/* akv-contract §4, with the spellings of the SDK: empty version, trailing slash, words in any case. */
static const struct path_case path_cases[] = {
	{HTTP_POST,   {"keys", "k", "create"},              "key.create"            },
	{HTTP_POST,   {"KEYS", "restore", "create"},        "key.create"            },
	{HTTP_GET,    {"keys", "k", ""},                    "key.get"               },
	{HTTP_GET,    {"keys", "k"},                        "key.get"               },
	{HTTP_GET,    {"keys", "k", "versions"},            "key.versions"          },
	{HTTP_GET,    {"keys", "versions"},                 "key.get"               },
	{HTTP_PATCH,  {"keys", "k", ""},                    "key.update"            },
	{HTTP_POST,   {"keys", "k", "", "wrapkey"},         "key.wrap"              },
	{HTTP_POST,   {"keys", "k", "", "WrapKey"},         "key.wrap"              },
	{HTTP_POST,   {"keys", "k", "0123", "unwrapkey"},   "key.unwrap"            },
	{HTTP_POST,   {"keys", "k", "release"},             "key.release.newest"    },
	{HTTP_GET,    {"keys", "k", "attestation"},         "key.attestation.newest"},
	{HTTP_PUT,    {"keys", "k"},                        "key.import"            },

	{HTTP_DELETE, {"keys", "k"},                        "key.delete"            },
	{HTTP_GET,    {"deletedkeys"},                      "deletedkey.list"       },
	{HTTP_POST,   {"deletedkeys", "k", "recover"},      "key.recover"           },
	{HTTP_DELETE, {"deletedkeys", "k"},                 "key.purge"             },
	{HTTP_POST,   {"rng"},			      "random"                },
	{HTTP_GET,    {"rng"},			      NULL                    },
	{HTTP_POST,   {"dual", "unwrapkey"},                "dual.unwrap"           },
	{HTTP_GET,    {"vaults", "v", "keys", "k"},         "key.custody"           },
	{HTTP_GET,    {"vaults", "v", "keys", "k", ""},     "key.custody"           },
	{HTTP_GET,    {"vaults", "v", "keys", "k", "0123"}, "key.custody"           },
	{HTTP_PUT,    {"vaults", "v", "keys", "k"},         NULL                    },
	{HTTP_GET,    {"vaults", "v", "keys"},              NULL                    },
	{HTTP_PUT,    {"keys"},			     NULL                    },
	{HTTP_POST,   {"keys", "k", "v", "unwrapkey", "x"}, NULL                    },
	{HTTP_POST,   {"keys", "", "create"},               NULL                    },
};

static void
paths_find_their_rows(void **state)
{
	(void)state;
	size_t count;
	const struct route_row *rows = routes_get(&count);
	struct router *router = router_new(&rows->route, count, sizeof(*rows));
	for (size_t i = 0; i < ARRAY_LEN(path_cases); i++) {
		const struct path_case *one = &path_cases[i];
		size_t segments = 0;
		while (segments < ARRAY_LEN(one->segments) && one->segments[segments] != NULL)
			segments++;
		struct router_match match;
		enum router_result result =
			router_match_path(router, one->method, one->segments, segments, &match);
		if ((result == ROUTER_FOUND) != (one->audit != NULL))
			fail_msg("case %zu: %s", i,
				one->audit != NULL ? one->audit : "should not be found");
		if (one->audit != NULL)
			assert_string_equal(rows[match.row].audit, one->audit);
	}
	router_free(router);
}

/* The segments of a template, its captures as they are: a capture takes any word. */
static size_t
split_template(char *template, const char **segments)
{
	size_t count = 0;
	char *rest = NULL;
	for (char *word = strtok_r(template, "/", &rest); word != NULL;
		word = strtok_r(NULL, "/", &rest))
		segments[count++] = word;
	return count;
}

/* Also HEAD: what a path does not have is 405, and Allow names the row's method. */
static void
other_methods_are_told_the_right_ones(void **state)
{
	(void)state;
	static const enum http_method methods[] = {
		HTTP_OTHER, HTTP_HEAD, HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE};
	size_t count;
	const struct route_row *rows = routes_get(&count);
	struct router *router = router_new(&rows->route, count, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		char template[128];
		const char *segments[16];
		(void)snprintf(template, sizeof(template), "%s", rows[i].route.template);
		size_t segment_count = split_template(template, segments);
		for (size_t k = 0; k < ARRAY_LEN(methods); k++) {
			struct router_match match;
			enum router_result result = router_match_path(
				router, methods[k], segments, segment_count, &match);
			assert_int_not_equal(result, ROUTER_NOT_FOUND);
			if (result == ROUTER_FOUND) {
				assert_int_not_equal(methods[k], HTTP_OTHER);
				assert_int_not_equal(methods[k], HTTP_HEAD);
				continue;
			}
			assert_int_not_equal(methods[k], rows[i].route.method);
			assert_non_null(
				strstr(match.allow, http_method_name(rows[i].route.method)));
		}
	}
	router_free(router);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete_and_audit_names_unique),
		cmocka_unit_test(rows_open_to_anybody_are_these_alone),
		cmocka_unit_test(key_operations_need_their_permission),
		cmocka_unit_test(paths_find_their_rows),
		cmocka_unit_test(other_methods_are_told_the_right_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
