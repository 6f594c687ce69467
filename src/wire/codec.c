/*
 * Structs to octets and back, driven by the field lists of msg.tbl. Invariant: a decoder reads inside the octets
 * it was given, and succeeds only if it used all of them.
 */
#include "wire.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum field_type {
	FIELD_END,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_ID16,
	FIELD_B32,
	FIELD_BYTES,
	FIELD_TEXT,
	FIELD_SECRET,
	FIELD_LIST,
};

struct field {
	enum field_type type;
	size_t offset;
};

#define RECORD(record)            static const struct field record##_fields[] = {
#define FIELD(record, type, name) {FIELD_##type, offsetof(struct wire_##record, name)},
#define END(record)                                                                                \
	{                                                                                          \
		FIELD_END, 0                                                                       \
	}                                                                                          \
	}                                                                                          \
	;
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "msg.tbl"

static const struct field *const record_fields[WIRE_RECORD_COUNT] = {
#define RECORD(record) [WIRE_RECORD_##record] = record##_fields,
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "msg.tbl"
};

static bool
malformed(struct err *err, const char *where)
{
	(void)err_set(err, ERR_INTERNAL, NULL);
	return err_origin(err, "wire: %s", where);
}

static bool
append_u32(struct buf *buf, uint32_t number)
{
	uint32_t little = htole32(number);
	return buf_append(buf, &little, sizeof(little));
}

/* `extra`: octets after the counted ones, the NUL of a text. */
static bool
append_counted(struct buf *buf, const void *data, size_t len, size_t extra)
{
	if (len > WIRE_MAX) {
		buf->overflow = true;
		return false;
	}
	return append_u32(buf, (uint32_t)len) && buf_append(buf, data, len + extra);
}

static bool
append_field(struct buf *buf, enum field_type type, const void *value)
{
	switch (type) {
	case FIELD_U8:
		return buf_append(buf, value, 1);
	case FIELD_U16: {
		uint16_t little = htole16(*(const uint16_t *)value);
		return buf_append(buf, &little, sizeof(little));
	}
	case FIELD_U32:
		return append_u32(buf, *(const uint32_t *)value);
	case FIELD_U64: {
		uint64_t little = htole64(*(const uint64_t *)value);
		return buf_append(buf, &little, sizeof(little));
	}
	case FIELD_ID16:
		return buf_append(buf, value, 16);
	case FIELD_B32:
		return buf_append(buf, value, 32);
	case FIELD_BYTES:
	case FIELD_SECRET:
	case FIELD_LIST: {
		const struct bytes *bytes = value;
		return append_counted(buf, bytes->data, bytes->len, 0);
	}
	case FIELD_TEXT: {
		const char *text = *(const char *const *)value;
		text = text == NULL ? "" : text;
		return append_counted(buf, text, strlen(text), 1);
	}
	case FIELD_END:
		break;
	}
	assert(!"a field type outside the table");
	return false;
}

bool
wire_record_append(struct buf *buf, enum wire_record record, const void *value)
{
	const uint8_t *base = value;
	for (const struct field *field = record_fields[record]; field->type != FIELD_END; field++) {
		if (!append_field(buf, field->type, base + field->offset))
			return false;
	}
	return true;
}

/* The next `len` octets of *rest, or NULL if there are not that many. */
static const uint8_t *
cut(struct bytes *rest, size_t len)
{
	if (len > rest->len)
		return NULL;
	const uint8_t *data = rest->data;
	rest->data += len;
	rest->len -= len;
	return data;
}

static bool
cut_counted(struct bytes *rest, size_t extra, struct bytes *ret_bytes)
{
	const uint8_t *count = cut(rest, sizeof(uint32_t));
	if (count == NULL)
		return false;
	uint32_t little;
	memcpy(&little, count, sizeof(little));
	size_t len = le32toh(little);
	const uint8_t *data = cut(rest, len + extra);
	if (data == NULL)
		return false;
	*ret_bytes = (struct bytes){data, len};
	return true;
}

static bool
cut_text(struct bytes *rest, const char **ret_text)
{
	struct bytes text;
	if (!cut_counted(rest, 1, &text) || text.data[text.len] != '\0' ||
		memchr(text.data, '\0', text.len) != NULL)
		return false;
	*ret_text = (const char *)text.data;
	return true;
}

static bool
cut_number(struct bytes *rest, size_t len, uint64_t *ret_number)
{
	const uint8_t *data = cut(rest, len);
	if (data == NULL)
		return false;
	uint64_t number = 0;
	for (size_t i = len; i > 0; i--)
		number = number << 8 | data[i - 1];
	*ret_number = number;
	return true;
}

static bool
cut_fixed(struct bytes *rest, size_t len, void *ret_data)
{
	const uint8_t *data = cut(rest, len);
	if (data == NULL)
		return false;
	memcpy(ret_data, data, len);
	return true;
}

static bool
cut_field(struct bytes *rest, enum field_type type, void *value)
{
	uint64_t number = 0;
	switch (type) {
	case FIELD_U8:
		return cut_fixed(rest, 1, value);
	case FIELD_U16:
		if (!cut_number(rest, sizeof(uint16_t), &number))
			return false;
		*(uint16_t *)value = (uint16_t)number;
		return true;
	case FIELD_U32:
		if (!cut_number(rest, sizeof(uint32_t), &number))
			return false;
		*(uint32_t *)value = (uint32_t)number;
		return true;
	case FIELD_U64:
		return cut_number(rest, sizeof(uint64_t), value);
	case FIELD_ID16:
		return cut_fixed(rest, 16, value);
	case FIELD_B32:
		return cut_fixed(rest, 32, value);
	case FIELD_BYTES:
	case FIELD_SECRET:
	case FIELD_LIST:
		return cut_counted(rest, 0, value);
	case FIELD_TEXT:
		return cut_text(rest, value);
	case FIELD_END:
		break;
	}
	assert(!"a field type outside the table");
	return false;
}

bool
wire_record_next(struct bytes *rest, enum wire_record record, void *ret_value, struct err *err)
{
	uint8_t *base = ret_value;
	for (const struct field *field = record_fields[record]; field->type != FIELD_END; field++) {
		if (!cut_field(rest, field->type, base + field->offset)) {
			(void)err_set(err, ERR_INTERNAL, NULL);
			return err_origin(err, "wire: field %d of record %d",
				(int)(field - record_fields[record]), (int)record);
		}
	}
	return true;
}

static bool
encode(struct buf *buf, enum wire_type type, uint16_t flags, uint64_t id, enum wire_record record,
	const void *value)
{
	assert(buf->len == 0 && buf->max <= WIRE_MAX);
	uint8_t header[WIRE_HEADER] = {0};
	if (!buf_append(buf, header, sizeof(header)) || !wire_record_append(buf, record, value))
		return false;
	uint32_t length = htole32((uint32_t)buf->len);
	uint16_t type_little = htole16((uint16_t)type);
	uint16_t flags_little = htole16(flags);
	uint64_t id_little = htole64(id);
	memcpy(buf->data, &length, 4);
	memcpy(buf->data + 4, &type_little, 2);
	memcpy(buf->data + 6, &flags_little, 2);
	memcpy(buf->data + 8, &id_little, 8);
	return true;
}

bool
wire_encode_request(struct buf *buf, enum wire_type type, uint64_t id, const void *request)
{
	return encode(buf, type, 0, id, wire_request_record(type), request);
}

bool
wire_encode_answer(struct buf *buf, enum wire_type type, uint64_t id, const void *answer)
{
	return encode(buf, type, WIRE_FLAG_ANSWER, id, wire_answer_record(type), answer);
}

void
wire_encode_error(struct buf *buf, enum wire_type type, uint64_t id, const struct err *error,
	struct bytes detail)
{
	struct wire_error record = {
		.name = err_name(error->code),
		.message = error->message,
		.origin = error->origin,
		.detail = detail,
	};
	bool fits = encode(
		buf, type, WIRE_FLAG_ANSWER | WIRE_FLAG_ERROR, id, WIRE_RECORD_error, &record);
	assert(fits);
	(void)fits; /* asserts stay on in release; this keeps the compiler content if somebody turns them off */
}

bool
wire_decode(struct bytes datagram, struct wire_message *ret_message, struct err *err)
{
	struct bytes rest = datagram;
	uint64_t length, type, flags, id;
	if (!cut_number(&rest, 4, &length) || !cut_number(&rest, 2, &type) ||
		!cut_number(&rest, 2, &flags) || !cut_number(&rest, 8, &id))
		return malformed(err, "short header");
	bool flags_good = flags == 0 || flags == WIRE_FLAG_ANSWER ||
			  flags == (WIRE_FLAG_ANSWER | WIRE_FLAG_ERROR);
	if (length != datagram.len || length > WIRE_MAX || type == 0 || type >= WIRE_TYPE_COUNT ||
		!flags_good)
		return malformed(err, "header");
	*ret_message = (struct wire_message){(enum wire_type)type, (uint16_t)flags, id, rest};
	return true;
}

/* Exactly one record in the whole body. */
static bool
decode_body(const struct wire_message *message, enum wire_record record, void *ret_value,
	struct err *err)
{
	struct bytes rest = message->body;
	if (!wire_record_next(&rest, record, ret_value, err))
		return false;
	if (rest.len > 0)
		return malformed(err, "trailing octets");
	return true;
}

bool
wire_decode_request(const struct wire_message *message, void *ret_request, struct err *err)
{
	if (message->flags != 0)
		return malformed(err, "an answer, not a request");
	return decode_body(message, wire_request_record(message->type), ret_request, err);
}

static bool
decode_error(const struct wire_message *message, struct bytes *ret_detail, struct err *err)
{
	struct wire_error record;
	if (!decode_body(message, WIRE_RECORD_error, &record, err))
		return false;
	enum err_code code = err_find(record.name);
	(void)err_set(err, code == ERR_NONE ? ERR_INTERNAL : code, "%s", record.message);
	if (ret_detail != NULL)
		*ret_detail = record.detail;
	return err_origin(err, "%s", record.origin);
}

bool
wire_decode_answer(const struct wire_message *message, void *ret_answer, struct bytes *ret_detail,
	struct err *err)
{
	if (ret_detail != NULL)
		*ret_detail = (struct bytes){NULL, 0};
	if ((message->flags & WIRE_FLAG_ANSWER) == 0)
		return malformed(err, "a request, not an answer");
	if ((message->flags & WIRE_FLAG_ERROR) != 0)
		return decode_error(message, ret_detail, err);
	return decode_body(message, wire_answer_record(message->type), ret_answer, err);
}
