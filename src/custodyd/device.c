#include "custodyd/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"

static const struct {
	uint32_t bit;
	const char *word; /* key_ops of the dialect */
} OPERATIONS[] = {
	{WIRE_OP_ENCRYPT, "encrypt"  },
	{WIRE_OP_DECRYPT, "decrypt"  },
	{WIRE_OP_SIGN,    "sign"     },
	{WIRE_OP_VERIFY,  "verify"   },
	{WIRE_OP_WRAP,    "wrapKey"  },
	{WIRE_OP_UNWRAP,  "unwrapKey"},
};

struct device *
device_new(void)
{
	struct device *device = calloc(1, sizeof(*device));
	if (device == NULL)
		abort();
	device->sessions = 1;
	buf_init(&device->capability, TOKEN_CAPABILITY_MAX);
	return device;
}

void
device_free(struct device *device)
{
	if (device == NULL)
		return;
	buf_clear(&device->capability);
	free(device);
}

/* Cut to the room there is; what is not printable ASCII becomes '?', so that it is good in any JSON and on any terminal. */
static void
copy_text(char *target, size_t size, const char *source, size_t len)
{
	size_t count = len < size - 1 ? len : size - 1;
	for (size_t i = 0; i < count; i++) {
		unsigned char octet = (unsigned char)source[i];
		target[i] = octet < 0x20 || octet >= 0x7f ? '?' : (char)octet;
	}
	target[count] = '\0';
}

void
device_copy_text(char *target, size_t size, const char *source)
{
	copy_text(target, size, source, strlen(source));
}

/* Splits blank-separated words into rows, as many as there are. */
static size_t
copy_words(const char *words, char rows[][TOKEN_TEXT_MAX], size_t max)
{
	size_t count = 0;
	while (*words != '\0' && count < max) {
		size_t len = strcspn(words, " ");
		if (len > 0)
			copy_text(rows[count++], TOKEN_TEXT_MAX, words, len);
		words += len + (words[len] == ' ' ? 1 : 0);
	}
	return count;
}

void
device_take_lease(
	struct device *device, unsigned lease, const uint8_t owner[static 16], uint64_t counter)
{
	static const uint8_t nobody[16];
	bool known = lease >= WIRE_LEASE_NONE && lease <= WIRE_LEASE_UNSUPPORTED;
	device->lease = known ? (enum wire_lease)lease : 0;
	device->owner[0] = '\0';
	if (memcmp(owner, nobody, sizeof(nobody)) != 0)
		hex_encode(owner, sizeof(nobody), device->owner);
	device->counter = counter;
}

void
device_started(struct device *device, const struct wire_start_answer *answer)
{
	device_copy_text(device->label, sizeof(device->label), answer->label);
	device_copy_text(device->serial, sizeof(device->serial), answer->serial);
	device_copy_text(device->manufacturer, sizeof(device->manufacturer), answer->manufacturer);
	device_copy_text(device->model, sizeof(device->model), answer->model);
	device_copy_text(device->firmware, sizeof(device->firmware), answer->firmware);
	device->flags = answer->flags;
	device->sessions = answer->sessions > 0 ? answer->sessions : 1;
	device->enrolled = answer->state == WIRE_STATE_READY;
	device_take_lease(device, answer->lease, answer->owner, answer->counter);
	device->reduced_count = copy_words(answer->reduced, device->reduced, TOKEN_REDUCED_MAX);
}

static void
name_operations(uint32_t ops, char *text, size_t size)
{
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(OPERATIONS); i++) {
		if ((ops & OPERATIONS[i].bit) == 0)
			continue;
		int written = snprintf(
			text + len, size - len, "%s%s", len > 0 ? " " : "", OPERATIONS[i].word);
		if (written < 0 || (size_t)written >= size - len)
			return;
		len += (size_t)written;
	}
}

static bool
take_algorithms(struct device *device, struct bytes rest, struct err *err)
{
	device->algorithm_count = 0;
	while (rest.len > 0) {
		struct wire_capability row;
		if (!wire_record_next(&rest, WIRE_RECORD_capability, &row, err))
			return false;
		if (!wire_alg_valid(row.alg) || device->algorithm_count == TOKEN_ALGORITHMS_MAX)
			return err_set(err, ERR_INTERNAL,
				"The token's worker listed what is no algorithm.");
		struct token_algorithm *to = &device->algorithms[device->algorithm_count++];
		device_copy_text(to->alg, sizeof(to->alg), wire_alg_name((enum wire_alg)row.alg));
		device_copy_text(to->how, sizeof(to->how), row.how);
		name_operations(row.ops, to->operations, sizeof(to->operations));
	}
	return true;
}

static bool
take_attributes(struct device *device, struct bytes rest, struct err *err)
{
	device->attribute_count = 0;
	while (rest.len > 0) {
		struct wire_attribute row;
		if (!wire_record_next(&rest, WIRE_RECORD_attribute, &row, err))
			return false;
		if (device->attribute_count == TOKEN_ATTRIBUTES_MAX)
			return err_set(err, ERR_INTERNAL,
				"The token's worker listed too many attributes.");
		struct token_attribute *to = &device->attributes[device->attribute_count++];
		device_copy_text(to->name, sizeof(to->name), row.name);
		to->required = row.required != 0;
		to->honoured = row.honoured != 0;
	}
	return true;
}

bool
device_capable(
	struct device *device, const struct wire_capabilities_answer *answer, struct err *err)
{
	buf_reset(&device->capability);
	if (!wire_record_append(&device->capability, WIRE_RECORD_capabilities_answer, answer))
		return err_set(
			err, ERR_INTERNAL, "The token's worker listed too many capabilities.");
	return take_algorithms(device, answer->algs, err) &&
	       take_attributes(device, answer->attributes, err);
}

void
device_listed(struct device *device, const struct wire_list_answer *answer)
{
	device->objects_ours = answer->total;
	device->objects_foreign = answer->foreign;
}

static bool
read_algorithms(struct bytes record, struct bytes *ret_algs)
{
	struct wire_capabilities_answer answer;
	struct err err = {0};
	if (record.len == 0 ||
		!wire_record_next(&record, WIRE_RECORD_capabilities_answer, &answer, &err))
		return false;
	*ret_algs = answer.algs;
	return true;
}

/* The operations that a list of capabilities has for an algorithm. */
static uint32_t
operations_of(struct bytes algs, uint16_t alg)
{
	struct wire_capability row;
	struct err err = {0};
	while (algs.len > 0 && wire_record_next(&algs, WIRE_RECORD_capability, &row, &err)) {
		if (row.alg == alg)
			return row.ops;
	}
	return 0;
}

bool
device_lost(const struct device *device, struct bytes enrolled, char *text, size_t size)
{
	struct bytes then, now;
	struct wire_capability row;
	struct err err = {0};
	size_t len = 0;
	text[0] = '\0';
	if (!read_algorithms(enrolled, &then) ||
		!read_algorithms(buf_bytes(&device->capability), &now))
		return false;
	while (then.len > 0 && wire_record_next(&then, WIRE_RECORD_capability, &row, &err)) {
		if ((row.ops & ~operations_of(now, row.alg)) == 0 || !wire_alg_valid(row.alg))
			continue;
		int written = snprintf(text + len, size - len, "%s%s", len > 0 ? " " : "",
			wire_alg_name((enum wire_alg)row.alg));
		if (written < 0 || (size_t)written >= size - len)
			break;
		len += (size_t)written;
	}
	return len > 0;
}
