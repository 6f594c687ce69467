/*
 * What custodyctl reads: its command line, a word a line; base64 of a file; an answer of the daemon, shaped as az shows it and
 * written in every form. No control character comes out of an answer (threats C20).
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/binding.h"
#include "ctl/custodyctl.h"
#include "ctl/plaintext.h"
#include "json/json.h"

#define WORDS_MAX 24

static void
check_options(const struct ctl *ctl)
{
	struct err err;
	for (int i = 0; i < OPTION_COUNT; i++) {
		int64_t number = 0;
		if (cmdline_number(&ctl->options, i, -5, 5000, &number, &err))
			assert(number >= 0 && number <= 5000);
		if (cmdline_time(&ctl->options, i, &number, &err))
			assert(number >= 0 && number < INT64_C(253402300800)); /* year 10000 */
		assert(ctl->options.values[i].count <= CMDLINE_WORDS_MAX);
		assert(command_takes(ctl->command, i) || !cmdline_given(&ctl->options, i));
	}
	assert(ctl->options.argument_count <= CMDLINE_ARGUMENTS_MAX);
}

static void
check_targets(const struct ctl *ctl)
{
	struct err err;
	struct target target;
	struct binding binding;
	if (ctl_target_key(ctl, &target, &err))
		assert(id_key_name_valid(target.name) && strncmp(target.id, "https://", 8) == 0);
	if (ctl_target_vault(ctl, &target, &err))
		assert(target.vault[0] != '\0' && strpbrk(target.vault, "/ \r\n") == NULL);
	binding_init(&binding);
	if (binding_read_keys(ctl, &binding, true, &err))
		assert(binding.key_ids[0] != NULL && binding.key_ids[1] != NULL);
	binding_clean(&binding);
}

static void
try_command_line(const uint8_t *data, size_t size)
{
	char text[4096];
	char *argv[WORDS_MAX + 1];
	int argc = 0;
	int words = 1;
	struct err err = {0};
	struct ctl ctl = {.table = &custodyctl_table, 0};
	size_t len = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	for (char *line = text; line != NULL && argc < WORDS_MAX;) {
		argv[argc++] = line;
		line = strchr(line, '\n');
		if (line != NULL)
			*line++ = '\0';
	}
	argv[argc] = NULL;
	ctl.command = command_find(&custodyctl_table, argv, &words);
	if (ctl.command == NULL) {
		words = 1;
		ctl.command = &custodyctl_commands[text[0] & 0x7f & (COMMAND_COUNT - 1)];
	}
	if (!cmdline_parse(&custodyctl_table, ctl.command, argc - words + 1, argv + words - 1,
		    &ctl.options, &err)) {
		assert(err.code == ERR_CLIENT_USAGE && err.message[0] != '\0');
		return;
	}
	check_options(&ctl);
	check_targets(&ctl);
}

/* Writing what was read gives the canonical form of it, which reads the same. */
static void
try_base64(const char *text, size_t len)
{
	CLEAN(buf)
	struct buf first;
	CLEAN(buf)
	struct buf second;
	CLEAN(buf)
	struct buf json;
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	buf_init(&json, 1 << 21);
	if (!plaintext_decode(text, len, &first))
		return;
	struct json_writer writer;
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	plaintext_write_base64(&writer, "a", first.data, first.len);
	json_write_end(&writer);
	assert(json_writer_ok(&writer));
	const size_t around[2] = {sizeof("{\"a\":\"") - 1, sizeof("\"}") - 1};
	assert(json.len >= around[0] + around[1]);
	assert(plaintext_decode(
		buf_peek(&json) + around[0], json.len - around[0] - around[1], &second));
	assert(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

static void
check_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		assert((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');
		assert(c != 0xc2 || (unsigned char)text[i + 1] >= 0xa0);
	}
}

static void
write_forms(const struct buf *json, const char *list)
{
	static const struct output_column columns[] = {
		{"Name",    "name"              },
                {"Enabled", "attributes.enabled"},
                {"A",       "a"                 },
                {NULL,      NULL                }
        };
	for (int form = OUTPUT_JSON; form <= OUTPUT_TSV; form++) {
		char *text = NULL;
		size_t len = 0;
		struct err err;
		FILE *out = open_memstream(&text, &len);
		assert(out != NULL);
		bool good = output_write(
			out, (enum output_form)form, buf_bytes(json), list, columns, &err);
		assert(fclose(out) == 0);
		assert(good || err.code == ERR_CLIENT_ANSWER);
		check_text(text, len);
		free(text);
	}
}

static void
try_answer(const uint8_t *data, size_t size)
{
	static void (*const shapes[])(
		struct json_writer *, const char *, const struct json_value *) = {
		answers_key, answers_key_item, answers_vault, answers_copy};
	struct err err;
	CLEAN(json)
	struct json_value *document = json_parse(data, size, ANSWERS_MAX, &err);
	for (size_t i = 0; document != NULL && i < ARRAY_LEN(shapes); i++) {
		CLEAN(buf)
		struct buf json;
		struct json_writer writer;
		buf_init(&json, OUTPUT_MAX);
		json_writer_init(&writer, &json);
		shapes[i](&writer, NULL, document);
		assert(json_writer_ok(&writer));
		write_forms(&json, NULL);
		write_forms(&json, "value");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const union {
		const uint8_t *octets;
		const char *text;
	} input = {data};
	if (size > 65536)
		return 0;
	try_command_line(data, size);
	try_base64(input.text, size);
	try_answer(data, size);
	return 0;
}
