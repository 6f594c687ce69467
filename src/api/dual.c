/* Reads and answers dual operations. Invariant: two keys are named or none, and a value is never outside a struct secret. */
#include "dual.h"

#include "api/body.h"
#include "json/json_writer.h"

struct make_body {
	struct json_texts keys;
	struct bytes context;
	struct json_opt_secret value;
	struct json_opt_int length;
};

#define DUAL_SHARED_FIELDS(type, keys_flags)                                                       \
	FIELD(type, keys, "keys", TEXTS, .flags = (keys_flags), .max = API_DUAL_KEYS,              \
		.high = ENVELOPE_KID_MAX),                                                         \
		FIELD(type, context, "context", BASE64, .flags = JSON_REQUIRED,                    \
			.max = ENVELOPE_CONTEXT_MAX)

static const struct json_field wrap_fields[] = {
	DUAL_SHARED_FIELDS(struct make_body, JSON_REQUIRED),
	FIELD(struct make_body, value, "value", SECRET, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = ENVELOPE_PLAINTEXT_MAX),
};
TABLE(wrap_table, wrap_fields, struct make_body, true);

static const struct json_field generate_fields[] = {
	DUAL_SHARED_FIELDS(struct make_body, JSON_REQUIRED),
	FIELD(struct make_body, length, "length", INT, .flags = JSON_REQUIRED,
		.low = API_DUAL_LENGTH_MIN, .high = API_DUAL_LENGTH_MAX),
};
TABLE(generate_table, generate_fields, struct make_body, true);

struct open_body {
	struct json_texts keys;
	struct bytes context;
	const struct json_value *envelope;
};

#define ENVELOPE_FIELD FIELD(struct open_body, envelope, "envelope", TREE, .flags = JSON_REQUIRED)

static const struct json_field open_fields[] = {
	ENVELOPE_FIELD,
	FIELD(struct open_body, context, "context", BASE64, .flags = JSON_REQUIRED,
		.max = ENVELOPE_CONTEXT_MAX),
};
TABLE(open_table, open_fields, struct open_body, true);

static const struct json_field rewrap_fields[] = {
	ENVELOPE_FIELD,
	DUAL_SHARED_FIELDS(struct open_body, 0),
};
TABLE(rewrap_table, rewrap_fields, struct open_body, true);

static bool
decode_keys(const struct json_texts *texts, struct api_dual_keys *ret_keys, struct err *err)
{
	struct api_dual_keys keys = {.set = texts->set};
	if (texts->set && texts->count != API_DUAL_KEYS)
		return err_set(err, ERR_BAD_PARAMETER, "keys: exactly two keys are wanted.");
	for (size_t i = 0; i < texts->count; i++) {
		keys.text[i] = texts->items[i];
		if (!kid_parse(keys.text[i], &keys.kid[i]))
			return err_set(err, ERR_BAD_PARAMETER,
				"keys[%zu] is not a key identifier, "
				"https://<host>/keys/<name>[/<version>].",
				i);
	}
	*ret_keys = keys;
	return true;
}

static bool
decode_make(struct bytes body, const struct json_table *table, struct arena *arena,
	struct api_dual_make *ret_make, struct err *err)
{
	struct make_body make;
	struct api_dual_keys keys;
	if (!json_decode_body(body, table, arena, &make, err))
		return false;
	if (!decode_keys(&make.keys, &keys, err)) {
		json_release(table, &make);
		return false;
	}
	*ret_make = (struct api_dual_make){
		.keys = keys,
		.context = make.context,
		.value = make.value.value, /* theirs from here on */
		.length = (size_t)make.length.value,
	};
	return true;
}

bool
api_dual_wrap_decode(
	struct bytes body, struct arena *arena, struct api_dual_make *ret_make, struct err *err)
{
	return decode_make(body, &wrap_table, arena, ret_make, err);
}

bool
api_dual_generate_decode(
	struct bytes body, struct arena *arena, struct api_dual_make *ret_make, struct err *err)
{
	return decode_make(body, &generate_table, arena, ret_make, err);
}

void
api_dual_make_clear(struct api_dual_make *make)
{
	secret_free(make->value);
	*make = (struct api_dual_make){0};
}

static bool
decode_open(struct bytes body, const struct json_table *table, struct arena *arena,
	struct api_dual_open *ret_open, struct err *err)
{
	struct open_body fields;
	struct api_dual_keys keys;
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, JSON_BODY_MAX, err);
	if (document == NULL || !json_decode(document, table, arena, &fields, err) ||
		!decode_keys(&fields.keys, &keys, err))
		return false;
	struct envelope *envelope = envelope_decode(fields.envelope, err);
	if (envelope == NULL)
		return false;
	*ret_open = (struct api_dual_open){
		.envelope = envelope,
		.context = fields.context,
		.keys = keys,
	};
	return true;
}

bool
api_dual_open_decode(
	struct bytes body, struct arena *arena, struct api_dual_open *ret_open, struct err *err)
{
	return decode_open(body, &open_table, arena, ret_open, err);
}

bool
api_dual_rewrap_decode(
	struct bytes body, struct arena *arena, struct api_dual_open *ret_open, struct err *err)
{
	return decode_open(body, &rewrap_table, arena, ret_open, err);
}

void
api_dual_open_clear(struct api_dual_open *open)
{
	envelope_free(open->envelope);
	*open = (struct api_dual_open){0};
}

/* ---- answers ---- */

static void
write_attempts(struct json_writer *writer, const char *name, const struct api_attempt *attempts,
	size_t count)
{
	json_write_array(writer, name);
	for (size_t i = 0; i < count; i++) {
		enum err_code code = attempts[i].code;
		bool opened = code == ERR_NONE;
		json_write_object(writer, NULL);
		json_write_text(writer, "kid", attempts[i].kid);
		json_write_text(writer, "token", attempts[i].token);
		json_write_text(
			writer, "outcome", opened ? "opened" : err_class_name(err_class(code)));
		json_write_text(writer, "code", opened ? NULL : err_name(code));
		json_write_end(writer);
	}
	json_write_end(writer);
}

static void
write_warnings(struct json_writer *writer, const char *const *warnings, size_t count)
{
	json_write_array(writer, "warnings");
	for (size_t i = 0; i < count; i++)
		json_write_text(writer, NULL, warnings[i]);
	json_write_end(writer);
}

void
api_attempts_format(const struct api_attempt *attempts, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_attempts(&writer, NULL, attempts, count);
}

void
api_dual_made_format(struct bytes envelope, const struct secret *value, const char *const *warnings,
	size_t warning_count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	if (value != NULL)
		json_write_secret(&writer, "value", value);
	json_write_raw(&writer, "envelope", envelope);
	write_warnings(&writer, warnings, warning_count);
	json_write_end(&writer);
}

void
api_dual_opened_format(const struct secret *value, const char *kid, bool degraded,
	const struct api_attempt *attempts, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_secret(&writer, "value", value);
	json_write_text(&writer, "kid", kid);
	json_write_bool(&writer, "degraded", degraded);
	write_attempts(&writer, "attempts", attempts, count);
	json_write_end(&writer);
}

void
api_dual_rewrapped_format(struct bytes envelope, bool degraded, const struct api_attempt *attempts,
	size_t count, const char *const *warnings, size_t warning_count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_raw(&writer, "envelope", envelope);
	json_write_bool(&writer, "degraded", degraded);
	write_attempts(&writer, "attempts", attempts, count);
	write_warnings(&writer, warnings, warning_count);
	json_write_end(&writer);
}

void
api_dual_check_format(const struct api_attempt *attempts, size_t count, struct buf *out)
{
	int64_t opened = 0;
	for (size_t i = 0; i < count; i++)
		if (attempts[i].code == ERR_NONE && opened < API_DUAL_KEYS)
			opened++;
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	write_attempts(&writer, "recipients", attempts, count);
	json_write_int(&writer, "redundancy", opened);
	json_write_end(&writer);
}
