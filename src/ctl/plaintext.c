/* Invariant: a plaintext is in wiped buffers only, and on a terminal only if that was asked for. */
#include "plaintext.h"

#include <string.h>
#include <unistd.h>

#include "base/b64.h"
#include "base/file.h"
#include "ctl/custodyctl.h"

static const struct output_column columns[] = {
	{"Algorithm", "algorithm"},
	{"Kid",       "kid"      },
	{"Degraded",  "degraded" },
	{"Result",    "result"   },
	{NULL,        NULL       },
};

bool
plaintext_open(struct plaintext *sink, struct err *err)
{
	const struct cmdline *options = &sink->ctl->options;
	const char *out = cmdline_text(options, OPTION_OUT);
	bool shown = cmdline_flag(options, OPTION_SHOW_SECRET, false);
	bool replace = cmdline_flag(options, OPTION_FORCE, false);
	if (out == NULL || strcmp(out, "-") == 0) {
		if (!terminal_allows_secret(STDOUT_FILENO, shown, err))
			return false;
	}
	if (out == NULL)
		return true;
	if (!outfile_open(out, replace, &sink->file, err))
		return false;
	sink->to_file = true;
	return true;
}

void
plaintext_clean(struct plaintext *sink)
{
	if (sink->to_file)
		outfile_discard(&sink->file);
}

bool
plaintext_write(struct plaintext *sink, const struct custody_secret *plaintext, struct err *err)
{
	return file_write_all(sink->file.fd, plaintext->data, plaintext->len, err) &&
	       outfile_finish(&sink->file, err);
}

static void
write_result(
	struct plaintext *sink, struct json_writer *writer, const struct custody_secret *plaintext)
{
	const char *type = cmdline_text(&sink->ctl->options, OPTION_DATA_TYPE);
	if (sink->to_file)
		return;
	if (type != NULL && strcmp(type, "plaintext") == 0)
		json_write_chars(writer, "result", (const char *)plaintext->data, plaintext->len);
	else
		plaintext_write_base64(writer, "result", plaintext->data, plaintext->len);
}

int
plaintext_answer(struct plaintext *sink, const char *algorithm, const char *key_id,
	const struct custody_opened *opened, const struct custody_secret *plaintext)
{
	struct err err;
	if (sink->to_file)
		return plaintext_write(sink, plaintext, &err) ? EXIT_OK : ctl_fail(sink->ctl, &err);
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	if (algorithm != NULL)
		json_write_text(&writer, "algorithm", algorithm);
	if (opened != NULL)
		json_write_bool(&writer, "degraded", opened->degraded);
	json_write_text(&writer, "kid", key_id);
	write_result(sink, &writer, plaintext);
	json_write_end(&writer);
	return ctl_answer(sink->ctl, &json, NULL, columns);
}

bool
plaintext_decode(const char *text, size_t len, struct buf *octets)
{
	CLEAN(buf)
	struct buf plain;
	buf_init(&plain, len + 1);
	size_t pads = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\n' || c == '\r')
			continue;
		if (c == '=') {
			pads++;
			continue;
		}
		if (c == '+')
			c = '-';
		else if (c == '/')
			c = '_';
		if (pads > 0 || !buf_append(&plain, &c, 1))
			return false;
	}
	bool padded = pads == 0 || (pads <= 2 && (plain.len + pads) % 4 == 0);
	uint8_t *room = buf_reserve(octets, b64_decoded_max(plain.len) + 1);
	size_t decoded;
	if (!padded || room == NULL || !b64_decode(buf_peek(&plain), plain.len, room, &decoded))
		return false;
	buf_add_len(octets, decoded);
	return true;
}

void
plaintext_write_base64(struct json_writer *writer, const char *name, const void *data, size_t len)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, b64_encoded_len(len) + 4);
	(void)b64_append(&text, data, len); /* it fits */
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '-')
			text.data[i] = '+';
		else if (text.data[i] == '_')
			text.data[i] = '/';
	}
	while (text.len % 4 != 0)
		(void)buf_text(&text, "=");
	json_write_chars(writer, name, buf_peek(&text), text.len);
}
