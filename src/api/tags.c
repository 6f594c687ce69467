/* Invariant: a text made here is one JSON object of strings, within every limit of the header. */
#include "tags.h"

#include <string.h>

#include "json/json_writer.h"

/* Text from the parser is UTF-8: each octet that continues no character begins one (RFC 3629 §3). */
static size_t
count_chars(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			count++;
	return count;
}

bool
api_tags_format(const struct json_pairs *pairs, const char *absent, struct arena *arena,
	const char **ret_text, struct err *err)
{
	if (!pairs->set) {
		*ret_text = absent;
		return true;
	}
	CLEAN(buf)
	struct buf text;
	buf_init(&text, API_TAGS_TEXT_MAX);
	struct json_writer writer;
	json_writer_init(&writer, &text);
	json_write_object(&writer, NULL);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct json_pair *pair = &pairs->items[i];
		if (count_chars(pair->name) > API_TAG_CHARS_MAX ||
			count_chars(pair->value) > API_TAG_CHARS_MAX)
			return err_set(err, ERR_BAD_PARAMETER,
				"tags: a name or value is longer than %d characters.",
				API_TAG_CHARS_MAX);
		json_write_text(&writer, pair->name, pair->value);
	}
	json_write_end(&writer);
	if (!json_writer_ok(&writer))
		return err_set(err, ERR_BAD_PARAMETER,
			"tags: all names and values together are too long.");
	*ret_text = arena_strndup(arena, buf_peek(&text), text.len);
	return true;
}
