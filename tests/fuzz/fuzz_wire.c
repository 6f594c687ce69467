/*
 * Datagrams between custodyd and custody-token, as each side decodes what the other may send. What is accepted has one
 * spelling: encoding it again gives the input.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "wire/wire.h"

union any_record {
#define RECORD(record) struct wire_##record record;
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "wire/msg.tbl"
};

static void
check_same(const struct buf *again, const uint8_t *data, size_t size)
{
	assert(bytes_equal(buf_bytes(again), (struct bytes){data, size}));
}

/* Whatever a list of the given record is made of ends, and every text in it is a string. */
static void
walk_list(struct bytes list, enum wire_record record)
{
	union any_record value;
	struct err err;
	while (list.len > 0) {
		size_t before = list.len;
		if (!wire_record_next(&list, record, &value, &err))
			return;
		assert(list.len < before);
	}
}

static void
walk_lists(const struct wire_message *message, const union any_record *answer)
{
	if (message->type == WIRE_CAPABILITIES) {
		walk_list(answer->capabilities_answer.algs, WIRE_RECORD_capability);
		walk_list(answer->capabilities_answer.attributes, WIRE_RECORD_attribute);
		walk_list(answer->capabilities_answer.kinds, WIRE_RECORD_kind);
	} else if (message->type == WIRE_LIST) {
		walk_list(answer->list_answer.objects, WIRE_RECORD_object);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_message message;
	union any_record value;
	struct bytes detail;
	struct err err;
	CLEAN(buf)
	struct buf again;
	buf_init(&again, WIRE_MAX);
	if (!wire_decode((struct bytes){data, size}, &message, &err))
		return 0;
	assert(strlen(wire_name(message.type)) > 0);
	if (wire_decode_request(&message, &value, &err)) {
		assert(wire_encode_request(&again, message.type, message.id, &value));
		check_same(&again, data, size);
	} else if (wire_decode_answer(&message, &value, &detail, &err)) {
		walk_lists(&message, &value);
		assert(wire_encode_answer(&again, message.type, message.id, &value));
		check_same(&again, data, size);
	} else {
		assert(err.code != ERR_NONE);
		assert(strlen(err.message) < sizeof(err.message) &&
			strlen(err.origin) < sizeof(err.origin));
	}
	return 0;
}
