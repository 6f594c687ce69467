#include "http/router.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Rows as a daemon has them: the struct route is only a part. */
struct row {
	int number;
	struct route route;
	const char *name;
};

static const struct row rows[] = {
	{0,  {HTTP_GET, "/"},				"root"          },
	{1,  {HTTP_GET, "/keys"},                            "list"          },
	{2,  {HTTP_GET, "/keys/{name}/{version?}"},          "get"           },
	{3,  {HTTP_PATCH, "/keys/{name}/{version?}"},        "update"        },
	{4,  {HTTP_PUT, "/keys/{name}"},                     "import"        },
	{5,  {HTTP_DELETE, "/keys/{name}"},                  "delete"        },
	{6,  {HTTP_POST, "/keys/{name}/create"},             "create"        },
	{7,  {HTTP_POST, "/keys/restore"},                   "restore"       },
	{8,  {HTTP_GET, "/keys/{name}/versions"},            "versions"      },
	{9,  {HTTP_GET, "/keys/{name}/rotationpolicy"},      "policy"        },
	{10, {HTTP_PUT, "/keys/{name}/rotationpolicy"},      "set policy"    },
	{11, {HTTP_POST, "/keys/{name}/{version?}/wrapkey"}, "wrap"          },
	{12, {HTTP_POST, "/keys/{name}/{version?}/release"}, "release"       },
	{13, {HTTP_POST, "/keys/{name}/release"},            "release newest"},
	{14, {HTTP_DELETE, "/deletedkeys/{name}"},           "purge"         },
};

/* Splits "/a//b/" as the server does. */
static size_t
split(char *path, const char **segments)
{
	size_t count = 0;
	while (path != NULL) {
		*path++ = '\0';
		segments[count++] = path;
		path = strchr(path, '/');
	}
	return count;
}

static enum router_result
match(const struct router *router, enum http_method method, const char *path,
	struct router_match *ret_match)
{
	static char text[256];
	static const char *segments[HTTP_SEGMENTS_MAX];
	(void)snprintf(text, sizeof(text), "%s", path);
	size_t count = split(text, segments);
	return router_match_path(router, method, segments, count, ret_match);
}

static int
setup(void **state)
{
	*state = router_new(&rows[0].route, ARRAY_LEN(rows), sizeof(rows[0]));
	return 0;
}

static int
teardown(void **state)
{
	router_free(*state);
	return 0;
}

static void
router_finds_the_row_and_its_captures(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		const char *name;
		const char *captures; /* each followed by ';' */
	} cases[] = {
		{HTTP_GET,    "/",                       "root",           ""          },
		{HTTP_GET,    "/keys",                   "list",           ""          },
		{HTTP_GET,    "/keys/",                  "list",           ""          },
		{HTTP_GET,    "/KEYS",                   "list",           ""          },
		{HTTP_GET,    "/keys/k",                 "get",            "k;;"       },
		{HTTP_GET,    "/keys/k/",                "get",            "k;;"       },
		{HTTP_GET,    "/keys/k/v",               "get",            "k;v;"      },
		{HTTP_GET,    "/keys/k/v/",              "get",            "k;v;"      },
		{HTTP_GET,    "/keys/Foo",               "get",            "Foo;;"     },
		{HTTP_PATCH,  "/keys/k/",                "update",         "k;;"       },
		{HTTP_PUT,    "/keys/k",                 "import",         "k;"        },
		{HTTP_PUT,    "/keys/k/",                "import",         "k;"        },
		{HTTP_DELETE, "/keys/k",                 "delete",         "k;"        },
		{HTTP_DELETE, "/keys/k/",                "delete",         "k;"        },
		{HTTP_POST,   "/keys/restore",           "restore",        ""          },
		{HTTP_PUT,    "/keys/restore",           "import",         "restore;"  },
		{HTTP_GET,    "/keys/restore",           "get",            "restore;;" },
		{HTTP_POST,   "/keys/restore/create",    "create",         "restore;"  },
		{HTTP_GET,    "/keys/k/versions",        "versions",       "k;"        },
		{HTTP_GET,    "/keys/k/Versions/",       "versions",       "k;"        },
		{HTTP_GET,    "/keys/versions",          "get",            "versions;;"},
		{HTTP_GET,    "/keys/k/rotationpolicy",  "policy",         "k;"        },
		{HTTP_PUT,    "/keys/k/rotationPolicy",  "set policy",     "k;"        },
		{HTTP_POST,   "/keys/k/v/wrapkey",       "wrap",           "k;v;"      },
		{HTTP_POST,   "/keys/k//wrapkey",        "wrap",           "k;;"       },
		{HTTP_POST,   "/keys/k/v/WrapKey",       "wrap",           "k;v;"      },
		{HTTP_POST,   "/keys/k/wrapkey/wrapkey", "wrap",           "k;wrapkey;"},
		{HTTP_POST,   "/keys/k/v/release",       "release",        "k;v;"      },
		{HTTP_POST,   "/keys/k/release",         "release newest", "k;"        },
		{HTTP_DELETE, "/deletedkeys/k",          "purge",          "k;"        },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_match found;
		char captures[64] = "";
		size_t len = 0;

		enum router_result result = match(*state, cases[i].method, cases[i].path, &found);

		for (size_t k = 0; result == ROUTER_FOUND && k < found.capture_count; k++)
			len += (size_t)snprintf(
				captures + len, sizeof(captures) - len, "%s;", found.captures[k]);
		if (result != ROUTER_FOUND || strcmp(rows[found.row].name, cases[i].name) != 0 ||
			strcmp(captures, cases[i].captures) != 0)
			fail_msg("%s %s: result %d, %s", http_method_name(cases[i].method),
				cases[i].path, (int)result, captures);
	}
}

static void
router_knows_no_such_path(void **state)
{
	static const char *const paths[] = {
		"/nothing",
		"/key",
		"/keysx",
		"//keys",
		"/keys//",
		"/keys///",
		"/keys//create",
		"/keys/k/v/unwrap",
		"/keys/k///wrapkey",
		"/keys/k/v/wrapkey/x",
		"/keys/k/v/wrapkey//",
		"/deletedkeys",
		"/deletedkeys//",
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct router_match found;
		if (match(*state, HTTP_GET, paths[i], &found) != ROUTER_NOT_FOUND ||
			match(*state, HTTP_OTHER, paths[i], &found) != ROUTER_NOT_FOUND)
			fail_msg("%s: found", paths[i]);
	}
}

static void
router_wrong_method_tells_the_right_ones(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		const char *allow;
	} cases[] = {
		{HTTP_POST,   "/keys",                "GET"                    },
		{HTTP_POST,   "/keys/k",              "GET, PATCH, PUT, DELETE"},
		{HTTP_HEAD,   "/keys/k",              "GET, PATCH, PUT, DELETE"},
		{HTTP_OTHER,  "/keys/k",              "GET, PATCH, PUT, DELETE"},
		{HTTP_DELETE, "/keys/restore/create", "GET, PATCH, POST"       },
		{HTTP_GET,    "/keys/k//wrapkey",     "POST"                   },
		{HTTP_POST,   "/keys/k/versions",     "GET, PATCH"             },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_match found;
		enum router_result result = match(*state, cases[i].method, cases[i].path, &found);
		if (result != ROUTER_METHOD_NOT_ALLOWED || strcmp(found.allow, cases[i].allow) != 0)
			fail_msg(
				"%s: result %d, allow %s", cases[i].path, (int)result, found.allow);
	}
}

/* Our bug must stop the process at its start. */
static void
router_refuses_a_table_whose_order_would_decide(void **state)
{
	(void)state;
	static const struct route clash[] = {
		{HTTP_GET, "/keys/{name}"  },
		{HTTP_GET, "/Keys/{other?}"},
	};
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO); /* assert() talks */
		router_free(router_new(clash, ARRAY_LEN(clash), sizeof(clash[0])));
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(router_finds_the_row_and_its_captures),
		TEST(router_knows_no_such_path),
		TEST(router_wrong_method_tells_the_right_ones),
		TEST(router_refuses_a_table_whose_order_would_decide),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
