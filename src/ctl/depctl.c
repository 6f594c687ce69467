/* depctl. The manual is depctl(1). */
#include "ctl/depctl.h"

#include <stdio.h>
#include <string.h>

#include "base/percent.h"
#include "ctl/program.h"

static program_function *const functions[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = depctl_##symbol,
#include "depctl.tbl"
};

static const struct program program = {
	.table = &depctl_table,
	.functions = functions,
	.socket_variable = "DEPD_SOCKET",
	.socket_path = "/run/custody-dep/depd.sock",
};

static const struct output_column slot_columns[] = {
	{"Slot",       "name"      },
	{"Policy",     "policy"    },
	{"Encrypted",  "encrypted" },
	{"Pending",    "pending"   },
	{"Clear",      "clear"     },
	{"Remembered", "remembered"},
	{NULL,         NULL        },
};

static const struct output_column flush_columns[] = {
	{"Flushed", "flushed"},
	{NULL,      NULL     },
};

int
depctl_help(struct ctl *ctl)
{
	return program_help(ctl);
}

int
depctl_status(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/status", NULL, "slots", false, slot_columns, NULL);
}

int
depctl_flush(struct ctl *ctl)
{
	return ctl_show(ctl, "POST", "/flush", NULL, NULL, false, flush_columns, NULL);
}

/* ---- paths and lists ---- */

bool
depctl_path(const char *head, const char *name, const char *tail,
	char path[static DEPCTL_PATH_SIZE], struct err *err)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, DEPCTL_PATH_SIZE - 1);
	(void)buf_text(&text, head);
	(void)percent_append(&text, name);
	(void)buf_text(&text, tail);
	if (text.overflow)
		return err_set(err, ERR_CLIENT_USAGE, "The name is too long.");
	memcpy(path, text.data, text.len + 1);
	return true;
}

/* One page into the open array; ret_next: the path of the next one, "" behind the last. */
static int
add_page(struct ctl *ctl, const char *base, const char *path, struct json_writer *writer,
	char ret_next[static DEPCTL_PATH_SIZE])
{
	int exit_code = EXIT_OK;
	char head[DEPCTL_PATH_SIZE];
	struct err err;
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "GET", NULL, path, NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	const struct json_value *rows = json_member(answer, "value");
	for (size_t i = 0; i < json_count(rows); i++)
		answers_copy(writer, NULL, json_item(rows, i));
	const char *next = json_text(json_member(answer, "next"));
	(void)snprintf(head, sizeof(head), "%s&after=", base);
	ret_next[0] = '\0';
	if (next != NULL && !depctl_path(head, next, "", ret_next, &err))
		return ctl_fail(ctl, &err);
	return EXIT_OK;
}

int
depctl_list(struct ctl *ctl, const char *path, const struct output_column *columns)
{
	struct json_writer writer;
	char here[DEPCTL_PATH_SIZE], next[DEPCTL_PATH_SIZE];
	CLEAN(buf)
	struct buf json;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	(void)snprintf(next, sizeof(next), "%s", path);
	while (next[0] != '\0') {
		(void)snprintf(here, sizeof(here), "%s", next);
		int exit_code = add_page(ctl, path, here, &writer, next);
		if (exit_code != EXIT_OK)
			return exit_code;
	}
	json_write_end(&writer);
	json_write_end(&writer);
	return ctl_answer(ctl, &json, "value", columns);
}

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
