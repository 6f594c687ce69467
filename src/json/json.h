/*
 * Strict JSON in: parse, walk, or decode by table into a struct.
 *
 * Parsing takes one object, UTF-8, nothing after it, no duplicate member at any depth, no \u0000, bounded
 * size and depth. Errors are ERR_BAD_PARAMETER with a position or a member's name, never the input itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define JSON_DEPTH_MAX 16
#define JSON_BODY_MAX  65536

/* Programs only, before the first use of any JSON: memory of parsed documents is wiped when freed. */
void json_memory_init(void);

/* ---- tree ---- */

enum json_type {
	JSON_TYPE_NULL = 1,
	JSON_TYPE_BOOL,
	JSON_TYPE_INT,
	JSON_TYPE_REAL,
	JSON_TYPE_TEXT,
	JSON_TYPE_ARRAY,
	JSON_TYPE_OBJECT,
};

struct json_value; /* read-only; valid as long as its document */

/* An object of at most `max` octets. The result is the document; free it with json_free(). */
struct json_value *json_parse(const void *data, size_t len, size_t max, struct err *err) MUST_USE;
void json_free(struct json_value *document);

enum json_type json_type_of(const struct json_value *value);
/* NULL if `value` is not an object, has no such member, or the member is null. */
const struct json_value *json_member(const struct json_value *value, const char *name);
/* Members of an object or elements of an array; 0 for others. */
size_t json_count(const struct json_value *value);
const struct json_value *json_item(
	const struct json_value *array, size_t index); /* NULL behind the last */
/* Walks an object: *io_name NULL at the start; NULL after the last. */
const struct json_value *json_next(const struct json_value *object, const char **io_name);
const char *json_text(const struct json_value *value); /* NULL if not text (or value NULL) */
bool json_int(const struct json_value *value, int64_t *ret_number) MUST_USE;
bool json_bool(const struct json_value *value, bool *ret_flag) MUST_USE;

/* ---- decode tables ---- */

struct json_opt_bool {
	bool set;
	bool value;
};
struct json_opt_int {
	bool set;
	int64_t value;
};
struct json_texts {
	bool set;
	const char **items;
	size_t count;
};
struct json_pair {
	const char *name;
	const char *value;
};
struct json_pairs {
	bool set;
	struct json_pair *items;
	size_t count;
};
struct json_list {
	bool set;
	void *items; /* array of the sub-table's struct */
	size_t count;
};
struct json_opt_secret {
	bool set;
	struct secret *value; /* NULL for zero octets */
};
struct json_word {
	const char *text; /* compared exactly; NULL ends the list */
	int value;        /* not 0: 0 means absent */
};

/* Kind of a member and the type of the field it goes to. An absent member, or null, leaves the field zero. */
enum json_kind {
	JSON_KIND_BOOL = 1, /* struct json_opt_bool */
	JSON_KIND_INT,      /* struct json_opt_int, within low..high; no fraction, no exponent */
	JSON_KIND_TEXT, /* const char *, at most `max` octets; without control characters if JSON_PRINTABLE */
	JSON_KIND_WORD,  /* int, one of `words` */
	JSON_KIND_WORDS, /* struct json_texts whose elements are all of `words`, none twice */
	JSON_KIND_TEXTS, /* struct json_texts, at most `max` elements of at most `high` octets */
	JSON_KIND_BASE64, /* struct bytes (data NULL: absent), canonical base64url, at most `max` octets decoded */
	JSON_KIND_SECRET, /* struct json_opt_secret, the same, straight into locked memory */
	JSON_KIND_MAP, /* struct json_pairs of text to text, at most `max` pairs, names and values at most `high` octets */
	JSON_KIND_OBJECT,  /* pointer to the struct of `table`; NULL: absent */
	JSON_KIND_OBJECTS, /* struct json_list of `table`, at most `max` elements */
	JSON_KIND_TREE,    /* const struct json_value *, any type; borrowed from the document */
};

enum json_flags {
	JSON_REQUIRED = 1,
	JSON_NON_EMPTY = 2, /* text, base64, secret, lists, maps: at least one octet or element */
	JSON_PRINTABLE = 4, /* texts: no control characters */
};

struct json_table;

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;
	unsigned flags;
	size_t max;
	int64_t low;
	int64_t high;
	const struct json_word *words;
	const struct json_table *table;
};

struct json_table {
	const struct json_field *fields;
	size_t count;
	size_t size;         /* sizeof the struct */
	bool refuse_unknown; /* else unknown members are ignored (akv-contract §1) */
};

/*
 * Decodes an object into `target` (table->size octets, zeroed here); lists and text live in `arena`. On failure
 * `target` holds no secret. On success json_release() frees the secrets in it.
 */
bool json_decode(const struct json_value *object, const struct json_table *table,
	struct arena *arena, void *target, struct err *err) MUST_USE;
void json_release(const struct json_table *table, void *target);
/* json_parse() and json_decode() of a body of at most JSON_BODY_MAX octets; the table has no JSON_KIND_TREE. */
bool json_decode_body(struct bytes body, const struct json_table *table, struct arena *arena,
	void *target, struct err *err) MUST_USE;

static inline void
json_clean(struct json_value **document)
{
	json_free(*document);
	*document = NULL;
}
