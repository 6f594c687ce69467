#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "api/key.h"
#include "json/json.h"

static const struct api_key_view plain_view = {
	.kid = "https://west.vault.test/keys/k/0123456789abcdef0123456789abcdef",
	.kty = "oct",
	.ops = ALG_UNWRAP | ALG_WRAP,
	.enabled = true,
	.nbf = API_NO_TIME,
	.exp = API_NO_TIME,
	.created = 1700000000,
	.updated = 1700000001,
	.retention_days = 90,
	.tags = "{}",
};

#define PLAIN_ATTRIBUTES                                                                           \
	"\"attributes\":{\"enabled\":true,\"created\":1700000000,\"updated\":1700000001,"          \
	"\"recoveryLevel\":\"Recoverable+Purgeable\",\"recoverableDays\":90,"                      \
	"\"exportable\":false,\"hsmPlatform\":\"0\"}"

static int
setup(void **state)
{
	static struct buf out;
	buf_init(&out, 65536);
	*state = &out;
	return 0;
}

static int
teardown(void **state)
{
	buf_clear(*state);
	return 0;
}

static void
bundle_of_oct_shows_no_key(void **state)
{
	struct buf *out = *state;

	api_key_bundle(&plain_view, out);

	assert_string_equal(buf_peek(out),
		"{\"key\":{\"kid\":\"https://west.vault.test/keys/k/"
		"0123456789abcdef0123456789abcdef\","
		"\"kty\":\"oct\",\"key_ops\":[\"wrapKey\",\"unwrapKey\"]}," PLAIN_ATTRIBUTES
		",\"tags\":{}}");
}

/* The base point of P-256 (SEC 2 §2.4.2), good enough as a public key. */
static const uint8_t point_x[32] = {0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc,
	0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96};
static const uint8_t point_y[32] = {0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7,
	0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb,
	0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static void
bundle_of_ec_shows_curve_and_point(void **state)
{
	struct buf *out = *state;
	struct err err;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_xy(CURVE_P256, (struct bytes){point_x, sizeof(point_x)},
		(struct bytes){point_y, sizeof(point_y)}, &err);
	struct api_key_view view = plain_view;
	view.kty = "EC-HSM";
	view.ops = ALG_SIGNS;
	view.pubkey = pubkey;

	api_key_bundle(&view, out);

	assert_non_null(strstr(buf_peek(out),
		"\"kty\":\"EC-HSM\",\"key_ops\":[\"sign\",\"verify\"],\"crv\":\"P-256\","
		"\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
		"\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}"));
}

/* Threats A22: not what the creator asked for by kty, but what is known of the key. */
static void
A22_bundle_says_hsm_only_of_generated_keys(void **state)
{
	struct buf *out = *state;
	struct api_key_view view = plain_view;
	view.kty = "oct-HSM";

	api_key_bundle(&view, out);
	assert_non_null(strstr(buf_peek(out), "\"hsmPlatform\":\"0\""));
	buf_clear(out);
	view.kty = "oct";
	view.hsm_generated = true;
	api_key_bundle(&view, out);

	assert_non_null(strstr(buf_peek(out), "\"hsmPlatform\":\"2\""));
}

static const struct api_key_custody plain_custody = {
	.kid = "https://west.vault.test/keys/k/0123456789abcdef0123456789abcdef",
	.token = "west",
	.strength_bits = 112,
};

static void
A22_custody_shows_each_bit_under_its_own_name(void **state)
{
	static const struct {
		size_t offset;
		const char *name;
	} rows[] = {
		{offsetof(struct api_key_custody, hardware),          "hardware"        },
		{offsetof(struct api_key_custody, mixed),             "mixed"           },
		{offsetof(struct api_key_custody, hsm_generated),     "hsmGenerated"    },
		{offsetof(struct api_key_custody, local),             "local"           },
		{offsetof(struct api_key_custody, always_sensitive),  "alwaysSensitive" },
		{offsetof(struct api_key_custody, never_extractable), "neverExtractable"},
		{offsetof(struct api_key_custody, generated_here),    "generatedHere"   },
		{offsetof(struct api_key_custody, imported),          "imported"        },
	};
	struct buf *out = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_key_custody custody = plain_custody;
		char wanted[64];
		*(bool *)((char *)&custody + rows[i].offset) = true;
		(void)snprintf(wanted, sizeof(wanted), "\"%s\":true", rows[i].name);

		api_key_custody(&custody, out);

		const char *first = strstr(buf_peek(out), "true");
		if (strstr(buf_peek(out), wanted) == NULL || strstr(first + 1, "true") != NULL)
			fail_msg("%s", buf_peek(out));
		buf_clear(out);
	}
}

static void
custody_has_all_its_members(void **state)
{
	struct buf *out = *state;

	api_key_custody(&plain_custody, out);

	assert_string_equal(buf_peek(out),
		"{\"kid\":\"https://west.vault.test/keys/k/"
		"0123456789abcdef0123456789abcdef\",\"token\":\"west\",\"region\":null,"
		"\"hardware\":false,\"state\":\"ok\",\"strengthBits\":112,\"mixed\":false,"
		"\"provenance\":{\"hsmGenerated\":false,\"local\":false,"
		"\"alwaysSensitive\":false,\"neverExtractable\":false,"
		"\"generatedHere\":false,\"imported\":false,\"attested\":null}}");
}

static void
custody_has_a_word_for_each_state(void **state)
{
	static const struct {
		enum api_key_state state;
		enum api_attested attested;
		const char *words[2];
	} rows[] = {
		{API_KEY_OK,        API_ATTESTED_UNKNOWN, {"\"state\":\"ok\"", "\"attested\":null"}     },
		{API_KEY_MISSING,   API_ATTESTED_YES,     {"\"state\":\"missing\"", "\"attested\":true"}},
		{API_KEY_INTEGRITY, API_ATTESTED_NO,
                 {"\"state\":\"integrity\"", "\"attested\":false"}                                      },
	};
	struct buf *out = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_key_custody custody = plain_custody;
		custody.region = "r";
		custody.state = rows[i].state;
		custody.attested = rows[i].attested;

		api_key_custody(&custody, out);

		assert_non_null(strstr(buf_peek(out), "\"region\":\"r\""));
		assert_non_null(strstr(buf_peek(out), rows[i].words[0]));
		assert_non_null(strstr(buf_peek(out), rows[i].words[1]));
		buf_clear(out);
	}
}

static void
bundle_of_rsa_shows_modulus_and_exponent(void **state)
{
	struct buf *out = *state;
	struct err err;
	uint8_t modulus[257];
	memset(modulus, 0xff, sizeof(modulus));
	modulus[0] = 0; /* a leading zero is cut (RFC 7518 §6.3.1.1) */
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_rsa((struct bytes){modulus, sizeof(modulus)},
		(struct bytes){(const uint8_t *)"\x01\x00\x01", 3}, &err);
	struct api_key_view view = plain_view;
	view.kty = "RSA";
	view.ops = ALG_OPS_ALL;
	view.pubkey = pubkey;

	api_key_bundle(&view, out);

	assert_non_null(strstr(buf_peek(out), "\"kty\":\"RSA\",\"key_ops\":[\"encrypt\","
					      "\"decrypt\",\"sign\",\"verify\",\"wrapKey\","
					      "\"unwrapKey\"],\"n\":\"_____"));
	assert_non_null(strstr(buf_peek(out), "____w\",\"e\":\"AQAB\"}"));
}

static void
bundle_shows_window_and_tags(void **state)
{
	struct buf *out = *state;
	struct api_key_view view = plain_view;
	view.enabled = false;
	view.nbf = 0;
	view.exp = 4102444800;
	view.tags = "{\"a\":\"b\"}";

	api_key_bundle(&view, out);

	assert_non_null(strstr(buf_peek(out), "\"attributes\":{\"enabled\":false,\"nbf\":0,\"exp\":"
					      "4102444800,\"created\":1700000000,"));
	assert_non_null(strstr(buf_peek(out), "\"tags\":{\"a\":\"b\"}}"));
}

static void
bundle_of_deleted_key_shows_how_long_it_lasts(void **state)
{
	struct buf *out = *state;
	struct api_key_view view = plain_view;
	view.recovery_id = "https://west.vault.test/deletedkeys/k";
	view.deleted_date = 1700000002;
	view.scheduled_purge_date = 1707776002;

	api_key_bundle(&view, out);

	assert_non_null(strstr(buf_peek(out),
		"\"tags\":{},\"recoveryId\":\"https://west.vault.test/deletedkeys/k\","
		"\"deletedDate\":1700000002,\"scheduledPurgeDate\":1707776002}"));
}

static void
bundle_that_does_not_fit_overflows(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf small;
	buf_init(&small, 100);

	api_key_bundle(&plain_view, &small);

	assert_true(small.overflow);
}

static void
page_without_items_has_an_array(void **state)
{
	struct buf *out = *state;
	struct api_key_page page;

	api_key_page_begin(&page, out);
	api_key_page_end(&page, NULL);

	assert_string_equal(buf_peek(out), "{\"value\":[],\"nextLink\":null}");
}

static void
page_items_show_no_key(void **state)
{
	struct buf *out = *state;
	struct api_key_page page;
	struct api_key_view first = plain_view;
	struct api_key_view second = plain_view;
	first.kid = "https://west.vault.test/keys/a";
	second.kid = "https://west.vault.test/keys/b";
	second.recovery_id = "https://west.vault.test/deletedkeys/b";
	second.deleted_date = 1;
	second.scheduled_purge_date = 2;

	api_key_page_begin(&page, out);
	api_key_page_item(&page, &first);
	api_key_page_item(&page, &second);
	api_key_page_end(&page, "https://west.vault.test/keys?$skiptoken=x");

	assert_string_equal(buf_peek(out),
		"{\"value\":["
		"{\"kid\":\"https://west.vault.test/keys/a\"," PLAIN_ATTRIBUTES ",\"tags\":{}},"
		"{\"kid\":\"https://west.vault.test/keys/b\"," PLAIN_ATTRIBUTES ",\"tags\":{},"
		"\"recoveryId\":\"https://west.vault.test/deletedkeys/b\",\"deletedDate\":1,"
		"\"scheduledPurgeDate\":2}],"
		"\"nextLink\":\"https://west.vault.test/keys?$skiptoken=x\"}");
}

/* akv-contract §5: contains Purgeable if and only if purging is allowed. */
static void
recovery_level_follows_the_vault(void **state)
{
	static const struct {
		int days;
		bool protection;
		const char *level;
	} rows[] = {
		{90, false, "Recoverable+Purgeable"          },
		{90, true,  "Recoverable"                    },
		{89, false, "CustomizedRecoverable+Purgeable"},
		{89, true,  "CustomizedRecoverable"          },
		{7,  false, "CustomizedRecoverable+Purgeable"},
		{7,  true,  "CustomizedRecoverable"          },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
			api_recovery_level(rows[i].days, rows[i].protection), rows[i].level);
}

/* Threats C20: whatever a tag says stays inside its string, and on one line. */
static void
bundle_tags_cannot_break_out_c20(void **state)
{
	static const char body[] =
		"{\"kty\":\"oct\",\"tags\":{\"a\\n{\\\"b\":\"\\u001b[2J\\r\\\"},\\\"key\\\":{\"}}";
	struct buf *out = *state;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct api_key_create create;
	struct api_key_view view = plain_view;
	struct err err;

	assert_true(api_key_create_decode(bytes_of_text(body), arena, &create, &err));
	view.tags = create.tags;
	api_key_bundle(&view, out);

	CLEAN(json)
	struct json_value *bundle = json_parse(out->data, out->len, out->len, &err);
	assert_non_null(bundle);
	assert_int_equal(json_count(bundle), 3);
	assert_string_equal(json_text(json_member(json_member(bundle, "tags"), "a\n{\"b")),
		"\x1b[2J\r\"},\"key\":{");
	for (const char *c = buf_peek(out); *c != '\0'; c++)
		assert_true((unsigned char)*c >= ' ');
}

/* What is created comes back as it was asked for. */
static void
bundle_round_trip_keeps_operations_and_tags(void **state)
{
	static const char body[] = "{\"kty\":\"oct-HSM\",\"key_ops\":[\"decrypt\",\"encrypt\"],"
				   "\"tags\":{\"\\\"q\\\"\":\"\\u001b\"}}";
	struct buf *out = *state;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct api_key_create create;
	struct api_key_view view = plain_view;
	struct err err;

	assert_true(api_key_create_decode(bytes_of_text(body), arena, &create, &err));
	view.kty = kty_name(create.kty);
	view.ops = create.ops;
	view.tags = create.tags;
	api_key_bundle(&view, out);

	CLEAN(json)
	struct json_value *bundle = json_parse(out->data, out->len, out->len, &err);
	assert_non_null(bundle);
	const struct json_value *key = json_member(bundle, "key");
	assert_string_equal(json_text(json_member(key, "kty")), "oct-HSM");
	assert_int_equal(json_count(json_member(key, "key_ops")), 2);
	assert_string_equal(json_text(json_item(json_member(key, "key_ops"), 0)), "encrypt");
	assert_string_equal(json_text(json_member(json_member(bundle, "tags"), "\"q\"")), "\x1b");
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bundle_of_oct_shows_no_key),
		TEST(bundle_of_ec_shows_curve_and_point),
		TEST(A22_bundle_says_hsm_only_of_generated_keys),
		TEST(A22_custody_shows_each_bit_under_its_own_name),
		TEST(custody_has_all_its_members),
		TEST(custody_has_a_word_for_each_state),
		TEST(bundle_of_rsa_shows_modulus_and_exponent),
		TEST(bundle_shows_window_and_tags),
		TEST(bundle_of_deleted_key_shows_how_long_it_lasts),
		TEST(bundle_that_does_not_fit_overflows),
		TEST(page_without_items_has_an_array),
		TEST(page_items_show_no_key),
		TEST(recovery_level_follows_the_vault),
		TEST(bundle_tags_cannot_break_out_c20),
		TEST(bundle_round_trip_keeps_operations_and_tags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
