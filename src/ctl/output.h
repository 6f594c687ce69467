/*
 * Answers to a person or a program: pretty JSON, a table, or tab-separated values. On a terminal, control
 * characters of what the daemon tells are replaced (threat C20).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define OUTPUT_MAX 67108864 /* octets of JSON; tens of thousands of keys */

enum output_form {
	OUTPUT_JSON,
	OUTPUT_TABLE,
	OUTPUT_TSV,
	OUTPUT_NONE, /* for who wants the exit code only */
};

struct output_column {
	const char *title;
	const char *path; /* members separated by '.'; NULL ends the columns */
};

/*
 * Writes `json`, an object. `list` NULL: the object itself is the answer; else its member of that name, an
 * array, with a row of the table for each element. Columns are those of table and tsv; the title row is
 * the table's only. ERR_CLIENT_ANSWER: no such JSON.
 */
bool output_write(FILE *out, enum output_form form, struct bytes json, const char *list,
	const struct output_column *columns, struct err *err) MUST_USE;

/* Copies text, with control characters replaced by '?'. Cuts at `size`. */
void output_clean(const char *text, char *clean, size_t size);
