#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"

struct daemon_section {
	char *socket;
	char *suffix;
	char *people;
	bool strict;
	int64_t workers;
	int64_t wait_ms;
	int64_t body_bytes;
};

struct token_section {
	char *uri;
	int64_t sessions;
};

#define DAEMON(field) offsetof(struct daemon_section, field)
#define TOKEN(field)  offsetof(struct token_section, field)

static const struct config_option options[] = {
	{"daemon", "socket",   CONFIG_PATH,     DAEMON(socket),     0,    0,        "!",   false, "help"},
	{"daemon", "suffix",   CONFIG_TEXT,     DAEMON(suffix),     0,    0,        "net", false, "help"},
	{"daemon", "people",   CONFIG_LIST,     DAEMON(people),     0,    0,        NULL,  true,  "help"},
	{"daemon", "strict",   CONFIG_BOOL,     DAEMON(strict),     0,    0,        "yes", true,  "help"},
	{"daemon", "workers",  CONFIG_INTEGER,  DAEMON(workers),    1,    64,       "4",   true,  "help"},
	{"daemon", "wait",     CONFIG_DURATION, DAEMON(wait_ms),    100,  86400000, "30s", true,  "help"},
	{"daemon", "body",     CONFIG_SIZE,     DAEMON(body_bytes), 1024, 1 << 30,  "64K", true,  "help"},
	{"token",  "uri",      CONFIG_TEXT,     TOKEN(uri),         0,    0,        "!",   false, "help"},
	{"token",  "sessions", CONFIG_INTEGER,  TOKEN(sessions),    1,    512,      "8",   false, "help"},
};

static bool
apply_daemon(const char *text, struct daemon_section *ret_daemon, struct err *err)
{
	CLEAN(config)
	struct config *config = config_parse("test.conf", text, err);
	return config != NULL && config_check_known(config, options, ARRAY_LEN(options), err) &&
	       config_apply(config, "daemon", "", options, ARRAY_LEN(options), ret_daemon, err);
}

static void
release_daemon(struct daemon_section *daemon)
{
	config_release("daemon", options, ARRAY_LEN(options), daemon);
}

static void
config_values_and_defaults_are_applied(void **state)
{
	(void)state;
	struct daemon_section daemon = {0};
	struct err err = {0};

	assert_true(
		apply_daemon("# comment\n[daemon]\nsocket = /run/s ; not a comment\n; comment\n"
			     "people=user:root  group:keys\r\n\tstrict : no\nwait=4h\nbody = 30M\n",
			&daemon, &err));

	assert_string_equal(daemon.socket, "/run/s ; not a comment");
	assert_string_equal(daemon.suffix, "net");
	assert_string_equal(daemon.people, "user:root  group:keys");
	assert_false(daemon.strict);
	assert_int_equal(daemon.workers, 4);
	assert_int_equal(daemon.wait_ms, 14400000);
	assert_int_equal(daemon.body_bytes, 30 << 20);
	release_daemon(&daemon);
	assert_null(daemon.socket);
}

static void
config_uri_with_semicolons_is_kept_whole(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(config)
	struct config *config = config_parse(
		"t", "[token west]\nuri = pkcs11:token=west;object=a?pin-source=x=y\n", &err);
	struct token_section token = {0};

	assert_non_null(config);
	assert_true(
		config_apply(config, "token", "west", options, ARRAY_LEN(options), &token, &err));

	assert_string_equal(token.uri, "pkcs11:token=west;object=a?pin-source=x=y");
	assert_int_equal(token.sessions, 8);
	config_release("token", options, ARRAY_LEN(options), &token);
}

static void
config_sections_of_a_kind_are_apart(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(config)
	struct config *config = config_parse("t",
		"[token west]\nuri=w\nsessions=2\n[daemon]\nsocket=/s\n[token east]\nuri=e\n[token "
		"bare]\n",
		&err);
	struct token_section token = {0};
	const char *names[3] = {NULL};

	assert_non_null(config);
	assert_int_equal(config_names(config, "token", names, 3), 3);
	assert_string_equal(names[0], "west");
	assert_string_equal(names[1], "east");
	assert_string_equal(names[2], "bare");
	assert_true(
		config_apply(config, "token", "east", options, ARRAY_LEN(options), &token, &err));
	assert_string_equal(token.uri, "e");
	assert_int_equal(token.sessions, 8);
	config_release("token", options, ARRAY_LEN(options), &token);
}

static void
config_names_beyond_max_are_counted_only(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(config)
	struct config *config = config_parse("t", "[a x]\n[a y]\n[a]\n[b]\n", &err);
	const char *names[2] = {NULL, "untouched"};

	assert_non_null(config);
	assert_int_equal(config_names(config, "a", names, 1), 3);
	assert_string_equal(names[0], "x");
	assert_string_equal(names[1], "untouched");
	assert_int_equal(config_names(config, "c", names, 2), 0);
}

static void
config_wrong_file_names_line_and_reason(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"",				   "test.conf:1: [daemon] needs a line \"socket = ...\"."                                      },
		{"\n[daemon]\nstrict=no\n",            "test.conf:2: [daemon] needs a line \"socket = ...\"."                                      },
		{"[daemon]\nsocket=/s\nsocket=/t\n",
                 "test.conf:3: this key stands twice (line 2)."										    },
		{"[daemon]\nsocket=/s\n[daemon]\n",
                 "test.conf:3: this section stands twice (line 1)."										},
		{"[token a]\nuri=x\n[token a]\n",
                 "test.conf:3: this section stands twice (line 1)."										},
		{"[daemon]\nsocket=/s\nsockets=/t\n",
                 "test.conf:3: no key \"sockets\" is known in [daemon]."                                                                           },
		{"[daemon]\nsocket=/s\nSocket=/t\n",
                 "test.conf:3: no key \"Socket\" is known in [daemon]."                                                                            },
		{"[daemon]\nsocket=/s\nuri=x\n",
                 "test.conf:3: no key \"uri\" is known in [daemon]."									       },
		{"[daemon]\nsocket=/s\n[other]\n",
                 "test.conf:3: no section of kind \"other\" is known."									     },
		{"socket=/s\n[daemon]\n",              "test.conf:1: a key before the first section."                                              },
		{"[daemon]\nsocket\n",
                 "test.conf:2: neither a [section], a comment nor key = value."                                                                    },
		{"[daemon]\npeople=a\n  b\n",
                 "test.conf:3: neither a [section], a comment nor key = value."                                                                    },
		{"\xef\xbb\xbf[daemon]\n",
                 "test.conf:1: neither a [section], a comment nor key = value."                                                                    },
		{"[daemon]\n= x\n",                    "test.conf:2: a key has 1 to 48 characters."                                                },
		{"[daemon]\nsocket =\n",
                 "test.conf:2: no value; leave the line out to get the default of socket."                                                         },
		{"[daemon\nsocket=/s\n",               "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[]\n",			       "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[daemon] x\n",                       "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[daemon ]\n",                        "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[token a b]\n",                      "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[token  a]\n",                       "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[daemon]]\n",                        "test.conf:1: a section is [kind] or [kind name]."                                          },
		{"[daemon]\nsocket=run/s\n",
                 "test.conf:2: socket = \"run/s\" must be an absolute path."                                                                       },
		{"[daemon]\nsocket=/s\nstrict=true\n",
                 "test.conf:3: strict = \"true\" must be yes or no."									       },
		{"[daemon]\nsocket=/s\nworkers=65\n",
                 "test.conf:3: workers = \"65\" must be a whole number from 1 to 64."                                                              },
		{"[daemon]\nsocket=/s\nwait=99ms\n",
                 "test.conf:3: wait = \"99ms\" must be a duration such as 500ms, 30s or 90d "
			"from 100ms to 1d."													},
		{"[daemon]\nsocket=/s\nbody=1025M\n",  "test.conf:3: body = \"1025M\" must be a "
						      "size such as 64K or 30M from 1K to 1G."},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct daemon_section daemon = {0};
		struct err err = {0};
		if (apply_daemon(rows[i].text, &daemon, &err))
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_string_equal(err.message, rows[i].message);
		assert_null(daemon.socket);
	}
}

static void
config_numbers_at_their_limits(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool valid;
	} rows[] = {
		{"workers=1",                    true },
		{"workers=64",                   true },
		{"workers=0",                    false},
		{"workers=-1",                   false},
		{"workers=+1",                   false},
		{"workers=1.5",                  false},
		{"workers=0x10",                 false},
		{"workers=1 2",                  false},
		{"workers=four",                 false},
		{"workers=18446744073709551617", false},
		{"workers=9223372036854775808",  false},
		{"wait=100ms",                   true },
		{"wait=1d",                      true },
		{"wait=1440m",                   true },
		{"wait=86400s",                  true },
		{"wait=25h",                     false},
		{"wait=30",                      false},
		{"wait=30 s",                    false},
		{"wait=30S",                     false},
		{"wait=s",                       false},
		{"wait=9223372036854775807d",    false},
		{"body=1024",                    true },
		{"body=1K",                      true },
		{"body=1G",                      true },
		{"body=1023",                    false},
		{"body=1k",                      false},
		{"body=1T",                      false},
		{"body=8589934592G",             false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct daemon_section daemon = {0};
		struct err err = {0};
		char text[128];
		(void)snprintf(text, sizeof(text), "[daemon]\nsocket=/s\n%s\n", rows[i].line);
		if (apply_daemon(text, &daemon, &err) != rows[i].valid)
			fail_msg("%s should be %s", rows[i].line,
				rows[i].valid ? "accepted" : "refused");
		release_daemon(&daemon);
	}
}

static void
config_line_up_to_max_is_kept_whole(void **state)
{
	(void)state;
	struct daemon_section daemon = {0};
	struct err err = {0};
	char text[2 * CONFIG_LINE_MAX] = "[daemon]\nsocket=/";
	size_t line = strlen("[daemon]\n");
	memset(text + strlen(text), 'x', CONFIG_LINE_MAX - strlen("socket=/"));

	assert_int_equal(strlen(text) - line, CONFIG_LINE_MAX);
	assert_true(apply_daemon(text, &daemon, &err));
	assert_int_equal(strlen(daemon.socket), CONFIG_LINE_MAX - strlen("socket="));
	release_daemon(&daemon);
	text[strlen(text)] = 'x';
	assert_false(apply_daemon(text, &daemon, &err));
	assert_string_equal(err.message, "test.conf:2: the line is too long.");
}

static void
config_names_up_to_48_are_kept_whole(void **state)
{
	(void)state;
#define X45 "abcdefghijklmnopqrstuvwxyabcdefghijklmnopqrst"
	struct err err = {0};
	const char *name = NULL;

	CLEAN(config)
	struct config *config = config_parse("t", "[k " X45 "u]\n" X45 "uvw = 1\n", &err);
	assert_non_null(config);
	assert_int_equal(config_names(config, "k", &name, 1), 1);
	assert_string_equal(name, X45 "u");
	assert_string_equal(config->entries[1].key, X45 "uvw");
	assert_null(config_parse("t", "[k " X45 "uv]\n", &err));
	assert_string_equal(err.message, "t:1: a section is [kind] or [kind name].");
	assert_null(config_parse("t", "[k]\n" X45 "uvwx = 1\n", &err));
	assert_string_equal(err.message, "t:2: a key has 1 to 48 characters.");
}

static void
config_with_too_many_lines_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(buf)
	struct buf text;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < CONFIG_ENTRIES_MAX - 1; i++)
		assert_true(buf_printf(&text, i == 0 ? "[a]\nk%d=1\n" : "k%d=1\n", i));

	CLEAN(config)
	struct config *config = config_parse("t", buf_peek(&text), &err);
	assert_non_null(config);
	assert_int_equal(config->count, CONFIG_ENTRIES_MAX);
	assert_true(buf_text(&text, "x=1\n"));
	assert_null(config_parse("t", buf_peek(&text), &err));
	assert_string_equal(err.message, "t:4097: too many lines.");
}

static void
config_message_never_holds_a_whole_wrong_value(void **state)
{
	(void)state;
	struct daemon_section daemon = {0};
	struct err err = {0};
	char text[1000] = "[daemon]\nsocket=";
	memset(text + strlen(text), 'x', 500);

	assert_false(apply_daemon(text, &daemon, &err));

	assert_true(strlen(err.message) < 160);
	assert_non_null(strstr(err.message, "must be an absolute path."));
}

static void
config_load_reads_a_file(void **state)
{
	(void)state;
	struct err err = {0};
	char path[] = "/tmp/custody-config.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(file_write_all(fd, "[token west]\nuri=x\n", 19, &err));

	CLEAN(config)
	struct config *config = config_load(path, &err);
	assert_non_null(config);
	assert_string_equal(config->path, path);
	assert_int_equal(config->count, 2);
	assert_string_equal(config->entries[1].kind, "token");
	assert_string_equal(config->entries[1].name, "west");
	assert_string_equal(config->entries[1].value, "x");
	assert_int_equal(config->entries[1].line, 2);
	assert_true(file_write_all(fd, "\0", 1, &err));
	assert_null(config_load(path, &err));
	assert_non_null(strstr(err.message, "is not a text file."));
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	assert_null(config_load(path, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

/* Who borrowed the text of a value that a reload cannot change goes on with it, whether the file says the same or not. */
static void
config_kept_texts_stay_where_they_are(void **state)
{
	static const char one[] = "[daemon]\nsocket = /s\nsuffix = one\n";
	static const char two[] = "[daemon]\nsocket = /s\nsuffix = two\n";
	static const char *const files[] = {one, two};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct daemon_section running, loaded;
		struct err err = {0};
		size_t next = 0;
		assert_true(apply_daemon(one, &running, &err));
		assert_true(apply_daemon(files[i], &loaded, &err));
		const char *borrowed = running.suffix;

		const char *key = config_keep(
			"daemon", options, ARRAY_LEN(options), &running, &loaded, &next);

		assert_ptr_equal(loaded.suffix, borrowed);
		assert_string_equal(key != NULL ? key : "", i == 0 ? "" : "suffix");
		release_daemon(&running);
		release_daemon(&loaded);
	}
}

static void
config_free_of_null_is_fine(void **state)
{
	(void)state;

	config_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_values_and_defaults_are_applied),
		cmocka_unit_test(config_uri_with_semicolons_is_kept_whole),
		cmocka_unit_test(config_sections_of_a_kind_are_apart),
		cmocka_unit_test(config_names_beyond_max_are_counted_only),
		cmocka_unit_test(config_wrong_file_names_line_and_reason),
		cmocka_unit_test(config_numbers_at_their_limits),
		cmocka_unit_test(config_line_up_to_max_is_kept_whole),
		cmocka_unit_test(config_names_up_to_48_are_kept_whole),
		cmocka_unit_test(config_with_too_many_lines_is_refused),
		cmocka_unit_test(config_message_never_holds_a_whole_wrong_value),
		cmocka_unit_test(config_load_reads_a_file),
		cmocka_unit_test(config_kept_texts_stay_where_they_are),
		cmocka_unit_test(config_free_of_null_is_fine),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
