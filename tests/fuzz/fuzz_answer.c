/*
 * An answer of the daemon as libcustody reads it in place: refused, or every value of it taken in every way. What the strict
 * parser of src/json takes, this one takes too, and finds the same texts.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lib/answer.h"
#include "json/json.h"

static void
take_scalars(struct answer value)
{
	char text[64];
	int64_t number;
	bool flag;
	struct err err;
	struct custody_secret octets = {NULL, 0};
	if (answer_text(value, text, sizeof(text)))
		assert(strlen(text) < sizeof(text));
	if (answer_int(value, &number))
		assert(answer_type(value) == '-' || number >= 0);
	if (answer_bool(value, &flag))
		assert(flag == (answer_type(value) == 't'));
	if (answer_octets(value, &octets, &err))
		custody_secret_free(&octets);
}

static void
walk(struct answer value)
{
	static const char *const names[] = {"value", "error", "key", "attributes", "a", ""};
	take_scalars(value);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct answer member = answer_member(value, names[i]);
		if (member.start != NULL)
			walk(member);
	}
	struct answer none = {NULL, NULL};
	for (struct answer item = answer_next(value, none); item.start != NULL;
		item = answer_next(value, item)) {
		assert(item.start > value.start && item.end < value.end);
		walk(item);
	}
}

static void
compare(struct answer value, const struct json_value *object)
{
	const char *name = NULL;
	for (size_t i = 0; i < json_count(object); i++) {
		char text[256];
		const struct json_value *member = json_next(object, &name);
		const char *wanted = json_text(member);
		bool plain =
			strpbrk(name, "\"\\/") == NULL; /* a name is compared as it is written */
		for (const char *c = name; *c != '\0'; c++)
			plain = plain && (unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f;
		struct answer found = answer_member(value, name);
		if (wanted != NULL && plain && found.start != NULL &&
			answer_text(found, text, sizeof(text)))
			assert(strcmp(text, wanted) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct answer value = {NULL, NULL};
	bool taken = answer_parse((struct bytes){data, size}, &value);
	struct json_value *document = json_parse(data, size, JSON_BODY_MAX, &err);
	assert(document == NULL || taken);
	if (taken)
		walk(value);
	if (document != NULL)
		compare(value, document);
	json_free(document);
	return 0;
}
