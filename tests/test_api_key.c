#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "api/key.h"
#include "api/tags.h"
#include "arena_fixture.h"

/* ---- create: what is accepted ---- */

struct shape {
	const char *body;
	enum kty kty;
	enum alg_key type;
	unsigned bits;
	enum curve curve;
	uint32_t exponent;
	unsigned ops;
};

static const struct shape shapes[] = {
	{"{\"kty\":\"RSA\"}",							KTY_RSA,     ALG_KEY_RSA, 2048, CURVE_NONE,  65537, ALG_OPS_ALL          },
	{"{\"kty\":\"RSA\",\"key_size\":3072}",                                      KTY_RSA,     ALG_KEY_RSA, 3072, CURVE_NONE,  65537,
         ALG_OPS_ALL																	  },
	{"{\"kty\":\"RSA-HSM\",\"key_size\":4096,\"public_exponent\":3}",            KTY_RSA_HSM, ALG_KEY_RSA,
         4096,												       CURVE_NONE,  3,     ALG_OPS_ALL          },
	{"{\"kty\":\"RSA\",\"public_exponent\":65537,\"key_size\":null,\"crv\":null,\"key_ops\":"
	 "null}",							   KTY_RSA,     ALG_KEY_RSA, 2048, CURVE_NONE,  65537, ALG_OPS_ALL          },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"wrapKey\",\"unwrapKey\"]}",                KTY_RSA,     ALG_KEY_RSA, 2048,
         CURVE_NONE,													      65537, ALG_WRAPS            },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"sign\",\"unwrapKey\",\"sign\"]}",          KTY_RSA,     ALG_KEY_RSA,
         2048,												       CURVE_NONE,  65537, ALG_SIGN | ALG_UNWRAP},
	{"{\"kty\":\"EC\"}",							 KTY_EC,      ALG_KEY_EC,  0,    CURVE_P256,  0,     ALG_SIGNS            },
	{"{\"kty\":\"EC-HSM\",\"crv\":\"P-256\"}",                                   KTY_EC_HSM,  ALG_KEY_EC,  0,    CURVE_P256,  0,
         ALG_SIGNS																	    },
	{"{\"kty\":\"EC\",\"crv\":\"P-384\"}",                                       KTY_EC,      ALG_KEY_EC,  0,    CURVE_P384,  0,     ALG_SIGNS            },
	{"{\"kty\":\"EC\",\"crv\":\"P-521\",\"key_ops\":[\"verify\"]}",              KTY_EC,      ALG_KEY_EC,  0,
         CURVE_P521,													      0,     ALG_VERIFY           },
	{"{\"kty\":\"EC\",\"crv\":\"P-256K\"}",                                      KTY_EC,      ALG_KEY_EC,  0,    CURVE_P256K, 0,     ALG_SIGNS            },
	{"{\"kty\":\"oct\"}",							KTY_OCT,     ALG_KEY_OCT, 256,  CURVE_NONE,  0,     ALG_WRAPS            },
	{"{\"kty\":\"oct-HSM\",\"key_size\":128}",                                   KTY_OCT_HSM, ALG_KEY_OCT, 128,  CURVE_NONE,  0,
         ALG_WRAPS																	    },
	{"{\"kty\":\"oct\",\"key_size\":192,\"key_ops\":[\"encrypt\",\"decrypt\"]}", KTY_OCT,
         ALG_KEY_OCT,											  192,  CURVE_NONE,  0,     ALG_CRYPT            },
	{"{\"kty\":\"oct\",\"key_ops\":[\"unwrapKey\"]}",                            KTY_OCT,     ALG_KEY_OCT, 256,  CURVE_NONE,  0,
         ALG_UNWRAP																	   },
};

static void
create_shape_is_decoded(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		const struct shape *row = &shapes[i];
		struct api_key_create create;
		struct err err;

		ASSERT_ROW(api_key_create_decode(bytes_of_text(row->body), *state, &create, &err),
			row->body);

		ASSERT_ROW(create.kty == row->kty, row->body);
		ASSERT_ROW(create.type == row->type, row->body);
		ASSERT_ROW(create.bits == row->bits, row->body);
		ASSERT_ROW(create.curve == row->curve, row->body);
		ASSERT_ROW(create.exponent == row->exponent, row->body);
		ASSERT_ROW(create.ops == row->ops, row->body);
		ASSERT_ROW(!create.attributes.has_enabled, row->body);
		ASSERT_ROW(!create.attributes.has_nbf, row->body);
		ASSERT_ROW(!create.attributes.has_exp, row->body);
		ASSERT_ROW(strcmp(create.tags, "{}") == 0, row->body);
	}
}

/* Every row of kty.tbl can be asked for, and the answer can repeat it. */
static void
create_every_type_is_known(void **state)
{
	for (enum kty kty = KTY_NONE + 1; kty < KTY_COUNT; kty++) {
		const char *body = arena_printf(*state, "{\"kty\":\"%s\"}", kty_name(kty));
		struct api_key_create create;
		struct err err;

		ASSERT_ROW(api_key_create_decode(bytes_of_text(body), *state, &create, &err), body);

		ASSERT_ROW(create.kty == kty, body);
	}
}

static void
create_attributes_and_tags_are_decoded(void **state)
{
	static const char body[] = "{\"kty\":\"EC\",\"attributes\":{\"enabled\":false,\"nbf\":0,"
				   "\"exp\":9223372036854775807,"
				   "\"exportable\":false,\"created\":1,\"recoveryLevel\":\"x\"},"
				   "\"tags\":{\"team\":\"red\\n\",\"\\u00e4\":\"\"},\"release_"
				   "policy\":null,\"other\":[1]}";
	struct api_key_create create;
	struct err err;

	assert_true(api_key_create_decode(bytes_of_text(body), *state, &create, &err));

	assert_true(create.attributes.has_enabled);
	assert_false(create.attributes.enabled);
	assert_true(create.attributes.has_nbf);
	assert_int_equal(create.attributes.nbf, 0);
	assert_true(create.attributes.has_exp);
	assert_true(create.attributes.exp == INT64_MAX);
	assert_string_equal(create.tags, "{\"team\":\"red\\n\",\"\xc3\xa4\":\"\"}");
}

static void
create_null_members_are_absent(void **state)
{
	static const char body[] =
		"{\"kty\":\"RSA\",\"attributes\":{\"enabled\":null,\"nbf\":null,\"exp\":null,"
		"\"exportable\":null},\"tags\":null}";
	struct api_key_create create;
	struct err err;

	assert_true(api_key_create_decode(bytes_of_text(body), *state, &create, &err));

	assert_false(create.attributes.has_enabled);
	assert_false(create.attributes.has_nbf);
	assert_false(create.attributes.has_exp);
	assert_string_equal(create.tags, "{}");
}

/* ---- create: what is refused ---- */

struct refusal {
	const char *body;
	enum err_code code;
	const char *says; /* part of the message: which member */
};

static const struct refusal create_refusals[] = {
  /* akv-contract §13: one object, nothing else */
	{"",										  ERR_BAD_PARAMETER, ""                            },
	{"null",									      ERR_BAD_PARAMETER, ""                            },
	{"[]",										ERR_BAD_PARAMETER, ""                            },
	{"{\"kty\":\"RSA\"} x",							       ERR_BAD_PARAMETER, ""                            },
	{"{\"kty\":\"RSA\",\"kty\":\"EC\"}",						  ERR_BAD_PARAMETER, ""                            },
	{"{\"kty\":\"EC\",\"tags\":{\"a\":\"1\",\"a\":\"2\"}}",                               ERR_BAD_PARAMETER, ""                            },
 /* §7: kty */
	{"{}",										ERR_BAD_PARAMETER, "kty"                         },
	{"{\"kty\":null}",								    ERR_BAD_PARAMETER, "kty"                         },
	{"{\"kty\":1}",								       ERR_BAD_PARAMETER, "kty"                         },
	{"{\"kty\":\"rsa\"}",								 ERR_BAD_PARAMETER, "kty"                         },
	{"{\"kty\":\"OCT\"}",								 ERR_BAD_PARAMETER, "kty"                         },
	{"{\"kty\":\"\"}",								    ERR_BAD_PARAMETER, "kty"                         },
 /* §7: sizes */
	{"{\"kty\":\"RSA\",\"key_size\":1024}",                                               ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":2047}",                                               ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":8192}",                                               ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":0}",						  ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":-2048}",                                              ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":2048.0}",                                             ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":\"2048\"}",                                           ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"RSA\",\"key_size\":4294969344}",                                         ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"oct\",\"key_size\":512}",						ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"oct\",\"key_size\":0}",						  ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"oct\",\"key_size\":2048}",                                               ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"EC\",\"key_size\":256}",						 ERR_BAD_PARAMETER, "key_size"                    },
	{"{\"kty\":\"EC\",\"key_size\":0}",						   ERR_BAD_PARAMETER, "key_size"                    },
 /* §7: curves */
	{"{\"kty\":\"EC\",\"crv\":\"P-224\"}",						ERR_BAD_PARAMETER, "crv"                         },
	{"{\"kty\":\"EC\",\"crv\":\"p-256\"}",						ERR_BAD_PARAMETER, "crv"                         },
	{"{\"kty\":\"EC\",\"crv\":\"\"}",						     ERR_BAD_PARAMETER, "crv"                         },
	{"{\"kty\":\"EC\",\"crv\":256}",						      ERR_BAD_PARAMETER, "crv"                         },
	{"{\"kty\":\"RSA\",\"crv\":\"P-256\"}",                                               ERR_BAD_PARAMETER, "crv"                         },
	{"{\"kty\":\"oct\",\"crv\":\"P-256\"}",                                               ERR_BAD_PARAMETER, "crv"                         },
 /* §7: exponent */
	{"{\"kty\":\"RSA\",\"public_exponent\":17}",                                          ERR_BAD_PARAMETER, "public_exponent"             },
	{"{\"kty\":\"RSA\",\"public_exponent\":0}",                                           ERR_BAD_PARAMETER, "public_exponent"             },
	{"{\"kty\":\"RSA\",\"public_exponent\":4294967299}",                                  ERR_BAD_PARAMETER, "public_exponent"             },
	{"{\"kty\":\"EC\",\"public_exponent\":65537}",                                        ERR_BAD_PARAMETER, "public_exponent"             },
 /* §7: operations */
	{"{\"kty\":\"RSA\",\"key_ops\":\"sign\"}",                                            ERR_BAD_PARAMETER, "key_ops"                     },
	{"{\"kty\":\"RSA\",\"key_ops\":[]}",						  ERR_BAD_PARAMETER, "key_ops"                     },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"Sign\"]}",                                          ERR_BAD_PARAMETER, "key_ops"                     },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"deriveKey\"]}",                                     ERR_BAD_PARAMETER, "key_ops"                     },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"sign\",1]}",                                        ERR_BAD_PARAMETER, "key_ops"                     },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"import\"]}",                                        ERR_NOT_SUPPORTED, "import"                      },
	{"{\"kty\":\"RSA\",\"key_ops\":[\"sign\",\"export\"]}",                               ERR_NOT_SUPPORTED, "export"                      },
	{"{\"kty\":\"EC\",\"key_ops\":[\"wrapKey\"]}",                                        ERR_BAD_PARAMETER, "wrapKey"                     },
	{"{\"kty\":\"EC\",\"key_ops\":[\"sign\",\"decrypt\"]}",                               ERR_BAD_PARAMETER, "decrypt"                     },
 /* §8: an oct key has one family */
	{"{\"kty\":\"oct\",\"key_ops\":[\"wrapKey\",\"decrypt\"]}",                           ERR_BAD_PARAMETER,
         "could read the keys it wraps"													},
	{"{\"kty\":\"oct\",\"key_ops\":[\"encrypt\",\"decrypt\",\"wrapKey\",\"unwrapKey\"]}",
         ERR_BAD_PARAMETER,										      "could read the keys it wraps"},
 /* §7: attributes */
	{"{\"kty\":\"EC\",\"attributes\":[]}",						ERR_BAD_PARAMETER, "attributes"                  },
	{"{\"kty\":\"EC\",\"attributes\":{\"enabled\":1}}",                                   ERR_BAD_PARAMETER, "enabled"                     },
	{"{\"kty\":\"EC\",\"attributes\":{\"enabled\":\"true\"}}",                            ERR_BAD_PARAMETER, "enabled"                     },
	{"{\"kty\":\"EC\",\"attributes\":{\"nbf\":-1}}",                                      ERR_BAD_PARAMETER, "nbf"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"nbf\":true}}",                                    ERR_BAD_PARAMETER, "nbf"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"nbf\":\"1\"}}",                                   ERR_BAD_PARAMETER, "nbf"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"exp\":1.5}}",                                     ERR_BAD_PARAMETER, "exp"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"exp\":1e3}}",                                     ERR_BAD_PARAMETER, "exp"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"exp\":-2147483648}}",                             ERR_BAD_PARAMETER, "exp"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"exp\":9223372036854775808}}",                     ERR_BAD_PARAMETER, ""                            },
	{"{\"kty\":\"EC\",\"attributes\":{\"nbf\":2,\"exp\":1}}",                             ERR_BAD_PARAMETER, "nbf"                         },
	{"{\"kty\":\"EC\",\"attributes\":{\"exportable\":true}}",                             ERR_BAD_PARAMETER, "exportable"                  },
	{"{\"kty\":\"EC\",\"release_policy\":{\"data\":\"\"}}",                               ERR_BAD_PARAMETER,
         "release_policy"														      },
	{"{\"kty\":\"EC\",\"release_policy\":{}}",                                            ERR_BAD_PARAMETER, "release_policy"              },
 /* §7: tags */
	{"{\"kty\":\"EC\",\"tags\":[]}",						      ERR_BAD_PARAMETER, "tags"                        },
	{"{\"kty\":\"EC\",\"tags\":{\"a\":1}}",                                               ERR_BAD_PARAMETER, "tags"                        },
	{"{\"kty\":\"EC\",\"tags\":{\"a\":null}}",                                            ERR_BAD_PARAMETER, "tags"                        },
	{"{\"kty\":\"EC\",\"tags\":{\"a\":{}}}",                                              ERR_BAD_PARAMETER, "tags"                        },
};

static void
create_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(create_refusals); i++) {
		const struct refusal *row = &create_refusals[i];
		struct api_key_create create = {.bits = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_create_decode(bytes_of_text(row->body), *state, &create, &err),
			row->body);

		ASSERT_ROW(err.code == row->code, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(create.bits == 77, row->body);
	}
}

static void
create_nbf_equal_to_exp_is_accepted(void **state)
{
	static const char body[] = "{\"kty\":\"EC\",\"attributes\":{\"nbf\":5,\"exp\":5}}";
	struct api_key_create create;
	struct err err;

	assert_true(api_key_create_decode(bytes_of_text(body), *state, &create, &err));
}

/* {"kty":…,"key_ops":[…]} with the words of a set. */
static const char *
ops_body(struct arena *arena, const char *kty, unsigned ops)
{
	const char *words = "";
	for (unsigned op = 1; op <= ALG_OPS_ALL; op <<= 1)
		if ((ops & op) != 0)
			words = arena_printf(arena, "%s%s\"%s\"", words, *words == '\0' ? "" : ",",
				alg_op_word((enum alg_op)op));
	return arena_printf(arena, "{\"kty\":\"%s\",\"key_ops\":[%s]}", kty, words);
}

/* Threats A3: every set of operations for every type; an oct key never both wraps and does anything else. */
static void
create_operations_are_of_one_family_a3(void **state)
{
	static const char *const types[] = {"RSA", "EC", "oct"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (unsigned ops = 1; ops <= ALG_OPS_ALL; ops++) {
			const char *body = ops_body(*state, types[i], ops);
			enum alg_key type = kty_key(kty_find(types[i]));
			bool one = (ops & ~(unsigned)ALG_WRAPS) == 0 ||
				   (ops & ~(unsigned)ALG_CRYPT) == 0 ||
				   (ops & ~(unsigned)ALG_SIGNS) == 0;
			bool possible = (ops & ~alg_key_ops(type)) == 0;
			struct api_key_create create = {.ops = 0};
			struct err err = {.code = ERR_BAD_PARAMETER};

			bool accepted =
				api_key_create_decode(bytes_of_text(body), *state, &create, &err);

			ASSERT_ROW(accepted == (possible && (one || type != ALG_KEY_OCT)), body);
			ASSERT_ROW(!accepted || create.ops == ops, body);
			ASSERT_ROW(err.code == ERR_BAD_PARAMETER, body);
		}
	}
}

/* HMAC keys are a third family as soon as alg.tbl serves it, and impossible until then. */
static void
create_oct_that_signs_follows_the_table(void **state)
{
	static const char body[] = "{\"kty\":\"oct\",\"key_ops\":[\"sign\",\"verify\"]}";
	struct api_key_create create;
	struct err err;
	bool served = (alg_key_ops(ALG_KEY_OCT) & ALG_SIGN) != 0;

	assert_int_equal(api_key_create_decode(bytes_of_text(body), *state, &create, &err), served);

	if (served)
		assert_int_equal(create.bits, 256);
	else
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

/* ---- tags: limits ---- */

/* {"kty":"EC","tags":{…}} with `count` tags; so many characters of `unit` in name and value. */
static const char *
tags_body(struct arena *arena, int count, int name_chars, int value_chars, const char *unit)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, 1 << 20);
	(void)buf_text(&text, "{\"kty\":\"EC\",\"tags\":{");
	for (int i = 0; i < count; i++) {
		(void)buf_printf(&text, "%s\"%02d", i == 0 ? "" : ",", i);
		for (int k = 2; k < name_chars; k++)
			(void)buf_text(&text, unit);
		(void)buf_text(&text, "\":\"");
		for (int k = 0; k < value_chars; k++)
			(void)buf_text(&text, unit);
		(void)buf_text(&text, "\"");
	}
	(void)buf_text(&text, "}}");
	assert_false(text.overflow);
	return arena_strndup(arena, buf_peek(&text), text.len);
}

struct tag_limit {
	const char *name;
	int count;
	int name_chars, value_chars;
	const char *unit;
	bool accepted;
};

static const struct tag_limit tag_limits[] = {
	{"15 tags of 256",                  15, 256, 256, "x",                true },
	{"16 tags",			 16, 4,   4,   "x",                false},
	{"257 characters of name",          1,  257, 1,   "x",                false},
	{"257 characters of value",         1,  2,   257, "x",                false},
	{"256 of four octets each",         15, 256, 256, "\xf0\x9f\x94\x91", true },
	{"name of 257 of two octets each",  1,  257, 1,   "\xc3\xa4",         false},
	{"value of 257 of two octets each", 1,  2,   257, "\xc3\xa4",         false},
	{"escapes beyond all measure",      15, 256, 256, "\\u0001",          false},
	{"escapes within it",               1,  256, 256, "\\u0001",          true },
};

static void
tags_limits_are_kept(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(tag_limits); i++) {
		const struct tag_limit *row = &tag_limits[i];
		const char *body =
			tags_body(*state, row->count, row->name_chars, row->value_chars, row->unit);
		struct api_key_create create = {.tags = NULL};
		struct err err = {.code = ERR_NONE};

		bool accepted = api_key_create_decode(bytes_of_text(body), *state, &create, &err);

		ASSERT_ROW(accepted == row->accepted, row->name);
		ASSERT_ROW(accepted || err.code == ERR_BAD_PARAMETER, row->name);
		ASSERT_ROW(accepted || strstr(err.message, "tags") != NULL, row->name);
		ASSERT_ROW(!accepted || strlen(create.tags) <= API_TAGS_TEXT_MAX, row->name);
	}
}

/* ---- update ---- */

static void
update_empty_changes_nothing(void **state)
{
	struct api_key_update update;
	struct err err;

	assert_true(api_key_update_decode(bytes_of_text("{}"), *state, &update, &err));

	assert_false(update.has_ops);
	assert_false(update.attributes.has_enabled);
	assert_false(update.attributes.has_nbf);
	assert_false(update.attributes.has_exp);
	assert_null(update.tags);
}

static void
update_members_are_decoded(void **state)
{
	static const char body[] = "{\"key_ops\":[\"unwrapKey\"],\"attributes\":{\"enabled\":true,"
				   "\"exp\":7},\"tags\":{},"
				   "\"kty\":5,\"key\":{\"kid\":\"ignored\"}}";
	struct api_key_update update;
	struct err err;

	assert_true(api_key_update_decode(bytes_of_text(body), *state, &update, &err));

	assert_true(update.has_ops);
	assert_int_equal(update.ops, ALG_UNWRAP);
	assert_true(update.attributes.has_enabled);
	assert_true(update.attributes.enabled);
	assert_false(update.attributes.has_nbf);
	assert_int_equal(update.attributes.exp, 7);
	assert_string_equal(update.tags, "{}");
}

static void
update_without_any_operation_is_accepted(void **state)
{
	struct api_key_update update;
	struct err err;

	assert_true(
		api_key_update_decode(bytes_of_text("{\"key_ops\":[]}"), *state, &update, &err));

	assert_true(update.has_ops);
	assert_int_equal(update.ops, 0);
}

static const struct refusal update_refusals[] = {
	{"[]",					ERR_BAD_PARAMETER, ""              },
	{"{\"key_ops\":[\"release\"]}",               ERR_BAD_PARAMETER, "key_ops"       },
	{"{\"key_ops\":[\"export\"]}",                ERR_NOT_SUPPORTED, "export"        },
	{"{\"attributes\":{\"nbf\":-5}}",             ERR_BAD_PARAMETER, "nbf"           },
	{"{\"attributes\":{\"nbf\":9,\"exp\":8}}",    ERR_BAD_PARAMETER, "nbf"           },
	{"{\"attributes\":{\"exportable\":true}}",    ERR_BAD_PARAMETER, "exportable"    },
	{"{\"release_policy\":{\"immutable\":true}}", ERR_BAD_PARAMETER, "release_policy"},
	{"{\"tags\":{\"a\":true}}",                   ERR_BAD_PARAMETER, "tags"          },
};

static void
update_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(update_refusals); i++) {
		const struct refusal *row = &update_refusals[i];
		struct api_key_update update = {.ops = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_update_decode(bytes_of_text(row->body), *state, &update, &err),
			row->body);

		ASSERT_ROW(err.code == row->code, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(update.ops == 77, row->body);
	}
}

/* ---- pages ---- */

static void
page_size_is_1_to_25(void **state)
{
	static const struct {
		const char *text;
		size_t size; /* 0: refused */
	} rows[] = {
		{"1",          1 },
		{"25",         25},
		{"07",         7 },
		{"0",          0 },
		{"00",         0 },
		{"26",         0 },
		{"-1",         0 },
		{"+5",         0 },
		{"",           0 },
		{"5 ",         0 },
		{"5x",         0 },
		{"1.0",        0 },
		{"4294967297", 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t size = 0;
		struct err err = {.code = ERR_NONE};

		bool accepted = api_page_size(rows[i].text, &size, &err);

		ASSERT_ROW(accepted == (rows[i].size != 0), rows[i].text);
		ASSERT_ROW(size == rows[i].size, rows[i].text);
		ASSERT_ROW(accepted || err.code == ERR_BAD_PARAMETER, rows[i].text);
	}
}

static void
page_size_absent_is_25(void **state)
{
	(void)state;
	size_t size = 0;
	struct err err;

	assert_true(api_page_size(NULL, &size, &err));

	assert_int_equal(size, 25);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(create_shape_is_decoded),
		TEST(create_every_type_is_known),
		TEST(create_attributes_and_tags_are_decoded),
		TEST(create_null_members_are_absent),
		TEST(create_rule_broken_is_refused_by_name),
		TEST(create_nbf_equal_to_exp_is_accepted),
		TEST(create_operations_are_of_one_family_a3),
		TEST(create_oct_that_signs_follows_the_table),
		TEST(tags_limits_are_kept),
		TEST(update_empty_changes_nothing),
		TEST(update_members_are_decoded),
		TEST(update_without_any_operation_is_accepted),
		TEST(update_rule_broken_is_refused_by_name),
		TEST(page_size_is_1_to_25),
		TEST(page_size_absent_is_25),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
