/* Reads and answers what concerns data keys. Invariant: nothing of a key is ever in an arena. */
#include "dep_datakey.h"

#include <assert.h>

#include "api/body.h"
#include "json/json.h"

struct generate_body {
	struct json_opt_int count;
};

static const struct json_field generate_fields[] = {
	FIELD(struct generate_body, count, "count", INT, .low = 1, .high = API_DEP_BATCH_MAX),
};
TABLE(generate_table, generate_fields, struct generate_body, true);

bool
api_dep_generate_decode(struct bytes body, struct arena *arena, size_t *ret_count, struct err *err)
{
	struct generate_body generate = {.count.set = false};
	if (body.len > 0 && !json_decode_body(body, &generate_table, arena, &generate, err))
		return false;
	*ret_count = generate.count.set ? (size_t)generate.count.value : 0;
	return true;
}

struct unwrap_body {
	const char *wrapped;
	struct json_texts value;
};

static const struct json_field unwrap_fields[] = {
	FIELD(struct unwrap_body, wrapped, "wrapped", TEXT, .flags = JSON_NON_EMPTY,
		.max = API_DEP_WRAPPED_MAX),
	FIELD(struct unwrap_body, value, "value", TEXTS, .flags = JSON_NON_EMPTY,
		.max = API_DEP_BATCH_MAX, .high = API_DEP_WRAPPED_MAX),
};
TABLE(unwrap_table, unwrap_fields, struct unwrap_body, true);

bool
api_dep_unwrap_decode(
	struct bytes body, struct arena *arena, struct api_dep_unwrap *ret_unwrap, struct err *err)
{
	struct unwrap_body unwrap;
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, API_DEP_UNWRAP_MAX, err);
	if (document == NULL || !json_decode(document, &unwrap_table, arena, &unwrap, err))
		return false;
	if ((unwrap.wrapped != NULL) == unwrap.value.set)
		return err_set(err, ERR_BAD_PARAMETER,
			"Either wrapped (one data key) or value (a list of them) is wanted.");
	if (!unwrap.value.set) {
		const char **one = arena_alloc(arena, sizeof(*one));
		*one = unwrap.wrapped;
		*ret_unwrap = (struct api_dep_unwrap){.wrapped = one, .count = 1};
		return true;
	}
	*ret_unwrap = (struct api_dep_unwrap){
		.wrapped = unwrap.value.items, .count = unwrap.value.count, .batch = true};
	return true;
}

/* ---- answers ---- */

void
api_dep_keys_begin(struct api_dep_keys *keys, bool batch, struct buf *out)
{
	keys->batch = batch;
	json_writer_init(&keys->writer, out);
	if (!batch)
		return;
	json_write_object(&keys->writer, NULL);
	json_write_array(&keys->writer, "value");
}

void
api_dep_keys_made(struct api_dep_keys *keys, const uint8_t plain[static API_DEP_PLAIN_LEN],
	struct bytes wrapped)
{
	json_write_object(&keys->writer, NULL);
	json_write_base64(&keys->writer, "plaintext", plain, API_DEP_PLAIN_LEN);
	json_write_base64(&keys->writer, "wrapped", wrapped.data, wrapped.len);
	json_write_end(&keys->writer);
}

void
api_dep_keys_opened(struct api_dep_keys *keys, const uint8_t plain[static API_DEP_PLAIN_LEN])
{
	json_write_object(&keys->writer, NULL);
	json_write_base64(&keys->writer, "plaintext", plain, API_DEP_PLAIN_LEN);
	json_write_end(&keys->writer);
}

void
api_dep_keys_failed(struct api_dep_keys *keys, const struct err *err)
{
	assert(keys->batch);
	json_write_object(&keys->writer, NULL);
	json_write_object(&keys->writer, "error");
	json_write_text(&keys->writer, "code", err_name(err->code));
	json_write_text(&keys->writer, "message", err->message);
	json_write_end(&keys->writer);
	json_write_end(&keys->writer);
}

void
api_dep_keys_end(struct api_dep_keys *keys)
{
	if (!keys->batch)
		return;
	json_write_end(&keys->writer);
	json_write_end(&keys->writer);
}
