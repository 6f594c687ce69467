/* Invariant: no octet below 0x20 or 0x7f..0x9f of an answer reaches the output but escaped or replaced. */
#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answers.h"
#include "json/json.h"

#define COLUMNS_MAX 12
#define CELL_MAX    1024
#define INDENT      2

/* ---- text ---- */

/* C0, DEL, and the C1 controls as UTF-8 (c2 80 to c2 9f). */
static size_t
control_len(const char *text)
{
	unsigned char c = (unsigned char)text[0];
	unsigned char next = (unsigned char)(c == '\0' ? '\0' : text[1]);
	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && next >= 0x80 && next <= 0x9f ? 2 : 0;
}

void
output_clean(const char *text, char *clean, size_t size)
{
	size_t len = 0;
	while (*text != '\0' && len + 1 < size) {
		size_t control = control_len(text);
		clean[len++] = control > 0 ? '?' : *text;
		text += control > 0 ? control : 1;
	}
	clean[len] = '\0';
}

/* ---- JSON ---- */

static void
write_quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		size_t control = control_len(text);
		if (control == 2)
			(void)fprintf(out, "\\u00%02x", (unsigned char)*++text);
		else if (control == 1)
			(void)fprintf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

static void
write_scalar(FILE *out, const struct json_value *value)
{
	int64_t number;
	bool flag;
	if (value == NULL)
		(void)fputs("null", out);
	else if (json_text(value) != NULL)
		write_quoted(out, json_text(value));
	else if (json_int(value, &number))
		(void)fprintf(out, "%" PRId64, number);
	else if (json_bool(value, &flag))
		(void)fputs(flag ? "true" : "false", out);
	else
		(void)fputs("null", out);
}

static void
new_line(FILE *out, unsigned depth)
{
	(void)fprintf(out, "\n%*s", (int)(depth * INDENT), "");
}

/* Depth is bounded by the parser. */
static void
write_tree(FILE *out, const struct json_value *value, unsigned depth)
{
	bool object = value != NULL && json_type_of(value) == JSON_TYPE_OBJECT;
	bool array = value != NULL && json_type_of(value) == JSON_TYPE_ARRAY;
	if (!object && !array) {
		write_scalar(out, value);
		return;
	}
	size_t count = json_count(value);
	const char *name = NULL;
	(void)fputc(object ? '{' : '[', out);
	for (size_t i = 0; i < count; i++) {
		const struct json_value *member =
			object ? json_next(value, &name) : json_item(value, i);
		new_line(out, depth + 1);
		if (object) {
			write_quoted(out, name);
			(void)fputs(": ", out);
		}
		write_tree(out, member, depth + 1);
		if (i + 1 < count)
			(void)fputc(',', out);
	}
	if (count > 0)
		new_line(out, depth);
	(void)fputc(object ? '}' : ']', out);
}

/* ---- rows ---- */

/* A cell's text: scalars as they are, arrays of scalars joined by commas, anything else as nothing. */
static void
add_cell(FILE *cell, const struct json_value *value)
{
	int64_t number;
	bool flag;
	if (value == NULL)
		return;
	if (json_text(value) != NULL) {
		char clean[CELL_MAX];
		output_clean(json_text(value), clean, sizeof(clean));
		(void)fputs(clean, cell);
	} else if (json_int(value, &number)) {
		(void)fprintf(cell, "%" PRId64, number);
	} else if (json_bool(value, &flag)) {
		(void)fputs(flag ? "True" : "False", cell);
	} else if (json_type_of(value) == JSON_TYPE_ARRAY) {
		for (size_t i = 0; i < json_count(value); i++) {
			if (i > 0)
				(void)fputc(',', cell);
			add_cell(cell, json_item(value, i));
		}
	}
}

static char *
make_cell(const struct json_value *row, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *cell = open_memstream(&text, &size);
	if (cell == NULL)
		abort();
	add_cell(cell, answers_at(row, path));
	if (fclose(cell) != 0)
		abort();
	return text;
}

/* Characters, not octets: continuation octets of UTF-8 take no room. */
static size_t
width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

struct grid {
	char **cells; /* row by row */
	size_t rows;
	size_t columns;
	size_t widths[COLUMNS_MAX];
};

static void
grid_clean(struct grid *grid)
{
	for (size_t i = 0; i < grid->rows * grid->columns; i++) {
		explicit_bzero(grid->cells[i], strlen(grid->cells[i]));
		free(grid->cells[i]);
	}
	free(grid->cells);
}

static void
fill_grid(struct grid *grid, const struct json_value *rows, bool array,
	const struct output_column *columns)
{
	while (columns[grid->columns].title != NULL && grid->columns < COLUMNS_MAX) {
		grid->widths[grid->columns] = width_of(columns[grid->columns].title);
		grid->columns++;
	}
	grid->rows = array ? json_count(rows) : 1;
	grid->cells = calloc(grid->rows * grid->columns + 1, sizeof(char *));
	if (grid->cells == NULL)
		abort();
	for (size_t i = 0; i < grid->rows; i++) {
		const struct json_value *row = array ? json_item(rows, i) : rows;
		for (size_t j = 0; j < grid->columns; j++) {
			char *cell = make_cell(row, columns[j].path);
			grid->cells[i * grid->columns + j] = cell;
			if (width_of(cell) > grid->widths[j])
				grid->widths[j] = width_of(cell);
		}
	}
}

static void
write_padded(FILE *out, const char *text, size_t width, bool last)
{
	size_t pad = last ? 0 : width - width_of(text) + 2;
	(void)fprintf(out, "%s%*s", text, (int)pad, "");
}

static void
write_titles(FILE *out, const struct grid *grid, const struct output_column *columns)
{
	for (size_t j = 0; j < grid->columns; j++)
		write_padded(out, columns[j].title, grid->widths[j], j + 1 == grid->columns);
	(void)fputc('\n', out);
	for (size_t j = 0; j < grid->columns; j++) {
		for (size_t k = 0; k < grid->widths[j]; k++)
			(void)fputc('-', out);
		(void)fputs(j + 1 == grid->columns ? "\n" : "  ", out);
	}
}

static void
write_rows(FILE *out, enum output_form form, const struct json_value *rows, bool array,
	const struct output_column *columns)
{
	CLEAN(grid)
	struct grid grid = {.columns = 0};
	fill_grid(&grid, rows, array, columns);
	if (form == OUTPUT_TABLE && grid.rows > 0)
		write_titles(out, &grid, columns);
	for (size_t i = 0; i < grid.rows; i++) {
		for (size_t j = 0; j < grid.columns; j++) {
			const char *cell = grid.cells[i * grid.columns + j];
			bool last = j + 1 == grid.columns;
			if (form == OUTPUT_TABLE)
				write_padded(out, cell, grid.widths[j], last);
			else
				(void)fprintf(out, "%s%s", cell, last ? "" : "\t");
		}
		(void)fputc('\n', out);
	}
}

bool
output_write(FILE *out, enum output_form form, struct bytes json, const char *list,
	const struct output_column *columns, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(json.data, json.len, OUTPUT_MAX, err);
	if (document == NULL)
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	const struct json_value *value = list == NULL ? document : json_member(document, list);
	bool array = value != NULL && json_type_of(value) == JSON_TYPE_ARRAY;
	if (list != NULL && !array)
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	if (form == OUTPUT_JSON) {
		write_tree(out, value, 0);
		(void)fputc('\n', out);
	} else if (form != OUTPUT_NONE) {
		write_rows(out, form, value, array, columns);
	}
	if (fflush(out) != 0 || ferror(out))
		return err_set(err, ERR_CLIENT_FILE, "The answer cannot be written.");
	return true;
}
