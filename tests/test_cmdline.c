#include "ctl/cmdline.h"
#include "ctl/custodyctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 24

/* argv as main() hands it on: the command's last word first. Static, as parsed values point into it. */
static bool
parse(enum command_id id, const char *line, struct cmdline *ret_cmdline, struct err *err)
{
	static char copy[1024];
	char *argv[WORDS_MAX + 1] = {copy};
	int argc = 1;
	(void)snprintf(copy, sizeof(copy), "x %s", line);
	for (char *at = strchr(copy, ' '); at != NULL && argc < WORDS_MAX; at = strchr(at, ' ')) {
		*at++ = '\0';
		if (*at == '\0')
			break;
		argv[argc++] = at;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "''") == 0)
			argv[i][0] = '\0';
	}
	argv[argc] = NULL;
	return cmdline_parse(
		&custodyctl_table, &custodyctl_commands[id], argc, argv, ret_cmdline, err);
}

static void
options_have_long_short_and_equals_forms(void **state)
{
	(void)state;
	struct cmdline cmdline;
	struct err err = {0};

	assert_true(parse(
		COMMAND_key_show, "--vault-name west -n k1 --output=table -v abc", &cmdline, &err));

	assert_string_equal(cmdline_text(&cmdline, OPTION_VAULT_NAME), "west");
	assert_string_equal(cmdline_text(&cmdline, OPTION_NAME), "k1");
	assert_string_equal(cmdline_text(&cmdline, OPTION_OUTPUT), "table");
	assert_string_equal(cmdline_text(&cmdline, OPTION_VERSION), "abc");
	assert_null(cmdline_text(&cmdline, OPTION_ID));
	assert_false(cmdline_given(&cmdline, OPTION_ID));
}

static void
lists_take_the_words_up_to_the_next_option(void **state)
{
	(void)state;
	struct cmdline cmdline;
	struct err err = {0};

	assert_true(parse(COMMAND_key_create, "--ops wrapKey unwrapKey --name k --tags a=b c=d,e",
		&cmdline, &err));

	assert_int_equal(cmdline.values[OPTION_OPS].count, 2);
	assert_string_equal(cmdline.values[OPTION_OPS].words[1], "unwrapKey");
	assert_int_equal(cmdline.values[OPTION_TAGS].count, 2);
	assert_string_equal(cmdline.values[OPTION_TAGS].words[1], "c=d,e");
}

/* az takes RSA and rsa, wrapKey and wrapkey; the daemon takes one of them. */
static void
values_of_a_list_get_its_spelling(void **state)
{
	(void)state;
	struct cmdline cmdline;
	struct err err = {0};

	assert_true(parse(COMMAND_key_create, "--kty rsa-hsm --ops WRAPKEY,unwrapkey Sign -o TSV",
		&cmdline, &err));

	assert_string_equal(cmdline_text(&cmdline, OPTION_KTY), "RSA-HSM");
	assert_string_equal(cmdline.values[OPTION_OPS].words[0], "wrapKey,unwrapKey");
	assert_string_equal(cmdline.values[OPTION_OPS].words[1], "sign");
	assert_string_equal(cmdline_text(&cmdline, OPTION_OUTPUT), "tsv");
}

static void
booleans_are_words_or_alone(void **state)
{
	(void)state;
	struct cmdline cmdline;
	struct err err = {0};

	assert_true(parse(COMMAND_key_set_attributes, "--enabled false", &cmdline, &err));
	assert_false(cmdline_flag(&cmdline, OPTION_ENABLED, true));
	assert_true(parse(COMMAND_key_set_attributes, "--enabled=True", &cmdline, &err));
	assert_true(cmdline_flag(&cmdline, OPTION_ENABLED, false));
	assert_true(parse(COMMAND_key_set_attributes, "--enabled --name k", &cmdline, &err));
	assert_true(cmdline_flag(&cmdline, OPTION_ENABLED, false));
	assert_string_equal(cmdline_text(&cmdline, OPTION_NAME), "k");
	assert_true(parse(COMMAND_key_set_attributes, "--name k", &cmdline, &err));
	assert_true(cmdline_flag(&cmdline, OPTION_ENABLED, true));
	assert_false(parse(COMMAND_key_set_attributes, "--enabled=maybe", &cmdline, &err));
}

static void
key_is_taken_twice(void **state)
{
	(void)state;
	struct cmdline cmdline;
	struct err err = {0};

	assert_true(parse(COMMAND_dual_wrap, "--key a --key b --in -", &cmdline, &err));

	assert_int_equal(cmdline.values[OPTION_KEY].count, 2);
	assert_string_equal(cmdline_text(&cmdline, OPTION_IN), "-");
}

struct wrong_case {
	enum command_id id;
	const char *line;
	const char *says;
};

static void
wrong_lines_are_refused_with_the_reason(void **state)
{
	(void)state;
	static const struct wrong_case cases[] = {
		{COMMAND_key_show,        "--frob",            "no option --frob"                 },
		{COMMAND_key_show,        "--frob=1",          "no option --frob"                 },
		{COMMAND_key_show,        "-z",                "no option -z"                     },
		{COMMAND_key_show,        "--kty RSA",         "no option --kty"                  },
		{COMMAND_key_show,        "--vault west",      "is --vault-name meant?"           },
		{COMMAND_key_show,        "--vers=1",          "is --version meant?"              },
		{COMMAND_key_purge,       "--ye",              "is --yes meant?"                  },
		{COMMAND_key_show,        "--name",            "--name needs a value"             },
		{COMMAND_key_show,        "-n",                "-n needs a value"                 },
		{COMMAND_key_show,        "--name a --name b", "given twice"                      },
		{COMMAND_key_show,        "extra",             "does not take the argument extra" },
		{COMMAND_key_show,        "-- --name",         "does not take the argument --name"},
		{COMMAND_key_show,        "--output xml",      "must be one of json|table|tsv"    },
		{COMMAND_key_create,      "--kty DSA",         "must be one of RSA|"              },
		{COMMAND_key_create,      "--ops sign,frob",   "--ops must be one of encrypt|"    },
		{COMMAND_key_create,      "--ops sign frob",   "--ops must be one of encrypt|"    },
		{COMMAND_key_create,      "--curve P-1",       "must be one of P-256|"            },
		{COMMAND_keyvault_create, "--backup maybe",    "must be one of trusted|never"     },
		{COMMAND_key_purge,       "--yes=1",           "no option --yes"                  },
		{COMMAND_key_create,      "--disabled=maybe",  "--disabled must be true or false" },
		{COMMAND_key_create,      "--disabled maybe",  "--disabled must be true or false" },
		{COMMAND_help,            "a b c d",           "does not take the argument d"     },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cmdline cmdline = {.argument_count = 77};
		struct err err = {0};
		print_message("%s %s\n", custodyctl_commands[cases[i].id].words, cases[i].line);

		assert_false(parse(cases[i].id, cases[i].line, &cmdline, &err));

		assert_int_equal(err.code, ERR_CLIENT_USAGE);
		if (strstr(err.message, cases[i].says) == NULL)
			fail_msg("%s", err.message);
		assert_int_equal(cmdline.argument_count, 77);
	}
}

/* Every command answers an option that it does not have. */
static void
unknown_options_are_refused_by_every_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		struct cmdline cmdline;
		struct err err = {0};
		print_message("%s\n", custodyctl_commands[i].words);
		assert_false(parse((enum command_id)i, "--no-such-option x", &cmdline, &err));
		assert_int_equal(err.code, ERR_CLIENT_USAGE);
		assert_non_null(strstr(err.message, "--no-such-option"));
	}
}

static void
list_is_bounded(void **state)
{
	(void)state;
	char line[1024] = "--tags";
	struct cmdline cmdline;
	struct err err = {0};
	char *argv[CMDLINE_WORDS_MAX + 4] = {line, line};
	static char tag[] = "a=b";
	for (int i = 0; i <= CMDLINE_WORDS_MAX; i++)
		argv[i + 2] = tag;

	assert_true(cmdline_parse(&custodyctl_table, &custodyctl_commands[COMMAND_key_create],
		CMDLINE_WORDS_MAX + 2, argv, &cmdline, &err));
	assert_false(cmdline_parse(&custodyctl_table, &custodyctl_commands[COMMAND_key_create],
		CMDLINE_WORDS_MAX + 3, argv, &cmdline, &err));
}

struct number_case {
	const char *text;
	bool right;
};

static void
numbers_are_digits_in_range(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"7",                    true },
                {"90",                   true },
                {"007",                  true },
                {"6",                    false},
                {"91",                   false},
		{"-7",                   false},
                {"+7",                   false},
                {"7x",                   false},
                {"''",                   false},
                {"0x7",                  false},
		{"99999999999999999999", false},
                {"7.0",                  false}
        };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char line[64];
		struct cmdline cmdline;
		struct err err = {0};
		int64_t number = -1;
		print_message("%s\n", cases[i].text);
		(void)snprintf(line, sizeof(line), "--retention-days %s", cases[i].text);
		assert_true(parse(COMMAND_keyvault_create, line, &cmdline, &err));

		bool done = cmdline_number(&cmdline, OPTION_RETENTION_DAYS, 7, 90, &number, &err);

		assert_int_equal(done, cases[i].right);
		assert_int_equal(number != -1, cases[i].right);
	}
}

struct time_case {
	const char *text;
	int64_t seconds; /* -1: refused */
};

static void
times_are_utc_and_real(void **state)
{
	(void)state;
	static const struct time_case cases[] = {
		{"1970-01-01T00:00:00Z",      0         },
		{"2027-01-31T12:00:00Z",      1801396800},
		{"2027-01-31",                1801353600},
		{"2028-02-29",                1835395200},
		{"2027-02-29",                -1        },
		{"2027-13-01",                -1        },
		{"2027-00-01",                -1        },
		{"2027-01-31T24:00:00Z",      -1        },
		{"2027-01-31T12:00:00",       -1        },
		{"2027-01-31 12:00",          -1        },
		{"2027-01-31T12:00:00+01:00", -1        },
		{"1969-12-31T23:59:59Z",      -1        },
		{"1801396800",                -1        },
		{"tomorrow",                  -1        },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[] = {(char[]){"x"}, (char[]){"--expires"}, NULL, NULL};
		char text[40];
		struct cmdline cmdline;
		struct err err = {0};
		int64_t seconds = -1;
		print_message("%s\n", cases[i].text);
		(void)snprintf(text, sizeof(text), "%s", cases[i].text);
		argv[2] = text;
		assert_true(cmdline_parse(&custodyctl_table,
			&custodyctl_commands[COMMAND_key_create], 3, argv, &cmdline, &err));

		bool done = cmdline_time(&cmdline, OPTION_EXPIRES, &seconds, &err);

		assert_int_equal(done, cases[i].seconds >= 0);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_long_short_and_equals_forms),
		cmocka_unit_test(lists_take_the_words_up_to_the_next_option),
		cmocka_unit_test(values_of_a_list_get_its_spelling),
		cmocka_unit_test(booleans_are_words_or_alone),
		cmocka_unit_test(key_is_taken_twice),
		cmocka_unit_test(wrong_lines_are_refused_with_the_reason),
		cmocka_unit_test(unknown_options_are_refused_by_every_command),
		cmocka_unit_test(list_is_bounded),
		cmocka_unit_test(numbers_are_digits_in_range),
		cmocka_unit_test(times_are_utc_and_real),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
