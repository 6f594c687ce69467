/* The error table and its look-ups. The table's rows are the only place where a code gets its class. */
#include "err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
	const char *name;
	enum err_class class;
	int status;
	const char *dialect_code;
	const char *dialect_inner;
	bool retry;
	const char *sentence;
};

static const struct err_row rows[ERR_COUNT] = {
#define ERR(symbol, name, class, status, code, inner, retry, sentence)                             \
	[ERR_##symbol] = {name, ERR_CLASS_##class, status, code, inner, retry, sentence},
#include "err.tbl"
};

static const struct err_row *
row_get(enum err_code code)
{
	assert(code > ERR_NONE && code < ERR_COUNT);
	return &rows[code];
}

/* Keeps terminals and line-based logs safe from what a name or a vendor's text may carry. */
static void
replace_controls(char *text)
{
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	err->code = code;
	err->retry_after_s = 0;
	err->origin[0] = '\0';
	if (fmt == NULL) {
		(void)snprintf(err->message, sizeof(err->message), "%s", row_get(code)->sentence);
		return false;
	}
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	replace_controls(err->message);
	return false;
}

bool
err_origin(struct err *err, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(err->origin, sizeof(err->origin), fmt, args);
	va_end(args);
	replace_controls(err->origin);
	return false;
}

bool
err_errno(struct err *err, enum err_code code, int error, const char *call)
{
	if (error == ENOSPC || error == EDQUOT)
		code = ERR_STORAGE_FULL;
	(void)err_set(err, code, NULL);
	return err_origin(err, "%s: %s", call, strerror(error));
}

void
err_clear(struct err *err)
{
	*err = (struct err){0};
}

const char *
err_name(enum err_code code)
{
	return row_get(code)->name;
}

enum err_class
err_class(enum err_code code)
{
	return row_get(code)->class;
}

const char *err_class_name(enum err_class class)
{
	switch (class) {
	case ERR_CLASS_BAD:
		return "bad";
	case ERR_CLASS_DENIED:
		return "denied";
	case ERR_CLASS_UNAVAILABLE:
		return "unavailable";
	case ERR_CLASS_INTEGRITY:
		return "integrity";
	}
	assert(!"a class outside the enum");
	return "";
}

int
err_status(enum err_code code)
{
	return row_get(code)->status;
}

const char *
err_dialect_code(enum err_code code)
{
	return row_get(code)->dialect_code;
}

const char *
err_dialect_inner(enum err_code code)
{
	return row_get(code)->dialect_inner;
}

bool
err_retryable(enum err_code code)
{
	return row_get(code)->retry;
}

const char *
err_sentence(enum err_code code)
{
	return row_get(code)->sentence;
}

enum err_code
err_find(const char *name)
{
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		if (strcmp(rows[code].name, name) == 0)
			return (enum err_code)code;
	}
	return ERR_NONE;
}

static bool
answers(enum err_code code, int status, const char *dialect, const char *inner)
{
	return err_status(code) == status && strcmp(err_dialect_code(code), dialect) == 0 &&
	       strcmp(err_dialect_inner(code), inner) == 0;
}

enum err_code
err_find_answer(int status, const char *code, const char *inner)
{
	const char *names[] = {inner, code};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		enum err_code found = err_find(names[i]);
		if (found != ERR_NONE && answers(found, status, code, inner))
			return found;
	}
	for (int row = ERR_NONE + 1; row < ERR_COUNT; row++) {
		if (answers((enum err_code)row, status, code, inner))
			return (enum err_code)row;
	}
	return ERR_NONE;
}
