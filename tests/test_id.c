#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST "contosowestus.vault.azure.net"
#define ONE  "00112233445566778899aabbccddeeff"
#define X24  "abcdefghijklmnopqrstuvwx"
#define X127                                                                                       \
	"abcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuvwx"                 \
	"abcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuvwx1234567"

struct row {
	const char *text;
	bool valid;
};

static void
check_rows(const struct row *rows, size_t count, bool (*valid)(const char *))
{
	for (size_t i = 0; i < count; i++) {
		if (valid(rows[i].text) != rows[i].valid)
			fail_msg("\"%s\" should be %s", rows[i].text,
				rows[i].valid ? "accepted" : "refused");
	}
}

static void
id_vault_name_rows(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"abc",                 true },
		{"a-1",                 true },
		{"Contoso",             true },
		{X24,                   true },
		{"",                    false},
		{"ab",                  false},
		{X24 "y",               false},
		{"1bc",                 false},
		{"-bc",                 false},
		{"ab-",                 false},
		{"a--b",                false},
		{"a.b",                 false},
		{"a_b",                 false},
		{"a b",                 false},
		{"abc\n",               false},
		{"\xc3\xa4"
		 "bc", false},
	};

	check_rows(rows, ARRAY_LEN(rows), id_vault_name_valid);
}

static void
id_key_name_rows(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"a",      true },
		{"0",      true },
		{"-",      true },
		{"A--b-",  true },
		{X127,     true },
		{"",       false},
		{X127 "8", false},
		{"a/b",    false},
		{"a%2Fb",  false},
		{"..",     false},
		{"a_b",    false},
		{"a\tb",   false},
		{"a\n",    false},
	};

	assert_int_equal(strlen(X127), ID_KEY_NAME_MAX);
	check_rows(rows, ARRAY_LEN(rows), id_key_name_valid);
}

static void
id_token_name_rows(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"west",			      true },
		{"w",				 true },
		{"token-1",                           true },
		{"abcdefghijklmnopqrstuvwx12345678",  true },
		{"abcdefghijklmnopqrstuvwx123456789", false},
		{"",				  false},
		{"West",			      false},
		{"../west",                           false},
		{"we st",			     false},
	};

	check_rows(rows, ARRAY_LEN(rows), id_token_name_valid);
}

static void
id_uuid_rows(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"01234567-89ab-4cde-8f01-23456789abcd",  true },
		{"01234567-89AB-4CDE-8F01-23456789ABCD",  true },
		{"",				      false},
		{"0123456789ab4cde8f0123456789abcd",      false},
		{"{1234567-89ab-4cde-8f01-23456789abc}",  false},
		{"01234567-89ab-4cde-8f01-23456789abcg",  false},
		{"01234567-89ab-4cde-8f01-23456789abcde", false},
		{"01234567-89ab-4cde-8f01-23456789abc",   false},
		{"01234567-89ab-4cde-8f0-123456789abcd",  false},
	};

	check_rows(rows, ARRAY_LEN(rows), id_uuid_valid);
}

static void
id_uuid_format_sets_version_and_variant(void **state)
{
	(void)state;
	uint8_t octets[16];
	char text[ID_UUID_TEXT];

	memset(octets, 0xff, sizeof(octets));
	id_uuid_format(octets, text);
	assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	memset(octets, 0, sizeof(octets));
	id_uuid_format(octets, text);
	assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
	assert_true(id_uuid_valid(text));
}

static void
id_uuid_parse_reads_what_format_wrote(void **state)
{
	(void)state;
	uint8_t octets[16] = {0};
	char text[ID_UUID_TEXT];

	assert_true(id_uuid_parse("01234567-89AB-4cde-8f01-23456789abcd", octets));
	id_uuid_format(octets, text);
	assert_string_equal(text, "01234567-89ab-4cde-8f01-23456789abcd");
	assert_false(id_uuid_parse("01234567-89ab-4cde-8f01-23456789abc", octets));
	assert_false(id_uuid_parse("0123456789ab4cde8f0123456789abcd", octets));
}

static void
id_fold_changes_ascii_capitals_only(void **state)
{
	(void)state;
	char folded[32];

	id_fold("AZaz09-@[`{\xc3\x84", folded);

	assert_string_equal(folded, "azaz09-@[`{\xc3\x84");
}

static void
kid_parse_of_a_version_fills_every_part(void **state)
{
	(void)state;
	struct kid kid;

	assert_true(kid_parse("https://" HOST "/keys/Root-1/" ONE, &kid));

	assert_string_equal(kid.vault, "contosowestus");
	assert_string_equal(kid.host, HOST);
	assert_string_equal(kid.name, "Root-1");
	assert_string_equal(kid.version, ONE);
}

static void
kid_parse_without_version_leaves_it_empty(void **state)
{
	(void)state;
	struct kid kid;

	assert_true(kid_parse("https://contosowestus/keys/k", &kid));

	assert_string_equal(kid.vault, "contosowestus");
	assert_string_equal(kid.host, "contosowestus");
	assert_string_equal(kid.name, "k");
	assert_string_equal(kid.version, "");
}

/* E4, C17: spellings that mean the same elsewhere are not the same here. */
static void
E4_kid_parse_of_another_spelling_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"https://",
		"https:///keys/k/" ONE,
		"http://" HOST "/keys/k/" ONE,
		"HTTPS://" HOST "/keys/k/" ONE,
		"https:/" HOST "/keys/k/" ONE,
		"//" HOST "/keys/k/" ONE,
		" https://" HOST "/keys/k/" ONE,
		"https://" HOST ":443/keys/k/" ONE,
		"https://user@" HOST "/keys/k/" ONE,
		"https://" HOST "./keys/k/" ONE,
		"https://contosowestus..azure.net/keys/k/" ONE,
		"https://.vault.azure.net/keys/k/" ONE,
		"https://ContosoWestUS.vault.azure.net/keys/k/" ONE,
		"https://contoso%77estus.vault.azure.net/keys/k/" ONE,
		"https://contoso_westus.vault.azure.net/keys/k/" ONE,
		"https://[::1]/keys/k/" ONE,
		"https://127.0.0.1/keys/k/" ONE,
		"https://ab/keys/k/" ONE,
		"https://contosowestus-.vault.azure.net/keys/k/" ONE,
		"https://" X24 "y.vault.azure.net/keys/k/" ONE,
		"https://" HOST,
		"https://" HOST "/",
		"https://" HOST "/keys",
		"https://" HOST "/keys/",
		"https://" HOST "/Keys/k/" ONE,
		"https://" HOST "/secrets/k/" ONE,
		"https://" HOST "/deletedkeys/k",
		"https://" HOST "/keys//" ONE,
		"https://" HOST "//keys/k/" ONE,
		"https://" HOST "/keys/k/",
		"https://" HOST "/keys/k//" ONE,
		"https://" HOST "/keys/k/" ONE "/",
		"https://" HOST "/keys/k/" ONE "0",
		"https://" HOST "/keys/k/00112233445566778899aabbccddeef",
		"https://" HOST "/keys/k/00112233445566778899AABBCCDDEEFF",
		"https://" HOST "/keys/k/latest",
		"https://" HOST "/keys/k/" ONE "?api-version=7.4",
		"https://" HOST "/keys/k/" ONE "#top",
		"https://" HOST "/keys/k?api-version=7.4",
		"https://" HOST "/keys/k%2F/" ONE,
		"https://" HOST "/keys/k%00/" ONE,
		"https://" HOST "/keys/%6B/" ONE,
		"https://" HOST "/keys/../keys/k/" ONE,
		"https://" HOST "/keys/./k/" ONE,
		"https://" HOST "/keys/k;x/" ONE,
		"https://" HOST "/keys/k /" ONE,
		"https://" HOST "/keys/k/" ONE "\n",
		"https://" HOST "/keys/" X127 "8/" ONE,
		"https://" HOST "\\keys\\k\\" ONE,
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kid kid = {.name = "untouched"};
		if (kid_parse(rows[i], &kid))
			fail_msg("accepted: %s", rows[i]);
		assert_string_equal(kid.name, "untouched");
	}
}

static void
kid_parse_of_an_endless_host_is_refused(void **state)
{
	(void)state;
	char text[4096] = "https://contosowestus.";
	memset(text + strlen(text), 'a', 300);
	(void)strncat(text, "/keys/k/" ONE, sizeof(text) - strlen(text) - 1);
	struct kid kid;

	assert_false(kid_parse(text, &kid));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id_vault_name_rows),
		cmocka_unit_test(id_key_name_rows),
		cmocka_unit_test(id_token_name_rows),
		cmocka_unit_test(id_uuid_rows),
		cmocka_unit_test(id_uuid_format_sets_version_and_variant),
		cmocka_unit_test(id_uuid_parse_reads_what_format_wrote),
		cmocka_unit_test(id_fold_changes_ascii_capitals_only),
		cmocka_unit_test(kid_parse_of_a_version_fills_every_part),
		cmocka_unit_test(kid_parse_without_version_leaves_it_empty),
		cmocka_unit_test(E4_kid_parse_of_another_spelling_is_refused),
		cmocka_unit_test(kid_parse_of_an_endless_host_is_refused),
	};
	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
