/*
 * libinih cuts lines, keys and section names silently, joins indented lines and ignores what follows a
 * ']'. So its reader is ours: it counts lines, refuses what would be cut, and opens the sections. An
 * entry with an empty key stands for the section's own line.
 */
#include "config_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "buf.h"
#include "file.h"

#define FILE_MAX_BYTES (1 << 20)
#define BLANKS         " \t\r\v\f" /* what libinih strips from both ends of a line */
#define NAME_MAX_CHARS 48          /* libinih keeps 49 of a section's name or a key */

struct parse {
	struct config *config;
	const char *next; /* rest of the text */
	int line;
	bool failed;
	struct err *err;
};

char *
config_text(const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL)
		abort();
	return copy;
}

static void
entry_append(struct config *config, const char *kind, const char *name, const char *key,
	const char *value, int line)
{
	struct config_entry *entries =
		reallocarray(config->entries, config->count + 1, sizeof(*config->entries));
	if (entries == NULL)
		abort();
	config->entries = entries;
	entries[config->count++] = (struct config_entry){
		config_text(kind), config_text(name), config_text(key), config_text(value), line};
}

const struct config_entry *
config_find(const struct config *config, const char *kind, const char *name, const char *key)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct config_entry *entry = &config->entries[i];
		if (strcmp(entry->kind, kind) == 0 && strcmp(entry->name, name) == 0 &&
			strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static bool
parse_fail(struct parse *parse, const char *what, const char *text)
{
	if (!parse->failed)
		(void)err_set(parse->err, ERR_CONFIG, "%s:%d: %s%s.", parse->config->path,
			parse->line, what, text);
	parse->failed = true;
	return false;
}

static bool
entry_add(
	struct parse *parse, const char *kind, const char *name, const char *key, const char *value)
{
	if (parse->config->count == CONFIG_ENTRIES_MAX)
		return parse_fail(parse, "too many lines", "");
	const struct config_entry *twin = config_find(parse->config, kind, name, key);
	if (twin != NULL) {
		char before[32];
		(void)snprintf(before, sizeof(before), " (line %d)", twin->line);
		return parse_fail(parse,
			*key == '\0' ? "this section stands twice" : "this key stands twice",
			before);
	}
	entry_append(parse->config, kind, name, key, value, parse->line);
	return true;
}

/* "[kind]" or "[kind name]", one blank between, nothing after it. `line` has no newline. */
static bool
section_open(struct parse *parse, const char *line)
{
	char kind[NAME_MAX_CHARS + 1];
	char name[NAME_MAX_CHARS + 1] = "";
	size_t len = strlen(line);
	if (len < 3 || line[len - 1] != ']' || len - 2 > NAME_MAX_CHARS)
		return parse_fail(parse, "a section is [kind] or [kind name]", "");
	size_t kind_len = strcspn(line + 1, " ]");
	memcpy(kind, line + 1, kind_len);
	kind[kind_len] = '\0';
	const char *rest = line + 1 + kind_len;
	if (*rest == ' ') {
		size_t name_len = strcspn(rest + 1, " ]");
		memcpy(name, rest + 1, name_len);
		name[name_len] = '\0';
		rest += 1 + name_len;
		if (name_len == 0)
			rest = "";
	}
	if (kind_len == 0 || strcmp(rest, "]") != 0)
		return parse_fail(parse, "a section is [kind] or [kind name]", "");
	return entry_add(parse, kind, name, "", "");
}

/* ini_reader: one line with its newline, NULL at the end or after an error. */
static char *
read_line(char *line, int size, void *context)
{
	struct parse *parse = context;
	if (parse->failed || *parse->next == '\0')
		return NULL;
	parse->line++;
	size_t len = strcspn(parse->next, "\n");
	if (len > CONFIG_LINE_MAX || len + 2 > (size_t)size)
		return (void)parse_fail(parse, "the line is too long", ""), NULL;
	memcpy(line, parse->next, len);
	parse->next += len;
	if (*parse->next == '\n')
		parse->next++;
	while (len > 0 && strchr(BLANKS, line[len - 1]) != NULL)
		len--;
	line[len] = '\0';
	const char *start = line + strspn(line, BLANKS);
	if (*start == '[' && !section_open(parse, start))
		return NULL;
	line[len] = '\n';
	line[len + 1] = '\0';
	return line;
}

/* ini_handler: the section is the one that read_line() opened last. */
static int
take_entry(void *context, const char *section, const char *key, const char *value)
{
	struct parse *parse = context;
	const struct config *config = parse->config;
	(void)section;
	if (config->count == 0)
		return parse_fail(parse, "a key before the first section", "");
	if (*key == '\0' || strlen(key) > NAME_MAX_CHARS)
		return parse_fail(parse, "a key has 1 to 48 characters", "");
	if (*value == '\0')
		return parse_fail(
			parse, "no value; leave the line out to get the default of ", key);
	const struct config_entry *last = &config->entries[config->count - 1];
	return entry_add(parse, last->kind, last->name, key, value);
}

struct config *
config_parse(const char *path, const char *text, struct err *err)
{
	struct config *config = calloc(1, sizeof(*config));
	if (config == NULL)
		abort();
	config->path = config_text(path);
	/* settings of the library, the same at each call; comments are lines of their own, so a URI may hold ';' */
	ini_use_stack = false;
	ini_max_line = CONFIG_LINE_MAX + 3;
	ini_initial_alloc = CONFIG_LINE_MAX + 3;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false;
	ini_stop_on_first_error = true;
	struct parse parse = {.config = config, .next = text, .err = err};
	int result = ini_parse_stream(read_line, &parse, take_entry, &parse);
	if (result != 0)
		(void)parse_fail(&parse, "neither a [section], a comment nor key = value", "");
	if (parse.failed) {
		config_free(config);
		return NULL;
	}
	return config;
}

struct config *
config_load(const char *path, struct err *err)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, FILE_MAX_BYTES);
	if (!file_read(path, &text, ERR_CONFIG, err))
		return NULL;
	if (strlen(buf_peek(&text)) != text.len)
		return (void)err_set(err, ERR_CONFIG, "%s is not a text file.", path), NULL;
	return config_parse(path, buf_peek(&text), err);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->count; i++) {
		free(config->entries[i].kind);
		free(config->entries[i].name);
		free(config->entries[i].key);
		free(config->entries[i].value);
	}
	free(config->entries);
	free(config->path);
	free(config);
}
