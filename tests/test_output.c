#include "ctl/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/answers.h"

static const struct output_column columns[] = {
	{"Name",    "name"              },
        {"Enabled", "attributes.enabled"},
        {"N",       "n"                 },
        {NULL,      NULL                }
};

static char *
write_text(enum output_form form, const char *json, const char *list, struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool done = output_write(out, form, bytes_of_text(json), list, columns, err);
	assert_int_equal(fclose(out), 0);
	if (!done) {
		free(text);
		return NULL;
	}
	return text;
}

static void
check(enum output_form form, const char *json, const char *list, const char *wanted)
{
	struct err err = {0};
	char *text = write_text(form, json, list, &err);
	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static const char two[] = "{\"value\":[{\"name\":\"a\",\"attributes\":{\"enabled\":true},\"n\":5},"
			  "{\"name\":\"b\xc3\xa9\xc3\xa9\",\"attributes\":{},\"n\":[1,\"x\"]}]}";

static void
json_is_indented(void **state)
{
	(void)state;
	check(OUTPUT_JSON, "{\"a\":[],\"b\":{},\"c\":[1,{\"d\":null}],\"e\":\"x\\\"\"}", NULL,
		"{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    "
		"}\n  ],\n"
		"  \"e\": \"x\\\"\"\n}\n");
}

static void
json_of_a_list_is_the_array(void **state)
{
	(void)state;
	check(OUTPUT_JSON, "{\"value\":[1,2]}", "value", "[\n  1,\n  2\n]\n");
	check(OUTPUT_JSON, "{\"value\":[]}", "value", "[]\n");
}

static void
table_has_titles_and_aligned_columns(void **state)
{
	(void)state;
	check(OUTPUT_TABLE, two, "value",
		"Name  Enabled  N\n----  -------  ---\na     True     5\nb\xc3\xa9\xc3\xa9         "
		"   1,x\n");
	check(OUTPUT_TABLE, "{\"value\":[]}", "value", "");
}

static void
tsv_has_rows_only(void **state)
{
	(void)state;
	check(OUTPUT_TSV, two, "value", "a\tTrue\t5\nb\xc3\xa9\xc3\xa9\t\t1,x\n");
	check(OUTPUT_TSV, "{\"name\":\"a\",\"n\":-1}", NULL, "a\t\t-1\n");
}

/* Threat C20: a name, a tag or a message that holds control characters cannot move the terminal. */
static void
c20_control_characters_do_not_reach_the_output(void **state)
{
	(void)state;
	static const char json[] = "{\"name\":\"a\\u001b[2Jb\\n\\tc\\u007fd\\u009b1me\"}";
	check(OUTPUT_TSV, json, NULL, "a?[2Jb??c?d?1me\t\t\n");
	check(OUTPUT_JSON, json, NULL,
		"{\n  \"name\": \"a\\u001b[2Jb\\u000a\\u0009c\\u007fd\\u009b1me\"\n}\n");
}

static void
clean_text_fits_its_room(void **state)
{
	(void)state;
	char clean[6];
	output_clean("ab\x1b\xc2\x9b"
		     "cdef",
		clean, sizeof(clean));
	assert_string_equal(clean, "ab??c");
}

static void
what_is_no_answer_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	assert_null(write_text(OUTPUT_JSON, "[1]", NULL, &err));
	assert_int_equal(err.code, ERR_CLIENT_ANSWER);
	assert_null(write_text(OUTPUT_JSON, "{\"value\":1}", "value", &err));
	assert_null(write_text(OUTPUT_JSON, "{}", "value", &err));
}

/* ---- the forms of az ---- */

static void
shape(void (*writer_function)(struct json_writer *, const char *, const struct json_value *),
	const char *json, const char *wanted)
{
	struct err err = {0};
	CLEAN(json)
	struct json_value *value = json_parse(json, strlen(json), ANSWERS_MAX, &err);
	assert_non_null(value);
	CLEAN(buf)
	struct buf buf;
	struct json_writer writer;
	buf_init(&buf, 4096);
	json_writer_init(&writer, &buf);
	writer_function(&writer, NULL, value);
	assert_true(json_writer_ok(&writer));
	assert_string_equal(buf_peek(&buf), wanted);
}

static void
key_has_the_form_of_az(void **state)
{
	(void)state;
	shape(answers_key,
		"{\"key\":{\"kid\":\"https://west.vault.test/keys/k1/"
		"0123456789abcdef0123456789abcdef\","
		"\"kty\":\"RSA\",\"key_ops\":[\"sign\"],\"n\":\"-_8\",\"e\":\"AQAB\"},"
		"\"attributes\":{"
		"\"enabled\":true,\"created\":0,\"updated\":1801396800,\"recoveryLevel\":\"R\"},"
		"\"tags\":{\"a\":\"b\"}}",
		"{\"attributes\":{\"created\":\"1970-01-01T00:00:00+00:00\",\"enabled\":true,"
		"\"expires\":null,"
		"\"exportable\":null,\"hsmPlatform\":null,\"notBefore\":null,\"recoverableDays\":"
		"null,"
		"\"recoveryLevel\":\"R\",\"updated\":\"2027-01-31T12:00:00+00:00\"},\"key\":{"
		"\"crv\":null,"
		"\"e\":\"AQAB\",\"keyOps\":[\"sign\"],"
		"\"kid\":\"https://west.vault.test/keys/k1/0123456789abcdef0123456789abcdef\","
		"\"kty\":\"RSA\",\"n\":\"+/"
		"8=\",\"x\":null,\"y\":null},\"managed\":null,\"name\":\"k1\","
		"\"releasePolicy\":null,\"tags\":{\"a\":\"b\"}}");
}

/* az's members as they are, and one of ours behind them. */
static void
key_with_custody_has_one_member_more(void **state)
{
	(void)state;
	struct err err = {0};
	static const char json[] = "{\"key\":{},\"attributes\":{}}";
	static const char more[] = "{\"strengthBits\":112,\"provenance\":{\"local\":true}}";
	CLEAN(json)
	struct json_value *bundle = json_parse(json, sizeof(json) - 1, ANSWERS_MAX, &err);
	CLEAN(json)
	struct json_value *custody = json_parse(more, sizeof(more) - 1, ANSWERS_MAX, &err);
	for (int known = 0; known <= 1; known++) {
		CLEAN(buf)
		struct buf plain;
		CLEAN(buf)
		struct buf longer;
		struct json_writer writer;
		buf_init(&plain, 4096);
		buf_init(&longer, 4096);
		json_writer_init(&writer, &plain);
		answers_key(&writer, NULL, bundle);
		plain.len--; /* without the brace at its end */
		(void)buf_text(&plain, ",\"custody\":");
		(void)buf_text(&plain, known ? more : "null");
		(void)buf_text(&plain, "}");

		json_writer_init(&writer, &longer);
		answers_key_custody(&writer, NULL, bundle, known ? custody : NULL);

		assert_string_equal(buf_peek(&longer), buf_peek(&plain));
	}
}

static void
deleted_item_has_the_form_of_az(void **state)
{
	(void)state;
	shape(answers_key_item,
		"{\"kid\":\"https://west.vault.test/keys/k1\",\"attributes\":{\"enabled\":false},"
		"\"recoveryId\":\"https://west.vault.test/deletedkeys/k1\",\"deletedDate\":1,"
		"\"scheduledPurgeDate\":2}",
		"{\"attributes\":{\"created\":null,\"enabled\":false,\"expires\":null,"
		"\"exportable\":null,"
		"\"hsmPlatform\":null,\"notBefore\":null,\"recoverableDays\":null,"
		"\"recoveryLevel\":null,"
		"\"updated\":null},\"deletedDate\":\"1970-01-01T00:00:01+00:00\","
		"\"recoveryId\":\"https://west.vault.test/deletedkeys/k1\","
		"\"scheduledPurgeDate\":\"1970-01-01T00:00:02+00:00\",\"kid\":\"https://"
		"west.vault.test/keys/k1\","
		"\"managed\":null,\"name\":\"k1\",\"tags\":null}");
}

static void
vault_has_the_form_of_az(void **state)
{
	(void)state;
	shape(answers_vault,
		"{\"name\":\"west\",\"uri\":\"https://west.vault.test/"
		"\",\"token\":\"w\",\"region\":\"r\","
		"\"retentionDays\":90,\"enablePurgeProtection\":false,\"backup\":\"never\","
		"\"created\":1,"
		"\"updated\":2,\"tags\":{},\"accessPolicies\":[]}",
		"{\"location\":\"r\",\"name\":\"west\",\"properties\":{\"accessPolicies\":[],"
		"\"enablePurgeProtection\":false,\"enableSoftDelete\":true,"
		"\"softDeleteRetentionInDays\":90,"
		"\"vaultUri\":\"https://west.vault.test/\",\"token\":\"w\",\"backup\":\"never\","
		"\"created\":\"1970-01-01T00:00:01+00:00\",\"updated\":\"1970-01-01T00:00:02+00:"
		"00\"},"
		"\"tags\":{},\"type\":\"Microsoft.KeyVault/vaults\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_indented),
		cmocka_unit_test(json_of_a_list_is_the_array),
		cmocka_unit_test(table_has_titles_and_aligned_columns),
		cmocka_unit_test(tsv_has_rows_only),
		cmocka_unit_test(c20_control_characters_do_not_reach_the_output),
		cmocka_unit_test(clean_text_fits_its_room),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(key_has_the_form_of_az),
		cmocka_unit_test(key_with_custody_has_one_member_more),
		cmocka_unit_test(deleted_item_has_the_form_of_az),
		cmocka_unit_test(vault_has_the_form_of_az),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
