#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
err_rows_are_complete(void **state)
{
	(void)state;

	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
		enum err_code code = (enum err_code)i;
		const char *sentence = err_sentence(code);
		size_t len = strlen(sentence);
		if (strlen(err_name(code)) < 3 || strlen(err_dialect_code(code)) < 3 ||
			err_dialect_inner(code) == NULL)
			fail_msg("row %d (%s): a name is missing", i, err_name(code));
		if (len < 10 || len >= sizeof(((struct err *)NULL)->message) ||
			sentence[len - 1] != '.')
			fail_msg("row %s: \"%s\" is no sentence", err_name(code), sentence);
		if (err_status(code) < 400 || err_status(code) > 599)
			fail_msg("row %s: status %d", err_name(code), err_status(code));
	}
}

static void
err_names_are_unique_and_found(void **state)
{
	(void)state;

	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		assert_int_equal(err_find(err_name((enum err_code)i)), i);
}

static void
err_find_answer_gives_the_row_that_was_answered(void **state)
{
	(void)state;
	assert_int_equal(err_find_answer(403, "Forbidden", "KeyDisabled"), ERR_KEY_DISABLED);
	assert_int_equal(err_find_answer(403, "Forbidden", "ForbiddenByPolicy"), ERR_FORBIDDEN);
	assert_int_equal(err_find_answer(404, "KeyNotFound", ""), ERR_KEY_NOT_FOUND);
	assert_int_equal(err_find_answer(503, "ServiceUnavailable", ""), ERR_UNAVAILABLE);
	assert_int_equal(err_find_answer(404, "Forbidden", "KeyDisabled"), ERR_NONE);
	assert_int_equal(err_find_answer(403, "Forbidden", "Unheard"), ERR_NONE);
	assert_int_equal(err_find_answer(403, "", ""), ERR_NONE);
}

static void
err_find_of_an_unknown_name_is_none(void **state)
{
	(void)state;

	assert_int_equal(err_find(""), ERR_NONE);
	assert_int_equal(err_find("badparameter"), ERR_NONE);
	assert_int_equal(err_find("BadParameter "), ERR_NONE);
}

static void
err_classes_agree_with_their_status(void **state)
{
	(void)state;

	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
		enum err_code code = (enum err_code)i;
		int status = err_status(code);
		bool right = false;
		switch (err_class(code)) {
		case ERR_CLASS_BAD:
			right = status < 500;
			break;
		case ERR_CLASS_DENIED:
			right = status == 403 || status == 404;
			break;
		case ERR_CLASS_UNAVAILABLE:
			right = status >= 500 || status == 429;
			break;
		case ERR_CLASS_INTEGRITY:
			right = status >= 500;
			break;
		}
		if (!right)
			fail_msg("row %s: class %s with status %d", err_name(code),
				err_class_name(err_class(code)), status);
		if (err_retryable(code) && err_class(code) != ERR_CLASS_UNAVAILABLE &&
			code != ERR_BEING_DELETED)
			fail_msg("row %s: class %s is never retried", err_name(code),
				err_class_name(err_class(code)));
	}
}

/* A15, A16: whatever was wrong with a ciphertext, there is one code for it. */
static void
err_of_a_ciphertext_is_one_row(void **state)
{
	(void)state;
	int rows = 0;

	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		rows += strcasestr(err_name((enum err_code)i), "ciphertext") != NULL;

	assert_int_equal(rows, 1);
	assert_int_equal(err_class(ERR_BAD_CIPHERTEXT), ERR_CLASS_BAD);
}

static void
err_class_names_are_the_four(void **state)
{
	(void)state;

	assert_string_equal(err_class_name(ERR_CLASS_BAD), "bad");
	assert_string_equal(err_class_name(ERR_CLASS_DENIED), "denied");
	assert_string_equal(err_class_name(ERR_CLASS_UNAVAILABLE), "unavailable");
	assert_string_equal(err_class_name(ERR_CLASS_INTEGRITY), "integrity");
}

static void
err_set_without_format_takes_the_sentence(void **state)
{
	(void)state;
	struct err err = {.origin = "before"};

	assert_false(err_set(&err, ERR_FORBIDDEN, NULL));

	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_string_equal(err.message, err_sentence(ERR_FORBIDDEN));
	assert_string_equal(err.origin, "");
}

static void
err_set_replaces_controls_and_cuts(void **state)
{
	(void)state;
	struct err err = {0};
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';

	(void)err_set(&err, ERR_BAD_PARAMETER, "key \"%s\"", "a\n{\x1b[31m\x7f");
	assert_string_equal(err.message, "key \"a?{?[31m?\"");
	(void)err_set(&err, ERR_BAD_PARAMETER, "%s", text);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void
err_origin_keeps_code_and_message(void **state)
{
	(void)state;
	struct err err = {0};
	(void)err_set(&err, ERR_UNAVAILABLE, NULL);

	assert_false(err_origin(&err, "C_Decrypt: %s\n", "CKR_DEVICE_ERROR"));

	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_string_equal(err.message, err_sentence(ERR_UNAVAILABLE));
	assert_string_equal(err.origin, "C_Decrypt: CKR_DEVICE_ERROR?");
}

static void
err_errno_tells_a_full_disk_apart(void **state)
{
	(void)state;
	struct err err = {0};

	assert_false(err_errno(&err, ERR_STORAGE, EIO, "write"));
	assert_int_equal(err.code, ERR_STORAGE);
	assert_string_equal(err.origin, "write: Input/output error");
	assert_false(err_errno(&err, ERR_STORAGE, ENOSPC, "write"));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	assert_false(err_errno(&err, ERR_STORAGE, EDQUOT, "write"));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
}

static void
err_clear_leaves_none(void **state)
{
	(void)state;
	struct err err;
	(void)err_set(&err, ERR_CONFLICT, NULL);

	err_clear(&err);

	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.message, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_rows_are_complete),
		cmocka_unit_test(err_names_are_unique_and_found),
		cmocka_unit_test(err_find_answer_gives_the_row_that_was_answered),
		cmocka_unit_test(err_find_of_an_unknown_name_is_none),
		cmocka_unit_test(err_classes_agree_with_their_status),
		cmocka_unit_test(err_of_a_ciphertext_is_one_row),
		cmocka_unit_test(err_class_names_are_the_four),
		cmocka_unit_test(err_set_without_format_takes_the_sentence),
		cmocka_unit_test(err_set_replaces_controls_and_cuts),
		cmocka_unit_test(err_origin_keeps_code_and_message),
		cmocka_unit_test(err_errno_tells_a_full_disk_apart),
		cmocka_unit_test(err_clear_leaves_none),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
