/* The dual envelope: vectors, round trips, and every way to be malformed (threats E1 to E17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "crypto/random.h"
#include "crypto/rsapad.h"
#include "jose/envelope.h"
#include "support/softkey.h"
#include "support/vectors.h"

#define KID_A "https://west.vault.azure.net/keys/root/0123456789abcdef0123456789abcdef"
#define KID_B "https://east.vault.azure.net/keys/root/fedcba9876543210fedcba9876543210"

static const struct envelope_key keys[2] = {
	{.kid = KID_A, .alg = ALG_RSA_OAEP_256},
        {.kid = KID_B, .alg = ALG_A256KW      }
};

struct fixture {
	EVP_PKEY *pkey;
	struct pubkey *pubkey;
	struct secret *plaintext;
	struct bytes context;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	fixture.pkey = softkey_rsa(2048);
	fixture.pubkey = softkey_pubkey(fixture.pkey);
	fixture.plaintext = secret_from("thirty-two octets of a data key.", 32);
	fixture.context = bytes_of_text("tenant contoso");
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	secret_free(fixture->plaintext);
	pubkey_free(fixture->pubkey);
	EVP_PKEY_free(fixture->pkey);
	return 0;
}

/* An envelope for keys[]; the oct recipient's encrypted key is arbitrary, as no test here unwraps it. */
static struct envelope *
make(struct fixture *fixture, struct bytes context, struct secret **ret_cek)
{
	struct err err = {0};
	uint8_t wrapped[ENVELOPE_KW_LEN];
	random_bytes(wrapped, sizeof(wrapped));
	struct envelope *envelope =
		envelope_make(keys, 2, context, fixture->plaintext, ret_cek, &err);
	assert_non_null(envelope);
	assert_true(envelope_wrap(envelope, 0, fixture->pubkey, *ret_cek, &err));
	assert_true(envelope_set_key(envelope, 1, (struct bytes){wrapped, sizeof(wrapped)}, &err));
	return envelope;
}

static void
format(const struct envelope *envelope, struct buf *text)
{
	struct err err = {0};
	buf_init(text, ENVELOPE_TEXT_MAX);
	assert_true(envelope_format(envelope, text, &err));
}

/* ---- vectors ---- */

static void
check_vector(struct vectors *vectors, const struct json_value *group, const struct json_value *test)
{
	(void)group;
	struct err err = {0};
	bool valid = vectors_result(test) == 'v';
	struct bytes cek_octets = vectors_hex(vectors, test, "cek");
	struct bytes plaintext = vectors_hex(vectors, test, "plaintext");
	bool degraded = false;
	CLEAN(secret)
	struct secret *cek = secret_from(cek_octets.data, cek_octets.len);
	CLEAN(secret)
	struct secret *opened = NULL;
	CLEAN(envelope)
	struct envelope *envelope = envelope_decode(json_member(test, "envelope"), &err);
	if (envelope != NULL)
		opened = envelope_open(envelope, vectors_hex(vectors, test, "context"), cek, &err);
	if ((opened != NULL) != valid)
		vectors_fail(vectors, test, valid ? err.message : "opened");
	if (!valid)
		return;
	if (!bytes_equal(secret_bytes(opened), plaintext))
		vectors_fail(vectors, test, "another plaintext");
	assert_true(json_bool(json_member(test, "degraded"), &degraded));
	assert_int_equal(envelope_degraded(envelope), degraded);
}

static void
envelope_vectors_open_as_they_should(void **state)
{
	(void)state;
	vectors_run("envelope/envelope_test.json", check_vector);
}

/* ---- round trips ---- */

static void
envelope_round_trip_through_text_and_key(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(buf)
	struct buf text;
	format(made, &text);

	CLEAN(envelope)
	struct envelope *parsed = envelope_parse(buf_peek(&text), text.len, &err);
	assert_non_null(parsed);
	CLEAN(secret)
	struct secret *raw = secret_new(256);
	assert_true(
		softkey_raw(fixture->pkey, parsed->recipients[0].encrypted_key, secret_data(raw)));
	CLEAN(secret)
	struct secret *unwrapped = rsapad_oaep_decode(raw, HASH_SHA256, ENVELOPE_CEK_LEN, &err);
	assert_non_null(unwrapped);
	CLEAN(secret)
	struct secret *opened = envelope_open(parsed, fixture->context, unwrapped, &err);

	assert_non_null(opened);
	assert_true(secret_equal(opened, fixture->plaintext));
	assert_false(envelope_degraded(parsed));
	CLEAN(buf)
	struct buf again;
	format(parsed, &again);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
	CLEAN(envelope)
	struct envelope *copy = envelope_dup(parsed);
	CLEAN(buf)
	struct buf copied;
	format(copy, &copied);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&copied)));
}

static void
E5_empty_context_is_a_context(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct bytes none = {NULL, 0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, none, &cek);
	CLEAN(buf)
	struct buf text;
	format(made, &text);
	assert_null(strstr(buf_peek(&text), "\"aad\"")); /* RFC 7516 §7.2.1 */

	CLEAN(envelope)
	struct envelope *parsed = envelope_parse(buf_peek(&text), text.len, &err);
	CLEAN(secret)
	struct secret *opened = envelope_open(parsed, none, cek, &err);

	assert_non_null(opened);
	assert_false(envelope_check_context(parsed, fixture->context, &err));
	assert_false(envelope_check_context(parsed, (struct bytes){(const uint8_t *)"", 1}, &err));
	assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
}

static void
envelope_limits_of_making(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	uint8_t octets[ENVELOPE_CONTEXT_MAX + 1] = {0};
	struct bytes context = {octets, ENVELOPE_CONTEXT_MAX};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(secret)
	struct secret *longest = secret_new(ENVELOPE_PLAINTEXT_MAX);
	CLEAN(secret)
	struct secret *longer = secret_new(ENVELOPE_PLAINTEXT_MAX + 1);
	CLEAN(envelope)
	struct envelope *made = envelope_make(keys, 2, context, longest, &cek, &err);
	assert_non_null(made);
	struct secret *untouched = NULL;
	struct envelope_key bad[2] = {keys[0], keys[1]};

	assert_null(envelope_make(keys, 2, context, longer, &untouched, &err));
	context.len++;
	assert_null(envelope_make(keys, 2, context, fixture->plaintext, &untouched, &err));
	context.len = 0;
	assert_null(envelope_make(keys, 1, context, fixture->plaintext, &untouched, &err));
	assert_null(envelope_make(keys, 9, context, fixture->plaintext, &untouched, &err));
	bad[1] = keys[0];
	assert_null(envelope_make(bad, 2, context, fixture->plaintext, &untouched, &err));
	bad[1] = (struct envelope_key){.kid = KID_B, .alg = ALG_RSA_OAEP};
	assert_null(envelope_make(bad, 2, context, fixture->plaintext, &untouched, &err));
	bad[1] = (struct envelope_key){
		.kid = "https://east.vault.azure.net/keys/root", .alg = ALG_A256KW};
	assert_null(envelope_make(bad, 2, context, fixture->plaintext, &untouched, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_null(untouched);
	assert_false(envelope_set_key(made, 1, (struct bytes){octets, 41}, &err));
	assert_false(envelope_set_key(made, 0, (struct bytes){octets, 255}, &err));
	envelope_free(NULL);
}

/* ---- malformed text ---- */

/* A copy of `text` with the first `from` replaced; fails if there is none. */
static char *
replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	if (at == NULL)
		fail_msg("'%s' is not in the envelope", from);
	size_t size = strlen(text) + strlen(to) + 1;
	char *result = malloc(size);
	assert_non_null(result);
	(void)snprintf(result, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return result;
}

/* The same inside the protected header. */
static char *
replace_protected(
	const struct envelope *envelope, const char *text, const char *from, const char *to)
{
	char json[4096];
	char encoded[6000];
	size_t len = 0;
	assert_true(
		b64_decode(envelope->protected_text, strlen(envelope->protected_text), json, &len));
	json[len] = '\0';
	char *changed = replace(json, from, to);
	b64_encode(changed, strlen(changed), encoded);
	char *result = replace(text, envelope->protected_text, encoded);
	free(changed);
	return result;
}

struct change {
	const char *name;
	bool protected;
	const char *from;
	const char *to;
};

static const struct change changes[] = {
	{"E2 enc A128GCM",                 true,  "A256GCM",                          "A128GCM"                                      },
	{"E2 enc A256CBC-HS512",           true,  "A256GCM",                          "A256CBC-HS512"                                },
	{"E2 enc absent",                  true,  "\"enc\":\"A256GCM\",",             ""                                             },
	{"E2 alg none",                    false, "RSA-OAEP-256",                     "none"                                         },
	{"E2 alg dir",                     false, "RSA-OAEP-256",                     "dir"                                          },
	{"E2 alg RSA1_5",                  false, "RSA-OAEP-256",                     "RSA1_5"                                       },
	{"E2 alg RSA-OAEP",                false, "RSA-OAEP-256",                     "RSA-OAEP"                                     },
	{"E2 alg A128KW",                  false, "A256KW",                           "A128KW"                                       },
	{"E2 alg PBES2",                   false, "A256KW",                           "PBES2-HS256+A128KW"                           },
	{"E2 alg ECDH-ES",                 false, "A256KW",                           "ECDH-ES+A256KW"                               },
	{"E2 alg A256GCMKW",               false, "A256KW",                           "A256GCMKW"                                    },
	{"E2 alg of the list only",        true,  "RSA-OAEP-256",                     "A256KW"                                       },
	{"E2 alg of the list not allowed", true,  "RSA-OAEP-256",                     "RSA-OAEP"                                     },
	{"E3 protected twice",             false, "{\"protected\"",                   "{\"protected\":\"e30\",\"protected\""         },
	{"E3 enc twice",                   true,  "{\"enc\"",                         "{\"enc\":\"A256GCM\",\"enc\""                 },
	{"E3 rcp twice",                   true,  "\"rcp\"",                          "\"rcp\":[],\"rcp\""                           },
	{"E3 kid twice",                   false, "{\"kid\"",                         "{\"kid\":\"" KID_B "\",\"kid\""               },
	{"E3 alg in protected too",        true,  "{\"enc\"",                         "{\"alg\":\"RSA-OAEP-256\",\"enc\""            },
	{"E3 kid in protected too",        true,  "{\"enc\"",                         "{\"kid\":\"" KID_A "\",\"enc\""               },
	{"E3 enc in a recipient too",      false, "{\"kid\"",                         "{\"enc\":\"A256GCM\",\"kid\""                 },
	{"E3 unprotected",                 false, "{\"protected\"",                   "{\"unprotected\":{},\"protected\""            },
	{"E4 kid of another vault",        false, KID_A,
         "https://north.vault.azure.net/keys/root/0123456789abcdef0123456789abcdef"                                                  },
	{"E4 kid without version",         false, KID_A,                              "https://west.vault.azure.net/keys/root"       },
	{"E4 kid in capitals",             false, "0123456789abcdef0",                "0123456789ABCDEF0"                            },
	{"E4 kid with a slash behind",     false, KID_A,                              KID_A "/"                                      },
	{"E4 kid escaped",                 false, "/keys/root/0",                     "/keys/%72oot/0"                               },
	{"E4 kid by http",                 false, "https://west",                     "http://west"                                  },
	{"E4 kid with a query",            false, KID_A,                              KID_A "?x"                                     },
	{"E4 kid with a port",             false, "azure.net/keys/root/0",            "azure.net:443/keys/root/0"                    },
	{"E4 kid with a NUL",              false, KID_A,                              KID_A "\\u0000"                                },
	{"E4 kid changed in the list",     true,  "https://west",                     "https://vest"                                 },
	{"E4 jku",			 false, "{\"kid\"",                         "{\"jku\":\"https://evil.example/k\",\"kid\""  },
	{"E4 jwk",			 false, "{\"kid\"",                         "{\"jwk\":{},\"kid\""                          },
	{"E4 x5u",			 false, "{\"kid\"",                         "{\"x5u\":\"https://evil.example/c\",\"kid\""  },
	{"E4 x5c in protected",            true,  "{\"enc\"",                         "{\"x5c\":[],\"enc\""                          },
	{"E5 aad stripped",                false, "\"aad\":\"dGVuYW50IGNvbnRvc28\",", ""                                             },
	{"E5 aad empty",                   false, "dGVuYW50IGNvbnRvc28",              ""                                             },
	{"E5 aad longer",                  false, "dGVuYW50IGNvbnRvc28",              "dGVuYW50IGNvbnRvc28A"                         },
	{"E5 aad padded",                  false, "dGVuYW50IGNvbnRvc28",              "dGVuYW50IGNvbnRvc28="                         },
	{"E5 aad not canonical",           false, "dGVuYW50IGNvbnRvc28",              "dGVuYW50IGNvbnRvc29"                          },
	{"E6 zip",			 true,  "{\"enc\"",                         "{\"zip\":\"DEF\",\"enc\""                     },
	{"E7 crit",			true,  "{\"enc\"",                         "{\"crit\":[\"exp\"],\"enc\""                  },
	{"E7 crit of ours",                true,  "{\"enc\"",                         "{\"crit\":[\"urn:custodyd:v1\"],\"enc\""      },
	{"E7 p2c",			 false, "{\"kid\"",                         "{\"p2c\":2147483648,\"kid\""                  },
	{"E7 p2s in protected",            true,  "{\"enc\"",                         "{\"p2s\":\"AA\",\"enc\""                      },
	{"E7 epk",			 false, "{\"kid\"",                         "{\"epk\":{},\"kid\""                          },
	{"E8 iv short",                    false, "\"iv\":\"",                        "\"iv\":\"AA\",\"old\":\""                     },
	{"E8 tag short",                   false, "\"tag\":\"",                       "\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"old\":\""},
	{"E8 no recipients",               false, "\"recipients\":[",                 "\"recipients\":[],\"old\":["                  },
	{"E10 no com",                     true,  "\"com\":",                         "\"con\":"                                     },
	{"E10 no id",		      true,  "\"id\":",                          "\"ie\":"                                      },
	{"E10 no rcp",                     true,  "\"rcp\":",                         "\"rcq\":"                                     },
	{"E10 com null",                   true,  "\"com\":",                         "\"com\":null,\"x\":"                          },
	{"E10 rcp empty",                  true,  "\"rcp\":[",                        "\"rcp\":[],\"x\":["                           },
	{"E10 no member of ours",          true,  "urn:custodyd:v1",                  "urn:custodyd:v2"                              },
	{"E12 encrypted key empty",        false, "\"encrypted_key\":\"",
         "\"encrypted_key\":\"\",\"x\":\""											   },
	{"E12 encrypted key short",        false, "\"encrypted_key\":\"",
         "\"encrypted_key\":\"AA\",\"x\":\""											 },
	{"E17 flattened",                  false, "{\"protected\"",
         "{\"encrypted_key\":\"AA\",\"header\":{},\"protected\""                                                                     },
	{"E17 unknown member",             false, "{\"protected\"",                   "{\"comment\":1,\"protected\""                 },
	{"E17 a comment",                  false, "{\"protected\"",                   "{/* hello */\"protected\""                    },
	{"E17 something behind",           false, "\"}",                              "\"}} {\"a\":\""                               },
	{"E17 an array",                   false, "{\"protected\"",                   "[{\"protected\""                              },
};

static bool
opens(const char *text, struct bytes context, const struct secret *cek, struct err *err)
{
	CLEAN(secret)
	struct secret *opened = NULL;
	CLEAN(envelope)
	struct envelope *envelope = envelope_parse(text, strlen(text), err);
	if (envelope != NULL)
		opened = envelope_open(envelope, context, cek, err);
	return opened != NULL;
}

static void
E2_to_E17_every_change_is_refused(void **state)
{
	struct fixture *fixture = *state;
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(buf)
	struct buf text;
	format(made, &text);

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct err err = {0};
		const struct change *change = &changes[i];
		char *changed =
			change->protected
				? replace_protected(made, buf_peek(&text), change->from, change->to)
				: replace(buf_peek(&text), change->from, change->to);
		bool opened = opens(changed, fixture->context, cek, &err);
		free(changed);
		if (opened)
			fail_msg("%s: opened", change->name);
		if (err_class(err.code) != ERR_CLASS_BAD)
			fail_msg("%s: %s", change->name, err_name(err.code));
	}
	print_message("%zu changes refused\n", ARRAY_LEN(changes));
}

static void
E17_other_forms_are_refused_by_name(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(json)
	struct json_value *document =
		json_parse("{\"envelope\":\"a.b.c.d.e\"}", 24, ENVELOPE_TEXT_MAX, &err);
	static const char flattened[] = "{\"protected\":\"e30\",\"encrypted_key\":\"AA\","
					"\"iv\":\"AA\",\"ciphertext\":\"AA\",\"tag\":\"AA\"}";

	assert_null(envelope_decode(json_member(document, "envelope"), &err));
	assert_non_null(strstr(err.message, "compact"));
	assert_null(envelope_parse(flattened, strlen(flattened), &err));
	assert_non_null(strstr(err.message, "flattened"));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
E8_text_over_the_limit_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(buf)
	struct buf text;
	format(made, &text);
	char *padded = malloc(ENVELOPE_TEXT_MAX + 1);
	assert_non_null(padded);
	memset(padded, ' ', ENVELOPE_TEXT_MAX + 1);
	memcpy(padded, text.data, text.len);

	CLEAN(envelope)
	struct envelope *most = envelope_parse(padded, ENVELOPE_TEXT_MAX, &err);
	CLEAN(envelope)
	struct envelope *more = envelope_parse(padded, ENVELOPE_TEXT_MAX + 1, &err);
	free(padded);

	assert_non_null(most);
	assert_null(more);
}

static void
E9_removed_recipient_shows(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(envelope)
	struct envelope *without_second = envelope_dup(made);
	without_second->recipient_count = 1;
	CLEAN(envelope)
	struct envelope *without_first = envelope_dup(made);
	without_first->recipients[0] = without_first->recipients[1];
	without_first->recipient_count = 1;
	const struct envelope *cut[] = {without_first, without_second};

	for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
		CLEAN(buf)
		struct buf text;
		format(cut[i], &text);
		CLEAN(envelope)
		struct envelope *parsed = envelope_parse(buf_peek(&text), text.len, &err);
		assert_non_null(parsed);
		assert_true(envelope_degraded(parsed));
		assert_true(opens(buf_peek(&text), fixture->context, cek, &err));
	}
}

static void
E9_recipients_twice_or_reordered_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(envelope)
	struct envelope *twice = envelope_dup(made);
	twice->recipients[1] = twice->recipients[0];
	CLEAN(envelope)
	struct envelope *turned = envelope_dup(made);
	turned->recipients[0] = made->recipients[1];
	turned->recipients[1] = made->recipients[0];
	CLEAN(envelope)
	struct envelope *more = envelope_dup(made);
	more->recipients[2] = more->recipients[1];
	more->recipient_count = 3;
	const struct envelope *bad[] = {twice, turned, more};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEAN(buf)
		struct buf text;
		format(bad[i], &text);
		assert_null(envelope_parse(buf_peek(&text), text.len, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

/* ---- damage ---- */

static void
E1_parts_of_two_envelopes_do_not_mix(void **state)
{
	struct fixture *fixture = *state;
	struct secret *ceks[2] = {NULL, NULL};
	struct envelope *made[2] = {make(fixture, fixture->context, &ceks[0]),
		make(fixture, fixture->context, &ceks[1])};

	/* each bit of `mix` takes one part from the second: protected, iv, ciphertext, tag; and the key */
	for (unsigned mix = 0; mix < 32; mix++) {
		struct err err = {0};
		CLEAN(envelope)
		struct envelope *envelope = envelope_dup(made[mix & 1]);
		memcpy(envelope->iv, made[mix >> 1 & 1]->iv, GCM_IV_LEN);
		memcpy(envelope->ciphertext, made[mix >> 2 & 1]->ciphertext, 32);
		memcpy(envelope->tag, made[mix >> 3 & 1]->tag, GCM_TAG_LEN);
		CLEAN(secret)
		struct secret *opened =
			envelope_open(envelope, fixture->context, ceks[mix >> 4 & 1], &err);
		assert_int_equal(opened != NULL, mix == 0 || mix == 31);
		if (opened == NULL)
			assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
	}
	secret_free(ceks[0]);
	secret_free(ceks[1]);
	envelope_free(made[0]);
	envelope_free(made[1]);
}

/* One answer for every damage behind the parser: code, message and nothing about where. */
static void
envelope_damage_of_every_kind_gets_one_answer(void **state)
{
	struct fixture *fixture = *state;
	struct err first = {0};
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(secret)
	struct secret *wrong = random_secret(ENVELOPE_CEK_LEN);
	CLEAN(secret)
	struct secret *brief = secret_from(secret_peek(wrong), 16);
	CLEAN(secret)
	struct secret *lengthy = random_secret(4096);
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	(void)err_set(&first, ERR_BAD_CIPHERTEXT, NULL);
	uint8_t *const octets[] = {made->id, made->commit, made->iv, made->tag, made->ciphertext,
		made->ciphertext + 31, made->tag + 15};

	for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
		struct err err = {0};
		*octets[i] ^= 0x80;
		assert_null(envelope_open(made, fixture->context, cek, &err));
		assert_memory_equal(&err, &first, sizeof(err));
		*octets[i] ^= 0x80;
	}
	const struct secret *others[] = {wrong, brief, lengthy};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct err err = {0};
		assert_null(envelope_open(made, fixture->context, others[i], &err));
		assert_memory_equal(&err, &first, sizeof(err));
	}
	struct err err = {0};
	assert_null(envelope_open(made, bytes_of_text("tenant fabrikam"), cek, &err));
	assert_memory_equal(&err, &first, sizeof(err));
}

static void
envelope_with_any_bit_flipped_never_opens_to_anything_else(void **state)
{
	struct fixture *fixture = *state;
	CLEAN(secret)
	struct secret *cek = NULL;
	CLEAN(envelope)
	struct envelope *made = make(fixture, fixture->context, &cek);
	CLEAN(buf)
	struct buf text;
	format(made, &text);
	const char *wrapped = strstr(buf_peek(&text), "\"encrypted_key\"");
	size_t opened = 0;

	for (size_t bit = 0; bit < 8 * text.len; bit++) {
		struct err err = {0};
		text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (opens(buf_peek(&text), fixture->context, cek, &err))
			opened++;
		else
			assert_int_equal(err_class(err.code), ERR_CLASS_BAD);
		text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* The encrypted keys are not under the CEK, which we hold here; all else must be. */
	assert_non_null(wrapped);
	size_t free_bits = 8 * (b64_encoded_len(256) + b64_encoded_len(ENVELOPE_KW_LEN));
	assert_true(opened > 0 && opened < free_bits);
	print_message("%zu bits flipped, %zu of them in encrypted keys\n", 8 * text.len, opened);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelope_vectors_open_as_they_should),
		cmocka_unit_test(envelope_round_trip_through_text_and_key),
		cmocka_unit_test(E5_empty_context_is_a_context),
		cmocka_unit_test(envelope_limits_of_making),
		cmocka_unit_test(E2_to_E17_every_change_is_refused),
		cmocka_unit_test(E17_other_forms_are_refused_by_name),
		cmocka_unit_test(E8_text_over_the_limit_is_refused),
		cmocka_unit_test(E9_removed_recipient_shows),
		cmocka_unit_test(E9_recipients_twice_or_reordered_are_refused),
		cmocka_unit_test(E1_parts_of_two_envelopes_do_not_mix),
		cmocka_unit_test(envelope_damage_of_every_kind_gets_one_answer),
		cmocka_unit_test(envelope_with_any_bit_flipped_never_opens_to_anything_else),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
