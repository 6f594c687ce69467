#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "base/file.h"

#define FILE_MAX (4u << 20)

static struct json_value *
load(const char *file)
{
	struct err err = {0};
	char path[512];
	const char *top = getenv("SRCDIR");
	(void)snprintf(path, sizeof(path), "%s/vectors/%s", top != NULL ? top : ".", file);
	CLEAN(buf)
	struct buf text;
	buf_init(&text, FILE_MAX);
	if (!file_read(path, &text, ERR_CLIENT_FILE, &err))
		fail_msg("%s: %s", path, err.message);
	struct json_value *document = json_parse(text.data, text.len, FILE_MAX, &err);
	if (document == NULL)
		fail_msg("%s: %s", path, err.message);
	return document;
}

static void
run_group(struct vectors *vectors, const struct json_value *group, vectors_case *check)
{
	const struct json_value *tests = json_member(group, "tests");
	for (size_t i = 0; i < json_count(tests); i++) {
		check(vectors, group, json_item(tests, i));
		vectors->run++;
	}
}

void
vectors_run(const char *file, vectors_case *check)
{
	struct vectors vectors = {.file = file, .document = load(file), .arena = arena_new()};
	const struct json_value *groups = json_member(vectors.document, "testGroups");
	for (size_t i = 0; i < json_count(groups); i++)
		run_group(&vectors, json_item(groups, i), check);
	if (groups == NULL)
		run_group(&vectors, vectors.document, check);
	assert_int_equal(vectors.run, vectors_int(vectors.document, "numberOfTests"));
	print_message(
		"%s: %zu cases, %zu of them not applicable\n", file, vectors.run, vectors.skipped);
	arena_free(vectors.arena);
	json_free(vectors.document);
}

void
vectors_skip(struct vectors *vectors)
{
	vectors->skipped++;
}

const char *
vectors_text(const struct json_value *object, const char *name)
{
	const char *text = json_text(json_member(object, name));
	if (text == NULL)
		fail_msg("the vector has no text '%s'", name);
	return text;
}

int64_t
vectors_int(const struct json_value *object, const char *name)
{
	int64_t number = 0;
	if (!json_int(json_member(object, name), &number))
		fail_msg("the vector has no number '%s'", name);
	return number;
}

struct bytes
vectors_hex(struct vectors *vectors, const struct json_value *object, const char *name)
{
	const char *text = vectors_text(object, name);
	if (strlen(text) % 2 != 0)
		text = arena_printf(vectors->arena, "0%s", text);
	size_t len = strlen(text) / 2;
	uint8_t *data = arena_alloc(vectors->arena, len + 1);
	if (!hex_decode(text, data, len))
		fail_msg("'%s' of the vector is not hex", name);
	return (struct bytes){data, len};
}

char
vectors_result(const struct json_value *test)
{
	return vectors_text(test, "result")[0];
}

void
vectors_fail(struct vectors *vectors, const struct json_value *test, const char *what)
{
	fail_msg("%s, case %lld (%s): %s", vectors->file, (long long)vectors_int(test, "tcId"),
		vectors_text(test, "comment"), what);
}
