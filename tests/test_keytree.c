/* Keys under keys: round trips, every move and every flipped bit refused, octets that must never change (threats G16, G17). */
#include "depd/keytree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "crypto/random.h"

static const struct keytree_generation first = {
	.organization = "contoso", .policy = {1}, .generation = {2}, .number = 1};
static const struct keytree_scope alice = {
	.organization = "contoso", .kind = KEYTREE_MAILBOX, .id = "alice", .key_id = {3}};

static struct xaes *
open_key(uint8_t octet)
{
	uint8_t octets[KEYTREE_KEY_LEN];
	memset(octets, octet, sizeof(octets));
	CLEAN(secret)
	struct secret *key = secret_from(octets, sizeof(octets));
	struct err err = {0};
	struct xaes *xaes = keytree_open_key(key, &err);
	assert_non_null(xaes);
	return xaes;
}

static void
wrap_alice(struct xaes *dep, const struct secret *key, uint8_t wrapped[static KEYTREE_WRAPPED_LEN])
{
	struct err err = {0};
	assert_true(keytree_wrap_scope(dep, &first, &alice, key, wrapped, &err));
}

static void
scope_key_goes_round(void **state)
{
	(void)state;
	uint8_t wrapped[KEYTREE_WRAPPED_LEN], again[KEYTREE_WRAPPED_LEN];
	struct err err = {0};
	CLEAN(xaes)
	struct xaes *dep = open_key(1);
	CLEAN(secret)
	struct secret *key = random_secret(KEYTREE_KEY_LEN);
	wrap_alice(dep, key, wrapped);
	wrap_alice(dep, key, again);

	CLEAN(secret)
	struct secret *opened = keytree_unwrap_scope(dep, &first, &alice, wrapped, &err);

	assert_non_null(opened);
	assert_true(secret_equal(opened, key));
	assert_memory_not_equal(wrapped, again, sizeof(wrapped)); /* a new nonce each time */
}

/* Whatever is named differently: the wrap belongs to one place. */
static void
scope_key_moved_anywhere_is_refused(void **state)
{
	(void)state;
	uint8_t wrapped[KEYTREE_WRAPPED_LEN];
	struct keytree_generation generations[5];
	struct keytree_scope scopes[5];
	for (size_t i = 0; i < 5; i++) {
		generations[i] = first;
		scopes[i] = alice;
	}
	generations[1].organization = "fabrikam";
	generations[2].policy[15] = 9;
	generations[3].generation[0] = 9;
	generations[4].number = 2;
	scopes[1].id = "bob";
	scopes[2].kind = KEYTREE_SITE;
	scopes[3].key_id[7] = 1;
	scopes[4].id = "alic";
	CLEAN(xaes)
	struct xaes *dep = open_key(1);
	CLEAN(secret)
	struct secret *key = random_secret(KEYTREE_KEY_LEN);
	wrap_alice(dep, key, wrapped);
	for (size_t g = 0; g < 5; g++) {
		for (size_t s = 0; s < 5; s++) {
			struct err err = {0};
			CLEAN(secret)
			struct secret *opened = keytree_unwrap_scope(
				dep, &generations[g], &scopes[s], wrapped, &err);
			if (g == 0 && s == 0) {
				assert_non_null(opened);
				continue;
			}
			print_message("generation %zu scope %zu\n", g, s);
			assert_null(opened);
			assert_int_equal(err.code, ERR_WRAPPED_KEY_INTEGRITY);
		}
	}
	CLEAN(xaes)
	struct xaes *other = open_key(2);
	struct err err = {0};
	assert_null(keytree_unwrap_scope(other, &first, &alice, wrapped, &err));
}

static void
scope_key_with_a_flipped_bit_is_refused(void **state)
{
	(void)state;
	uint8_t wrapped[KEYTREE_WRAPPED_LEN];
	CLEAN(xaes)
	struct xaes *dep = open_key(1);
	CLEAN(secret)
	struct secret *key = random_secret(KEYTREE_KEY_LEN);
	wrap_alice(dep, key, wrapped);
	for (size_t bit = 0; bit < 8 * sizeof(wrapped); bit++) {
		struct err err = {0};
		wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_null(keytree_unwrap_scope(dep, &first, &alice, wrapped, &err));
		wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static struct dep_token
make_token(void)
{
	struct dep_token token = {
		.kind = KEYTREE_MAILBOX, .id = "alice", .scope_key = {3}, .data_key = {4}};
	return token;
}

static void
data_key_goes_round_as_octets(void **state)
{
	(void)state;
	uint8_t key[KEYTREE_KEY_LEN], opened[KEYTREE_KEY_LEN], octets[DEP_TOKEN_MAX];
	struct dep_token token = make_token(), parsed;
	struct err err = {0};
	CLEAN(xaes)
	struct xaes *scope = open_key(5);
	random_bytes(key, sizeof(key));
	assert_true(keytree_wrap_data(scope, "contoso", &token, key, &err));
	size_t len = dep_token_format(&token, octets);

	assert_true(dep_token_parse((struct bytes){octets, len}, &parsed, &err));
	assert_true(keytree_unwrap_data(scope, "contoso", &parsed, opened, &err));

	assert_memory_equal(opened, key, sizeof(key));
	assert_string_equal(parsed.id, "alice");
}

/* Each flipped bit is refused by the parser or by the tag, in the same words (one answer for a bad ciphertext). */
static void
data_key_with_a_flipped_bit_is_refused(void **state)
{
	(void)state;
	static const uint8_t wiped[KEYTREE_KEY_LEN];
	uint8_t key[KEYTREE_KEY_LEN] = {7}, octets[DEP_TOKEN_MAX];
	struct dep_token token = make_token();
	struct err err = {0};
	CLEAN(xaes)
	struct xaes *scope = open_key(5);
	assert_true(keytree_wrap_data(scope, "contoso", &token, key, &err));
	size_t len = dep_token_format(&token, octets);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct dep_token parsed;
		uint8_t opened[KEYTREE_KEY_LEN] = {0};
		err_clear(&err);
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		bool done = dep_token_parse((struct bytes){octets, len}, &parsed, &err) &&
			    keytree_unwrap_data(scope, "contoso", &parsed, opened, &err);
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(done);
		assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
		assert_memory_equal(opened, wiped, sizeof(opened));
	}
	uint8_t opened[KEYTREE_KEY_LEN];
	assert_false(keytree_unwrap_data(scope, "fabrikam", &token, opened, &err));
}

static void
token_of_any_other_length_is_refused(void **state)
{
	(void)state;
	uint8_t octets[DEP_TOKEN_MAX + 1] = {0};
	struct dep_token token = make_token(), parsed;
	struct err err = {0};
	size_t len = dep_token_format(&token, octets);
	for (size_t i = 0; i <= sizeof(octets); i++) {
		if (i != len)
			assert_false(dep_token_parse((struct bytes){octets, i}, &parsed, &err));
	}
	memset(token.id, 'a', KEYTREE_SCOPE_ID_MAX);
	token.id[KEYTREE_SCOPE_ID_MAX] = '\0';
	len = dep_token_format(&token, octets);
	assert_int_equal(len, DEP_TOKEN_MAX);
	assert_true(dep_token_parse((struct bytes){octets, len}, &parsed, &err));
	octets[3]++; /* a length beyond the maximum, with the octets to match */
	assert_false(dep_token_parse((struct bytes){octets, len + 1}, &parsed, &err));
}

/* What was wrapped once must open for ever: octets made by another implementation (Python's hmac and cryptography). */
static void
format_never_changes(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf context;
	buf_init(&context, 512);
	keytree_envelope_context(&first, &context);
	char text[512];
	hex_encode(context.data, context.len, text);
	assert_string_equal(text, "637573746f64792d6465700001030007636f6e746f736f0010"
				  "0100000000000000000000000000000000100200000000000000"
				  "000000000000000000080000000000000001");
	uint8_t check[KEYTREE_CHECK_LEN], octets[KEYTREE_KEY_LEN];
	struct err err = {0};
	memset(octets, 1, sizeof(octets));
	CLEAN(secret)
	struct secret *key = secret_from(octets, sizeof(octets));
	assert_true(keytree_check_value(key, &first, check, &err));
	hex_encode(check, sizeof(check), text);
	assert_string_equal(
		text, "713148ebb4a5fc14f5dede62e54d7bebb761c05e642b171c6465ac1b9f81bc45");

	CLEAN(xaes)
	struct xaes *dep = open_key(1);
	static const char wrapped_text[] =
		"000102030405060708090a0b0c0d0e0f1011121314151617ceccf45a81ce07aa6d0a22055c4d1324c9"
		"32777e82ffd525dbb61e429cd35430"
		"badebce088b51c21acbe99015f96c8a6";
	uint8_t wrapped[KEYTREE_WRAPPED_LEN];
	assert_true(hex_decode(wrapped_text, wrapped, sizeof(wrapped)));
	CLEAN(secret)
	struct secret *opened = keytree_unwrap_scope(dep, &first, &alice, wrapped, &err);
	assert_non_null(opened);
	for (size_t i = 0; i < KEYTREE_KEY_LEN; i++)
		assert_int_equal(secret_peek(opened)[i], 100 + i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_key_goes_round),
		cmocka_unit_test(scope_key_moved_anywhere_is_refused),
		cmocka_unit_test(scope_key_with_a_flipped_bit_is_refused),
		cmocka_unit_test(data_key_goes_round_as_octets),
		cmocka_unit_test(data_key_with_a_flipped_bit_is_refused),
		cmocka_unit_test(token_of_any_other_length_is_refused),
		cmocka_unit_test(format_never_changes),
	};
	return cmocka_run_group_tests_name("keytree", tests, NULL, NULL);
}
