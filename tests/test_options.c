#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "custodyd/options.h"

#define GUID   "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
#define DAEMON "[custodyd]\nadministrators = user:root\n"
#define TOKEN                                                                                      \
	"[token west]\nuri = pkcs11:token=West;serial=1\nmodule = "                                \
	"/usr/lib/softhsm/libsofthsm2.so\n"                                                        \
	"region = westus\n"
#define APPLICATION "[application " GUID "]\nname = Mail\nuser = root\n"

static char path[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof path, "%s", "/tmp/test-options.XXXXXX");
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct options *
load(const char *text, struct err *err)
{
	if (!file_write_atomic(path, text, strlen(text), 0600, err))
		fail_msg("%s", err->message);
	return options_load(path, err);
}

static struct options *
load_good(const char *text)
{
	struct err err;
	struct options *options = load(text, &err);
	if (options == NULL)
		fail_msg("%s", err.message);
	return options;
}

static void
defaults_are_those_of_the_table(void **state)
{
	(void)state;
	CLEAN(options)
	struct options *options = load_good(DAEMON TOKEN);

	assert_string_equal(options->daemon.catalog, "/var/lib/custody/custody.db");
	assert_string_equal(options->daemon.dns_suffix, "vault.azure.net");
	assert_int_equal(options->daemon.socket_mode, 0666);
	assert_int_equal(options->daemon.socket_gid, (gid_t)-1);
	assert_int_equal(options->daemon.log_level, LOG_LEVEL_INFO);
	assert_int_equal(options->daemon.body_size, 65536);
	assert_int_equal(options->daemon.clock_jump_limit, 86400000);
	assert_int_equal(options->token_count, 1);
	const struct options_token *token = options_find_token(options, "west");
	assert_non_null(token);
	assert_string_equal(token->uri, "pkcs11:token=West;serial=1");
	assert_string_equal(token->pin_source, "ask");
	assert_string_equal(token->env, "");
	assert_true(token->sessions >= 1);
	assert_int_equal(token->uid, geteuid());
	assert_null(options_find_token(options, "east"));
	assert_int_equal(options->application_count, 0);
}

static void
sections_are_read_and_resolved(void **state)
{
	(void)state;
	CLEAN(options)
	struct options *options = load_good(
		DAEMON "socket-mode = 0660\nsocket-group = root\nlog-level = debug\nbody-size = "
		       "32K\n" TOKEN
		       "one-thread = yes\nsessions = 4\npin-source = file:/etc/pin\nuser = root\n"
		       "[token east]\nuri = pkcs11:token=East\nmodule = /m.so\nregion = "
		       "eastus\nsessions = 3\n" APPLICATION);

	assert_int_equal(options->daemon.socket_mode, 0660);
	assert_int_equal(options->daemon.socket_gid, 0);
	assert_int_equal(options->daemon.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(options->daemon.body_size, 32768);
	assert_string_equal(options->tokens[0].name, "west");
	assert_int_equal(options->tokens[0].sessions, 1);
	assert_int_equal(options->tokens[0].uid, 0);
	assert_int_equal(options->tokens[1].sessions, 3);
	assert_string_equal(options->applications[0].guid, "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
	assert_string_equal(options->applications[0].name, "Mail");
	assert_int_equal(options->applications[0].user.number, 0);
}

/* threats F20, C7: each refused with its name, none crashes */
static void
wrong_is_refused_by_name_f20(void **state)
{
	(void)state;
	static const struct {
		const char *text, *named;
	} rows[] = {
		{"[custodyd]\n" TOKEN,							    "administrators"      },
		{TOKEN,									   "administrators"      },
		{DAEMON,									  "[token NAME]"        },
		{DAEMON TOKEN "[vault x]\na = b\n",                                               "vault"               },
		{DAEMON "typo = 1\n" TOKEN,						       "typo"                },
		{DAEMON "catalog = here.db\n" TOKEN,                                              "catalog"             },
		{DAEMON "connections = 4\n" TOKEN,                                                "connections"         },
		{DAEMON "connections-reserved = 1024\n" TOKEN,                                    "connections-reserved"},
		{DAEMON "body-size = 2M\n" TOKEN,                                                 "body-size"           },
		{DAEMON "idle-timeout = 1\n" TOKEN,                                               "idle-timeout"        },
		{DAEMON "socket-mode = 999\n" TOKEN,                                              "socket-mode"         },
		{DAEMON "socket-mode = 01666\n" TOKEN,                                            "socket-mode"         },
		{DAEMON "socket-group = no-such-group\n" TOKEN,                                   "socket-group"        },
		{DAEMON "dns-suffix = Vault..Net\n" TOKEN,                                        "dns-suffix"          },
		{DAEMON "dns-suffix = a..b\n" TOKEN,                                              "dns-suffix"          },
		{"[custodyd]\nadministrators = user:root user:no-such-user\n" TOKEN,
                 ":2: [custodyd] administrators"									},
		{"[custodyd]\nadministrators = user:nobody\n" TOKEN,                              "nobody"              },
		{DAEMON "tenant-id = x\n" TOKEN,						  "tenant-id"           },
		{DAEMON "log-level = loud\n" TOKEN,                                               "log-level"           },
		{DAEMON TOKEN "uri = pkcs11:token=x\n",                                           "twice"               },
		{DAEMON "[token West]\nuri = pkcs11:\nmodule = /m\nregion = r\n",                 "token NAME"          },
		{DAEMON "[token w]\nuri = west\nmodule = /m\nregion = r\n",                       "uri"                 },
		{DAEMON "[token w]\nuri = pkcs11:token=x?pin-value=1\nmodule = /m\nregion = r\n",
                 "uri"												  },
		{DAEMON "[token w]\nuri = pkcs11:\nmodule = m.so\nregion = r\n",                  "module"              },
		{DAEMON "[token w]\nuri = pkcs11:\nmodule = /m\n",                                "region"              },
		{DAEMON "[token w]\nuri = pkcs11:\nmodule = /m\nregion = West US\n",              "region"              },
		{DAEMON TOKEN "pin-source = 1234\n",                                              "pin-source"          },
		{DAEMON TOKEN "pin-source = file:pin\n",                                          "pin-source"          },
		{DAEMON TOKEN "pin-source = credential:../pin\n",                                 "pin-source"          },
		{DAEMON TOKEN "sessions = 65\n",						  "sessions"            },
		{DAEMON TOKEN "user = no-such-user\n",                                            "user"                },
		{DAEMON TOKEN "[application x]\nname = n\nuser = root\n",                         "GUID"                },
		{DAEMON TOKEN "[application " GUID "]\nname = n\nuser = no-such-user\n",          "user"                },
		{DAEMON TOKEN "[application " GUID "]\nname = n\nuser = nobody\n",                "nobody"              },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;
		struct options *options = load(rows[i].text, &err);
		if (options != NULL)
			fail_msg("%s", rows[i].text);
		if (err.code != ERR_CONFIG || strstr(err.message, rows[i].named) == NULL)
			fail_msg("%s: %s: %s", rows[i].text, err_name(err.code), err.message);
	}
}

/* threats F20: what cannot change stays as it runs, and each is named, again at the next reload. */
static void
what_needs_a_restart_is_kept_and_named(void **state)
{
	(void)state;
	CLEAN(options)
	struct options *running = load_good(DAEMON "socket-mode = 0660\n" TOKEN);
	CLEAN(options)
	struct options *reloadable = load_good(DAEMON
		"socket-mode = 0660\nconnections = 100\n" TOKEN "sessions = 2\n" APPLICATION);
	CLEAN(options)
	struct options *moved = load_good(
		DAEMON "catalog = /other.db\nnetwork-filesystem = yes\nsocket-mode = 0600\n"
		       "[token other]\nuri = pkcs11:token=x\nmodule = /m.so\nregion = r\n");
	static const char *const named[] = {"[custodyd] catalog", "[custodyd] network-filesystem",
		"[custodyd] socket-mode", "[token other]", "[token west]"};
	char name[64] = "untouched";
	size_t next = 0;

	assert_false(options_keep(running, reloadable, &next, name, sizeof name));
	assert_string_equal(name, "untouched");
	assert_int_equal(reloadable->daemon.connections, 100);
	next = 0;
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		assert_true(options_keep(running, moved, &next, name, sizeof name));
		assert_string_equal(name, named[i]);
	}
	assert_false(options_keep(running, moved, &next, name, sizeof name));

	assert_string_equal(moved->daemon.catalog, "/var/lib/custody/custody.db");
	assert_false(moved->daemon.network_filesystem);
	assert_int_equal(moved->daemon.socket_mode, 0660);
}

/* Each row is complete and its default would be accepted in a file. */
static void
every_row_is_complete(void **state)
{
	(void)state;
	struct options_row row;
	size_t count = 0;
	for (; options_row(count, &row); count++) {
		assert_true(strlen(row.help) > 10);
		assert_int_equal(row.help[strlen(row.help) - 1], '.');
		assert_non_null(row.type);
		bool number = strcmp(row.type, "integer") == 0 ||
			      strcmp(row.type, "duration") == 0 || strcmp(row.type, "size") == 0;
		assert_int_equal(number, row.min < row.max);
		if (row.initial == NULL || row.initial[0] == '\0' ||
			strcmp(row.section, "custodyd") != 0)
			continue;
		char text[512];
		(void)snprintf(text, sizeof text, DAEMON "%s = %s\n" TOKEN, row.key, row.initial);
		CLEAN(options)
		struct options *options = load_good(text);
		assert_non_null(options);
	}
	assert_true(count > 30);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_table),
		TEST(sections_are_read_and_resolved),
		TEST(wrong_is_refused_by_name_f20),
		TEST(what_needs_a_restart_is_kept_and_named),
		TEST(every_row_is_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
