/* The command table: complete, consistent, and what is made from it. */
#include "ctl/cmdline.h"
#include "ctl/custodyctl.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "ctl/help.h"
#include "jose/alg.h"

static const struct command *
find(const char *first, const char *second, const char *third, int *words)
{
	char *argv[4];
	size_t count = 0;
	const char *given[] = {first, second, third};
	for (size_t i = 0; i < 3 && given[i] != NULL; i++)
		argv[count++] = strdup(given[i]);
	argv[count] = NULL;
	const struct command *command = command_find(&custodyctl_table, argv, words);
	while (count > 0)
		free(argv[--count]);
	return command;
}

static void
every_command_is_found_by_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &custodyctl_commands[i];
		char words[64];
		char *each[3] = {NULL, NULL, NULL};
		int given = 0, count = 0;
		print_message("%s\n", command->words);
		(void)snprintf(words, sizeof(words), "%s", command->words);
		for (char *word = words; word != NULL && given < 3;) {
			each[given++] = word;
			word = strchr(word, ' ');
			if (word != NULL)
				*word++ = '\0';
		}

		assert_ptr_equal(find(each[0], each[1] != NULL ? each[1] : "--help",
					 each[2] != NULL ? each[2] : "--help", &count),
			command);

		assert_int_equal(count, given);
		assert_int_equal(command->id, i);
	}
}

static void
az_words_are_found_too(void **state)
{
	(void)state;
	int count = 0;
	const struct command *command = find("keyvault", "key", "create", &count);
	assert_non_null(command);
	assert_int_equal(command->id, COMMAND_key_create);
	assert_int_equal(count, 3);
}

static void
what_is_no_command_is_not_found(void **state)
{
	(void)state;
	int count = 0;
	assert_null(find(NULL, NULL, NULL, &count));
	assert_null(find("key", NULL, NULL, &count));
	assert_null(find("key", "creat", NULL, &count));
	assert_null(find("key", "create2", NULL, &count));
	assert_null(find("keyvault", "key", NULL, &count));
	assert_null(find("key create", NULL, NULL, &count));
}

static void
every_row_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &custodyctl_commands[i];
		print_message("%s\n", command->words);
		assert_true(command->min >= 0 && command->min <= command->max &&
			    command->max <= CMDLINE_ARGUMENTS_MAX);
		size_t len = strlen(command->help);
		assert_true(len > 0 && command->help[len - 1] == '.');
		assert_true(isupper((unsigned char)command->help[0]) != 0);
		assert_true(command_takes(command, OPTION_HELP));
		assert_non_null(strstr(command->exits, "0 "));
		assert_non_null(strchr(command->exits, '2'));
	}
	for (int i = 0; i < OPTION_COUNT; i++) {
		bool used = false;
		print_message("--%s\n", custodyctl_options[i].name);
		assert_true(strlen(custodyctl_options[i].help) > 0);
		for (size_t j = 0; j < COMMAND_COUNT; j++)
			used |= command_takes(&custodyctl_commands[j], (enum option_id)i);
		assert_true(used);
	}
}

static void
no_command_has_an_option_or_letter_twice(void **state)
{
	(void)state;
	for (size_t c = 0; c < COMMAND_COUNT; c++) {
		for (int i = 0; i < OPTION_COUNT; i++) {
			for (int j = i + 1; j < OPTION_COUNT; j++) {
				if (!command_takes(&custodyctl_commands[c], (enum option_id)i) ||
					!command_takes(&custodyctl_commands[c], (enum option_id)j))
					continue;
				assert_string_not_equal(
					custodyctl_options[i].name, custodyctl_options[j].name);
				if (custodyctl_options[i].letter != 0)
					assert_int_not_equal(custodyctl_options[i].letter,
						custodyctl_options[j].letter);
			}
		}
	}
}

/* Threat F12: there is no option that a PIN, a password or a plaintext could be given to. */
static void
f12_no_option_takes_a_secret(void **state)
{
	(void)state;
	static const char *const words[] = {"pin", "password", "secret", "passphrase", "plaintext"};
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *option = &custodyctl_options[i];
		bool value = option->kind == OPTION_KIND_TEXT || option->kind == OPTION_KIND_NUMBER;
		for (size_t j = 0; value && j < ARRAY_LEN(words); j++)
			assert_null(strstr(option->name, words[j]));
	}
}

static void
help_of_every_command_names_all_its_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		help_command(&custodyctl_table, out, &custodyctl_commands[i]);
		assert_int_equal(fclose(out), 0);
		print_message("%s\n", custodyctl_commands[i].words);
		assert_non_null(strstr(text, custodyctl_commands[i].words));
		for (int j = 0; j < OPTION_COUNT; j++) {
			char name[64];
			(void)snprintf(name, sizeof(name), "--%s", custodyctl_options[j].name);
			if (command_takes(&custodyctl_commands[i], (enum option_id)j))
				assert_non_null(strstr(text, name));
		}
		free(text);
	}
}

/* The words of access policies are custodyd's; there they are bits, here they are help. */
static void
permissions_are_those_of_custodyd(void **state)
{
	(void)state;
	static const struct word_row theirs[] = {
#define PERMISSION(symbol, word, help) {word, help},
#include "custodyd/perm.tbl"
	};
	assert_int_equal(custodyctl_permission_count, ARRAY_LEN(theirs));
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		assert_string_equal(custodyctl_permissions[i].word, theirs[i].word);
		assert_string_equal(custodyctl_permissions[i].help, theirs[i].help);
	}
}

/* Every algorithm of which something is served can be asked for. */
static void
algorithms_are_those_of_the_dialect(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int served;
	} algorithms[] = {
#define ALG(symbol, name, scheme, key, size, curve, hash, ops, served, source) {name, served},
#include "jose/alg.tbl"
	};
	const char *allowed = custodyctl_options[OPTION_ALGORITHM].metavar;
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		assert_int_equal(command_find_value(allowed, algorithms[i].name,
					 strlen(algorithms[i].name)) != NULL,
			algorithms[i].served != 0);
}

static void
values_are_whole_words_of_the_list_in_any_case(void **state)
{
	(void)state;
	const char *list = "json|table|tsv";
	assert_ptr_equal(command_find_value(list, "table", 5), list + 5);
	assert_ptr_equal(command_find_value(list, "TSV", 3), list + 11);
	assert_ptr_equal(command_find_value(list, "json,tsv", 4), list);
	assert_null(command_find_value(list, "tab", 3));
	assert_null(command_find_value(list, "", 0));
	assert_null(command_find_value(list, "json|table", 10));
	assert_true(command_lists_values(list));
	assert_false(command_lists_values("NAME"));
}

/* Runs help_unknown() on up to three words. */
static void
assert_unknown(const char *words, const char *wanted)
{
	char copy[64];
	char *argv[4] = {NULL};
	char *rest = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	(void)snprintf(copy, sizeof(copy), "%s", words);
	argv[0] = strtok_r(copy, " ", &rest);
	argv[1] = strtok_r(NULL, " ", &rest);
	help_unknown(&custodyctl_table, out, argv);
	(void)fclose(out);
	if (strstr(text, wanted) == NULL)
		fail_msg("%s: %s", words, text);
	free(text);
}

static void
what_is_no_command_is_told_what_is(void **state)
{
	(void)state;
	assert_unknown("frob", "There is no command frob; see custodyctl help.\n");
	assert_unknown("se", "There is no command se;");
	assert_unknown("key", "key is the beginning of one of these:\n  key create");
	assert_unknown("key frob", "There is no command key frob; there are:\n  key create");
	assert_unknown("key --name", "key is the beginning of one of these:\n");
	assert_unknown("--socket x", "The command comes first, then its options like --socket;");
	assert_unknown("\x1b[1m", "no command ?[1m;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_found_by_its_words),
		cmocka_unit_test(az_words_are_found_too),
		cmocka_unit_test(what_is_no_command_is_not_found),
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(no_command_has_an_option_or_letter_twice),
		cmocka_unit_test(f12_no_option_takes_a_secret),
		cmocka_unit_test(help_of_every_command_names_all_its_options),
		cmocka_unit_test(permissions_are_those_of_custodyd),
		cmocka_unit_test(algorithms_are_those_of_the_dialect),
		cmocka_unit_test(values_are_whole_words_of_the_list_in_any_case),
		cmocka_unit_test(what_is_no_command_is_told_what_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
