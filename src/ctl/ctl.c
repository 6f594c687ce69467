/* Invariant: whatever is said on standard error is printable, in lines, and names what to do. */
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json/json.h"

#define SENTENCE_MAX 640
#define BODY_MAX     16777216 /* octets of a request */

/* ---- how it ends ---- */

static int
exit_of_class(enum custody_class error_class)
{
	switch (error_class) {
	case CUSTODY_CLASS_BAD:
		return EXIT_BAD;
	case CUSTODY_CLASS_DENIED:
		return EXIT_DENIED;
	case CUSTODY_CLASS_UNAVAILABLE:
		return EXIT_UNAVAILABLE;
	case CUSTODY_CLASS_INTEGRITY:
		return EXIT_INTEGRITY;
	}
	return EXIT_INTERNAL;
}

static int
exit_of(const char *name, enum custody_class error_class)
{
	enum err_code code = err_find(name);
	if (code == ERR_CLIENT_USAGE)
		return EXIT_USAGE;
	if (code == ERR_INTERNAL || code == ERR_CLIENT_ANSWER || code == ERR_NO_MEMORY)
		return EXIT_INTERNAL;
	return exit_of_class(error_class);
}

static void
say(const struct ctl *ctl, const char *text, const char *name)
{
	char clean[SENTENCE_MAX];
	output_clean(text, clean, sizeof(clean));
	(void)fprintf(stderr, "%s %s: %s%s%s%s\n", ctl->table->program, ctl->command->words, clean,
		name[0] != '\0' ? " [" : "", name, name[0] != '\0' ? "]" : "");
}

/* A line for each key of an envelope that none opened: whose "no" it was, and what to do. */
static void
say_attempt(const struct custody_attempt *attempt)
{
	enum err_code code = err_find(attempt->name);
	(void)fprintf(stderr, "    %s%s%s%s: %s%s%s%s%s%s\n", attempt->key_id,
		attempt->token[0] != '\0' ? " (token " : "", attempt->token,
		attempt->token[0] != '\0' ? ")" : "", attempt->outcome,
		code != ERR_NONE ? ". " : "", code != ERR_NONE ? err_sentence(code) : "",
		attempt->name[0] != '\0' ? " [" : "", attempt->name,
		attempt->name[0] != '\0' ? "]" : "");
}

int
ctl_fail(const struct ctl *ctl, const struct err *err)
{
	const char *name = err_name(err->code);
	say(ctl, err->message, err->code == ERR_CLIENT_USAGE ? "" : name);
	return exit_of(name, (enum custody_class)err_class(err->code));
}

int
ctl_fail_call(const struct ctl *ctl, const struct custody_error *error)
{
	say(ctl, error->message, error->name);
	for (size_t i = 0; i < error->attempt_count; i++)
		say_attempt(&error->attempts[i]);
	return exit_of(error->name, error->error_class);
}

int
ctl_fail_usage(const struct ctl *ctl, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(ctl, text, "");
	return EXIT_USAGE;
}

void
ctl_warn(const struct ctl *ctl, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list args;
	va_start(args, fmt);
	int len = snprintf(text, sizeof(text), "warning: ");
	(void)vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, args);
	va_end(args);
	say(ctl, text, "");
}

void
ctl_waiting(void *data, const char *why, uint32_t wait_ms)
{
	ctl_warn(data, "%s Trying again in %u.%u s.", why, wait_ms / 1000, wait_ms % 1000 / 100);
}

void
ctl_warned(void *data, const char *text)
{
	ctl_warn(data, "%s", text);
}

/* ---- requests and answers ---- */

static struct json_value *
parse_answer(const struct ctl *ctl, char *take_text, int *ret_exit)
{
	struct err err;
	const char *object = take_text[0] == '\0' ? "{}" : take_text; /* 204 has no body */
	struct json_value *document = json_parse(object, strlen(object), ANSWERS_MAX, &err);
	custody_text_free(take_text);
	if (document == NULL) {
		(void)err_set(&err, ERR_CLIENT_ANSWER, NULL);
		*ret_exit = ctl_fail(ctl, &err);
	}
	return document;
}

struct json_value *
ctl_call(const struct ctl *ctl, const char *method, const char *vault, const char *path,
	const struct buf *body, int *ret_exit)
{
	char *text = NULL;
	struct custody_error error;
	if (!custody_request(ctl->client, method, vault, path, body != NULL ? buf_peek(body) : NULL,
		    &text, &error)) {
		*ret_exit = ctl_fail_call(ctl, &error);
		return NULL;
	}
	return parse_answer(ctl, text, ret_exit);
}

struct json_value *
ctl_call_newer(const struct ctl *ctl, const char *path, int *ret_exit)
{
	char *text = NULL;
	struct custody_error error;
	if (custody_request(ctl->client, "GET", NULL, path, NULL, &text, &error))
		return parse_answer(ctl, text, ret_exit);
	*ret_exit = EXIT_OK;
	if (err_find(error.name) != ERR_NOT_FOUND)
		*ret_exit = ctl_fail_call(ctl, &error);
	return NULL;
}

int
ctl_answer(const struct ctl *ctl, const struct buf *json, const char *list,
	const struct output_column *columns)
{
	struct err err;
	if (!output_write(stdout, ctl->form, buf_bytes(json), list, columns, &err))
		return ctl_fail(ctl, &err);
	return EXIT_OK;
}

void
ctl_write_words(const struct ctl *ctl, struct json_writer *writer, const char *name, int option)
{
	const struct option_values *values = &ctl->options.values[option];
	if (values->count == 0)
		return;
	json_write_array(writer, name);
	for (size_t i = 0; i < values->count; i++) {
		const char *word = values->words[i];
		while (*(word += strspn(word, ", ")) != '\0') {
			size_t len = strcspn(word, ", ");
			json_write_chars(writer, NULL, word, len);
			word += len;
		}
	}
	json_write_end(writer);
}

int
ctl_show(const struct ctl *ctl, const char *method, const char *path, const char *body,
	const char *list, bool always, const struct output_column *columns, size_t *ret_count)
{
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf request;
	buf_init(&request, BODY_MAX);
	if (body != NULL)
		(void)buf_text(&request, body);
	CLEAN(json)
	struct json_value *answer =
		ctl_call(ctl, method, NULL, path, body != NULL ? &request : NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	answers_copy(&writer, NULL, answer);
	if (ret_count != NULL)
		*ret_count = json_count(json_member(answer, list));
	bool rows = list != NULL && (always || ctl->form != OUTPUT_JSON);
	return ctl_answer(ctl, &json, rows ? list : NULL, columns);
}
