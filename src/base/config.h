/*
 * INI configuration (libinih) read whole, checked by a table of options, then applied.
 *
 * A section is "[kind]" or "[kind name]"; comments are lines that begin with '#' or ';'. An unknown
 * section or key, a section or key twice, an empty value, a value out of range is an error that names
 * file and line. Loading changes nothing: a bad file never replaces a good one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"
#include "err.h"

#define CONFIG_LINE_MAX    4096
#define CONFIG_ENTRIES_MAX 4096

struct config_entry {
	char *kind; /* "token" of "[token west]" */
	char *name; /* "west"; "" for a section without name */
	char *key;  /* "" for the section's own line */
	char *value;
	int line;
};

struct config {
	char *path;
	struct config_entry *entries;
	size_t count;
};

/* Reads and parses; ERR_CONFIG with file and line. Blocking; at start and on reload only. */
struct config *config_load(const char *path, struct err *err) MUST_USE;
/* The same from memory; `path` is only for messages. */
struct config *config_parse(const char *path, const char *text, struct err *err) MUST_USE;
void config_free(struct config *config);

enum config_type {
	CONFIG_TEXT,    /* char *, heap */
	CONFIG_PATH,    /* char *, heap; must be absolute */
	CONFIG_LIST,    /* char *, heap: blank-separated words, kept as one string */
	CONFIG_BOOL,    /* bool: yes/no */
	CONFIG_INTEGER, /* int64_t within min..max */
	CONFIG_DURATION, /* int64_t milliseconds within min..max; "500ms", "30s", "15m", "4h", "90d" */
	CONFIG_SIZE,     /* int64_t octets within min..max; "64K", "30M", "1G" */
};

/* A row of option.tbl: where a value goes, what it may be, what it is by default. */
struct config_option {
	const char *kind;
	const char *key;
	enum config_type type;
	size_t offset; /* within the struct of the section */
	int64_t min;
	int64_t max;
	const char *initial; /* default as text; NULL: stays zero/NULL; "!" : the key is required */
	bool reloadable;
	const char *help;
};

/*
 * Fills `target`, the struct of section [kind name], from its entries and the defaults. Strings are
 * heap copies, freed by config_release(). ERR_CONFIG names file, line, key and what is allowed; `target`
 * is then released and zeroed by the callee.
 */
bool config_apply(const struct config *config, const char *kind, const char *name,
	const struct config_option *options, size_t option_count, void *target,
	struct err *err) MUST_USE;
void config_release(
	const char *kind, const struct config_option *options, size_t option_count, void *target);

/*
 * Keeps what a reload cannot change: each row from *next on, of this kind and not reloadable, has its values exchanged, so that
 * texts of `running` that others borrowed live on in `loaded`. Returns the key of the first one whose values differed; NULL:
 * there are no more, and *next is `option_count`.
 */
const char *config_keep(const char *kind, const struct config_option *options, size_t option_count,
	void *running, void *loaded, size_t *next);

/* Every section must be of a kind, and every key of a section in the table: ERR_CONFIG otherwise. */
bool config_check_known(const struct config *config, const struct config_option *options,
	size_t option_count, struct err *err) MUST_USE;

/* Where [kind name] key stands; the section's own line if it does not, 1 if neither does. For messages. */
int config_line(const struct config *config, const char *kind, const char *name, const char *key);

/* The names of the sections of a kind, in file order, no name twice; at most `max` are stored. Returns how many
 * there are; names borrowed. */
size_t config_names(const struct config *config, const char *kind, const char **names, size_t max);

DEFINE_CLEAN(config, struct config)
