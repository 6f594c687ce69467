#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/dual.h"
#include "arena_fixture.h"
#include "base/b64.h"

#define WEST_BASE "https://west.vault.test/keys/k"
#define EAST_BASE "https://east.vault.test/keys/k"
#define WEST      WEST_BASE "/0123456789abcdef0123456789abcdef"
#define EAST      EAST_BASE "/fedcba9876543210fedcba9876543210"
#define KEYS      "\"keys\":[\"" WEST "\",\"" EAST "\"]"

/* ---- wrapkey and generatekey ---- */

static void
wrap_is_decoded(void **state)
{
	static const char body[] = "{" KEYS ",\"context\":\"Y3R4\",\"value\":\"AAEC_w\"}";
	CLEAN(api_dual_make)
	struct api_dual_make make = {0};
	struct err err;

	assert_true(api_dual_wrap_decode(bytes_of_text(body), *state, &make, &err));

	assert_true(make.keys.set);
	assert_string_equal(make.keys.text[0], WEST);
	assert_string_equal(make.keys.text[1], EAST);
	assert_string_equal(make.keys.kid[0].vault, "west");
	assert_string_equal(make.keys.kid[1].version, "fedcba9876543210fedcba9876543210");
	assert_true(bytes_equal(make.context, bytes_of_text("ctx")));
	assert_int_equal(secret_len(make.value), 4);
	assert_memory_equal(secret_peek(make.value), "\x00\x01\x02\xff", 4);
	assert_int_equal(make.length, 0);
}

static void
wrap_takes_versionless_keys_and_an_empty_context(void **state)
{
	static const char body[] =
		"{\"keys\":[\"" WEST_BASE "\",\"" EAST "\"],\"context\":\"\",\"value\":\"AA\"}";
	CLEAN(api_dual_make)
	struct api_dual_make make = {0};
	struct err err;

	assert_true(api_dual_wrap_decode(bytes_of_text(body), *state, &make, &err));

	assert_string_equal(make.keys.kid[0].version, "");
	assert_int_equal(make.context.len, 0);
}

static void
generate_is_decoded(void **state)
{
	for (int length = 15; length <= 65; length++) {
		const char *body =
			arena_printf(*state, "{" KEYS ",\"context\":\"\",\"length\":%d}", length);
		CLEAN(api_dual_make)
		struct api_dual_make make = {0};
		struct err err = {.code = ERR_NONE};

		bool taken = api_dual_generate_decode(bytes_of_text(body), *state, &make, &err);

		ASSERT_ROW(taken == (length >= 16 && length <= 64), body);
		ASSERT_ROW(!taken || make.length == (size_t)length, body);
		ASSERT_ROW(!taken || make.value == NULL, body);
		ASSERT_ROW(taken || strstr(err.message, "length") != NULL, body);
	}
}

struct refusal {
	const char *body;
	const char *says;
};

static const struct refusal wrap_refusals[] = {
	{"",										      ""       },
	{"{\"context\":\"\",\"value\":\"AA\"}",						   "keys"   },
	{"{\"keys\":null,\"context\":\"\",\"value\":\"AA\"}",                                     "keys"   },
	{"{\"keys\":\"" WEST "\",\"context\":\"\",\"value\":\"AA\"}",                             "keys"   },
	{"{\"keys\":[],\"context\":\"\",\"value\":\"AA\"}",                                       "keys"   },
	{"{\"keys\":[\"" WEST "\"],\"context\":\"\",\"value\":\"AA\"}",                           "keys"   },
	{"{\"keys\":[\"" WEST "\",\"" EAST "\",\"" EAST "\"],\"context\":\"\",\"value\":\"AA\"}",
         "keys"											    },
	{"{\"keys\":[\"" WEST "\",null],\"context\":\"\",\"value\":\"AA\"}",                      "keys"   },
	{"{" KEYS ",\"value\":\"AA\"}",							   "context"},
	{"{" KEYS ",\"context\":null,\"value\":\"AA\"}",                                          "context"},
	{"{" KEYS ",\"context\":\"A\",\"value\":\"AA\"}",                                         "context"},
	{"{" KEYS ",\"context\":\"\"}",							   "value"  },
	{"{" KEYS ",\"context\":\"\",\"value\":\"\"}",                                            "value"  },
	{"{" KEYS ",\"context\":\"\",\"value\":\"AA==\"}",                                        "value"  },
	{"{" KEYS ",\"context\":\"\",\"value\":\"AA\",\"length\":16}",                            ""       },
	{"{" KEYS ",\"context\":\"\",\"value\":\"AA\",\"Context\":\"AA\"}",                       ""       },
};

static void
wrap_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(wrap_refusals); i++) {
		const struct refusal *row = &wrap_refusals[i];
		struct api_dual_make make = {.length = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_dual_wrap_decode(bytes_of_text(row->body), *state, &make, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(make.length == 77, row->body);
	}
}

/* Threats E4: a key has one spelling; others are refused, not repaired. */
static void
wrap_key_is_in_canonical_spelling_e4(void **state)
{
	static const char *const spellings[] = {
		"",
		"k",
		EAST_BASE "/",
		EAST "/",
		EAST "?x=1",
		EAST "#x",
		EAST_BASE "/FEDCBA9876543210FEDCBA9876543210",
		EAST_BASE "/fedcba9876543210",
		"http://east.vault.test/keys/k",
		"HTTPS://east.vault.test/keys/k",
		"https://East.vault.test/keys/k",
		"https://east.vault.test:443/keys/k",
		"https://east.vault.test//keys/k",
		"https://east.vault.test/keys/%6b",
		"https://east.vault.test/secrets/k",
		"https://user@east.vault.test/keys/k",
	};
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		const char *body = arena_printf(*state,
			"{\"keys\":[\"" WEST "\",\"%s\"],\"context\":\"\",\"value\":\"AA\"}",
			spellings[i]);
		struct api_dual_make make = {.length = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_dual_wrap_decode(bytes_of_text(body), *state, &make, &err), body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, body);
		ASSERT_ROW(strstr(err.message, "keys[1]") != NULL, body);
		ASSERT_ROW(make.length == 77, body);
	}
}

static const char *
zeros(struct arena *arena, size_t octets)
{
	char *text = arena_alloc(arena, b64_encoded_len(octets) + 1);
	b64_encode(arena_alloc(arena, octets + 1), octets, text);
	return text;
}

static void
wrap_value_and_context_have_limits(void **state)
{
	static const struct {
		size_t context, value;
		const char *says; /* NULL: taken */
	} rows[] = {
		{ENVELOPE_CONTEXT_MAX,     ENVELOPE_PLAINTEXT_MAX,     NULL     },
		{ENVELOPE_CONTEXT_MAX + 1, ENVELOPE_PLAINTEXT_MAX,     "context"},
		{ENVELOPE_CONTEXT_MAX,     ENVELOPE_PLAINTEXT_MAX + 1, "value"  },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *body =
			arena_printf(*state, "{" KEYS ",\"context\":\"%s\",\"value\":\"%s\"}",
				zeros(*state, rows[i].context), zeros(*state, rows[i].value));
		CLEAN(api_dual_make)
		struct api_dual_make make = {0};
		struct err err = {.code = ERR_NONE};

		bool taken = api_dual_wrap_decode(bytes_of_text(body), *state, &make, &err);

		assert_int_equal(taken, rows[i].says == NULL);
		assert_true(taken || strstr(err.message, rows[i].says) != NULL);
	}
}

/* ---- unwrapkey, check, rewrapkey ---- */

static const struct envelope_key recipients[] = {
	{WEST, ALG_A256KW},
	{EAST, ALG_A256KW},
};

/* The text of an envelope with context "ctx". */
static const char *
envelope_text(struct arena *arena)
{
	uint8_t wrapped[ENVELOPE_KW_LEN] = {1};
	struct err err;
	CLEAN(secret)
	struct secret *plaintext = secret_from("top secret", 10);
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *envelope =
		envelope_make(recipients, 2, bytes_of_text("ctx"), plaintext, &cek, &err);
	CLEAN(buf)
	struct buf text;
	buf_init(&text, ENVELOPE_TEXT_MAX);

	assert_non_null(envelope);
	for (size_t i = 0; i < 2; i++)
		assert_true(envelope_set_key(
			envelope, i, (struct bytes){wrapped, sizeof(wrapped)}, &err));
	assert_true(envelope_format(envelope, &text, &err));
	return arena_strndup(arena, buf_peek(&text), text.len);
}

static void
open_is_decoded(void **state)
{
	const char *body = arena_printf(
		*state, "{\"envelope\":%s,\"context\":\"Y3R4\"}", envelope_text(*state));
	CLEAN(api_dual_open)
	struct api_dual_open open = {0};
	struct err err;

	assert_true(api_dual_open_decode(bytes_of_text(body), *state, &open, &err));

	assert_int_equal(open.envelope->recipient_count, 2);
	assert_string_equal(open.envelope->recipients[1].key.kid, EAST);
	assert_true(bytes_equal(open.context, bytes_of_text("ctx")));
	assert_true(envelope_check_context(open.envelope, open.context, &err));
	assert_false(open.keys.set);
}

static void
rewrap_takes_keys_or_none(void **state)
{
	const char *envelope = envelope_text(*state);
	const char *without =
		arena_printf(*state, "{\"envelope\":%s,\"context\":\"Y3R4\"}", envelope);
	const char *with =
		arena_printf(*state, "{\"envelope\":%s,\"context\":\"Y3R4\"," KEYS "}", envelope);
	CLEAN(api_dual_open)
	struct api_dual_open first = {0};
	CLEAN(api_dual_open)
	struct api_dual_open second = {0};
	struct err err;

	assert_true(api_dual_rewrap_decode(bytes_of_text(without), *state, &first, &err));
	assert_true(api_dual_rewrap_decode(bytes_of_text(with), *state, &second, &err));

	assert_false(first.keys.set);
	assert_true(second.keys.set);
	assert_string_equal(second.keys.kid[0].vault, "west");
}

static const struct refusal open_refusals[] = {
	{"{\"context\":\"\"}",                          "envelope"},
	{"{\"envelope\":null,\"context\":\"\"}",        "envelope"},
	{"{\"envelope\":\"{}\",\"context\":\"\"}",      ""        },
	{"{\"envelope\":{},\"context\":\"\"}",          ""        },
	{"{\"envelope\":[1],\"context\":\"\"}",         ""        },
	{"{\"envelope\":{\"protected\":\"\"}}",         "context" },
	{"{\"envelope\":{},\"context\":\"\",\"x\":1}",  ""        },
	{"{\"envelope\":{},\"context\":\"\"," KEYS "}", ""        },
};

static void
open_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(open_refusals); i++) {
		const struct refusal *row = &open_refusals[i];
		struct api_dual_open open = {.keys = {.set = true}};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_dual_open_decode(bytes_of_text(row->body), *state, &open, &err),
			row->body);

		ASSERT_ROW(err_status(err.code) == 400, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(open.keys.set && open.envelope == NULL, row->body);
	}
}

static void
rewrap_with_one_key_is_refused(void **state)
{
	const char *body = arena_printf(*state,
		"{\"envelope\":%s,\"context\":\"Y3R4\",\"keys\":[\"" WEST "\"]}",
		envelope_text(*state));
	struct api_dual_open open;
	struct err err;

	assert_false(api_dual_rewrap_decode(bytes_of_text(body), *state, &open, &err));

	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_non_null(strstr(err.message, "keys"));
}

/* ---- answers ---- */

static const struct api_attempt attempts[] = {
	{WEST, "west", ERR_UNAVAILABLE   },
	{EAST, "east", ERR_NONE          },
	{EAST, NULL,   ERR_KEY_DISABLED  },
	{EAST, "east", ERR_BAD_CIPHERTEXT},
	{EAST, "east", ERR_KEY_INTEGRITY },
};

#define ATTEMPT_WEST                                                                               \
	"{\"kid\":\"" WEST                                                                         \
	"\",\"token\":\"west\",\"outcome\":\"unavailable\",\"code\":\"ServiceUnavailable\"}"
#define ATTEMPT_EAST                                                                               \
	"{\"kid\":\"" EAST "\",\"token\":\"east\",\"outcome\":\"opened\",\"code\":null}"

static int
setup_out(void **state)
{
	static struct buf out;
	buf_init(&out, 65536);
	*state = &out;
	return 0;
}

static int
teardown_out(void **state)
{
	buf_clear(*state);
	return 0;
}

static void
attempts_show_outcome_and_code(void **state)
{
	struct buf *out = *state;

	api_attempts_format(attempts, ARRAY_LEN(attempts), out);

	assert_string_equal(buf_peek(out),
		"[" ATTEMPT_WEST "," ATTEMPT_EAST ",{\"kid\":\"" EAST
		"\",\"token\":null,\"outcome\":\"denied\",\"code\":\"KeyDisabled\"},"
		"{\"kid\":\"" EAST
		"\",\"token\":\"east\",\"outcome\":\"bad\",\"code\":\"BadCiphertext\"},"
		"{\"kid\":\"" EAST
		"\",\"token\":\"east\",\"outcome\":\"integrity\",\"code\":\"KeyIntegrity\"}]");
}

static void
made_shows_envelope_and_warnings(void **state)
{
	static const char *const warnings[] = {"mixed \"key\""};
	struct buf *out = *state;

	api_dual_made_format(bytes_of_text("{\"e\":1}"), NULL, warnings, 1, out);

	assert_string_equal(
		buf_peek(out), "{\"envelope\":{\"e\":1},\"warnings\":[\"mixed \\\"key\\\"\"]}");
}

static void
generated_shows_the_value(void **state)
{
	struct buf *out = *state;
	CLEAN(secret)
	struct secret *value = secret_from("key", 3);

	api_dual_made_format(bytes_of_text("{}"), value, NULL, 0, out);

	assert_string_equal(buf_peek(out), "{\"value\":\"a2V5\",\"envelope\":{},\"warnings\":[]}");
}

static void
opened_shows_value_and_attempts(void **state)
{
	struct buf *out = *state;
	CLEAN(secret)
	struct secret *value = secret_from("key", 3);

	api_dual_opened_format(value, EAST, true, attempts, 2, out);

	assert_string_equal(buf_peek(out),
		"{\"value\":\"a2V5\",\"kid\":\"" EAST
		"\",\"degraded\":true,\"attempts\":[" ATTEMPT_WEST "," ATTEMPT_EAST "]}");
}

static void
rewrapped_shows_envelope_and_attempts(void **state)
{
	struct buf *out = *state;

	api_dual_rewrapped_format(bytes_of_text("{}"), false, &attempts[1], 1, NULL, 0, out);

	assert_string_equal(buf_peek(out),
		"{\"envelope\":{},\"degraded\":false,\"attempts\":[" ATTEMPT_EAST
		"],\"warnings\":[]}");
}

static void
check_counts_what_opened(void **state)
{
	struct buf *out = *state;
	static const struct api_attempt three[] = {
		{EAST, "east", ERR_NONE},
		{EAST, "east", ERR_NONE},
		{EAST, "east", ERR_NONE},
	};

	api_dual_check_format(attempts, 2, out);
	assert_string_equal(buf_peek(out),
		"{\"recipients\":[" ATTEMPT_WEST "," ATTEMPT_EAST "],\"redundancy\":1}");
	buf_reset(out);
	api_dual_check_format(attempts, 1, out);
	assert_non_null(strstr(buf_peek(out), "\"redundancy\":0}"));
	buf_reset(out);
	api_dual_check_format(three, 3, out);
	assert_non_null(strstr(buf_peek(out), "\"redundancy\":2}"));
}

int
main(void)
{
#define TEST(function)     cmocka_unit_test_setup_teardown(function, setup, teardown)
#define TEST_OUT(function) cmocka_unit_test_setup_teardown(function, setup_out, teardown_out)
	const struct CMUnitTest tests[] = {
		TEST(wrap_is_decoded),
		TEST(wrap_takes_versionless_keys_and_an_empty_context),
		TEST(generate_is_decoded),
		TEST(wrap_rule_broken_is_refused_by_name),
		TEST(wrap_key_is_in_canonical_spelling_e4),
		TEST(wrap_value_and_context_have_limits),
		TEST(open_is_decoded),
		TEST(rewrap_takes_keys_or_none),
		TEST(open_rule_broken_is_refused_by_name),
		TEST(rewrap_with_one_key_is_refused),
		TEST_OUT(attempts_show_outcome_and_code),
		TEST_OUT(made_shows_envelope_and_warnings),
		TEST_OUT(generated_shows_the_value),
		TEST_OUT(opened_shows_value_and_attempts),
		TEST_OUT(rewrapped_shows_envelope_and_attempts),
		TEST_OUT(check_counts_what_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
