/* Options of a table, set from a configuration, released, compared at a reload. */
#include "config_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit no_units[] = {
	{"", 1},
};
/* Smallest first: unit_format() takes the largest that divides. Milliseconds. */
static const struct unit duration_units[] = {
	{"ms", 1       },
	{"s",  1000    },
	{"m",  60000   },
	{"h",  3600000 },
	{"d",  86400000},
};
static const struct unit size_units[] = {
	{"",  1      },
	{"K", 1 << 10},
	{"M", 1 << 20},
	{"G", 1 << 30},
};

struct number_type {
	const struct unit *units;
	size_t unit_count;
	const char *what;
};

static struct number_type
number_type_of(enum config_type type)
{
	if (type == CONFIG_DURATION)
		return (struct number_type){duration_units, ARRAY_LEN(duration_units),
			"a duration such as 500ms, 30s or 90d"};
	if (type == CONFIG_SIZE)
		return (struct number_type){
			size_units, ARRAY_LEN(size_units), "a size such as 64K or 30M"};
	return (struct number_type){no_units, ARRAY_LEN(no_units), "a whole number"};
}

/* Digits and one of the units, nothing else; no sign, no blank, no overflow. */
static bool
number_parse(const char *text, struct number_type type, int64_t *ret_value)
{
	int64_t value = 0;
	size_t digits = strspn(text, "0123456789");
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, text[i] - '0', &value))
			return false;
	}
	for (size_t i = 0; digits > 0 && i < type.unit_count; i++) {
		if (strcmp(text + digits, type.units[i].suffix) == 0)
			return !__builtin_mul_overflow(value, type.units[i].factor, ret_value);
	}
	return false;
}

static void
number_format(int64_t value, struct number_type type, char text[static 32])
{
	size_t best = 0;
	for (size_t i = 1; i < type.unit_count && value != 0; i++) {
		if (value % type.units[i].factor == 0)
			best = i;
	}
	(void)snprintf(text, 32, "%lld%s", (long long)(value / type.units[best].factor),
		type.units[best].suffix);
}

static bool
number_set(const struct config_option *option, const char *value, int64_t *ret_value, char *allowed,
	size_t size)
{
	struct number_type type = number_type_of(option->type);
	int64_t number;
	if (number_parse(value, type, &number) && number >= option->min && number <= option->max) {
		*ret_value = number;
		return true;
	}
	char min[32];
	char max[32];
	number_format(option->min, type, min);
	number_format(option->max, type, max);
	(void)snprintf(allowed, size, "%s from %s to %s", type.what, min, max);
	return false;
}

/* false: `allowed` says what the value may be; nothing is changed. */
static bool
option_set(const struct config_option *option, const char *value, void *target, char *allowed,
	size_t size)
{
	void *field = (char *)target + option->offset;
	switch (option->type) {
	case CONFIG_PATH:
		if (value[0] != '/') {
			(void)snprintf(allowed, size, "an absolute path");
			return false;
		}
		*(char **)field = config_text(value);
		return true;
	case CONFIG_TEXT:
	case CONFIG_LIST:
		*(char **)field = config_text(value);
		return true;
	case CONFIG_BOOL:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
			(void)snprintf(allowed, size, "yes or no");
			return false;
		}
		*(bool *)field = strcmp(value, "yes") == 0;
		return true;
	case CONFIG_INTEGER:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return number_set(option, value, field, allowed, size);
	}
	assert(!"a type outside the enum");
	return false;
}

int
config_line(const struct config *config, const char *kind, const char *name, const char *key)
{
	const struct config_entry *entry = config_find(config, kind, name, key);
	if (entry == NULL)
		entry = config_find(config, kind, name, "");
	return entry == NULL ? 1 : entry->line;
}

/* Bounds what a wrong file can put into a message. */
#define SHOWN "%.64s"

static bool
option_apply(const struct config *config, const char *name, const struct config_option *option,
	void *target, struct err *err)
{
	char allowed[128] = "";
	const struct config_entry *entry = config_find(config, option->kind, name, option->key);
	if (entry != NULL) {
		if (option_set(option, entry->value, target, allowed, sizeof(allowed)))
			return true;
		return err_set(err, ERR_CONFIG, "%s:%d: %s = \"" SHOWN "\" must be %s.",
			config->path, entry->line, option->key, entry->value, allowed);
	}
	if (option->initial == NULL)
		return true;
	if (strcmp(option->initial, "!") == 0)
		return err_set(err, ERR_CONFIG, "%s:%d: [%s%s" SHOWN "] needs a line \"%s = ...\".",
			config->path, config_line(config, option->kind, name, option->key),
			option->kind, *name == '\0' ? "" : " ", name, option->key);
	bool valid = option_set(option, option->initial, target, allowed, sizeof(allowed));
	assert(valid); /* the table's own default */
	return valid;
}

bool
config_apply(const struct config *config, const char *kind, const char *name,
	const struct config_option *options, size_t option_count, void *target, struct err *err)
{
	for (size_t i = 0; i < option_count; i++) {
		if (strcmp(options[i].kind, kind) != 0)
			continue;
		if (!option_apply(config, name, &options[i], target, err)) {
			config_release(kind, options, option_count, target);
			return false;
		}
	}
	return true;
}

void
config_release(
	const char *kind, const struct config_option *options, size_t option_count, void *target)
{
	for (size_t i = 0; i < option_count; i++) {
		void *field = (char *)target + options[i].offset;
		if (strcmp(options[i].kind, kind) != 0)
			continue;
		switch (options[i].type) {
		case CONFIG_TEXT:
		case CONFIG_PATH:
		case CONFIG_LIST:
			free(*(char **)field);
			*(char **)field = NULL;
			break;
		case CONFIG_BOOL:
			*(bool *)field = false;
			break;
		case CONFIG_INTEGER:
		case CONFIG_DURATION:
		case CONFIG_SIZE:
			*(int64_t *)field = 0;
			break;
		}
	}
}

static bool
entry_known(
	const struct config_entry *entry, const struct config_option *options, size_t option_count)
{
	for (size_t i = 0; i < option_count; i++) {
		if (strcmp(options[i].kind, entry->kind) == 0 &&
			(*entry->key == '\0' || strcmp(options[i].key, entry->key) == 0))
			return true;
	}
	return false;
}

bool
config_check_known(const struct config *config, const struct config_option *options,
	size_t option_count, struct err *err)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct config_entry *entry = &config->entries[i];
		if (entry_known(entry, options, option_count))
			continue;
		if (*entry->key == '\0')
			return err_set(err, ERR_CONFIG,
				"%s:%d: no section of kind \"" SHOWN "\" is known.", config->path,
				entry->line, entry->kind);
		return err_set(err, ERR_CONFIG, "%s:%d: no key \"" SHOWN "\" is known in [%s].",
			config->path, entry->line, entry->key, entry->kind);
	}
	return true;
}

size_t
config_names(const struct config *config, const char *kind, const char **names, size_t max)
{
	size_t count = 0;
	for (size_t i = 0; i < config->count; i++) {
		const struct config_entry *entry = &config->entries[i];
		if (*entry->key != '\0' || strcmp(entry->kind, kind) != 0)
			continue;
		if (count < max)
			names[count] = entry->name;
		count++;
	}
	return count;
}

static const size_t value_sizes[] = {
	[CONFIG_TEXT] = sizeof(char *),
	[CONFIG_PATH] = sizeof(char *),
	[CONFIG_LIST] = sizeof(char *),
	[CONFIG_BOOL] = sizeof(bool),
	[CONFIG_INTEGER] = sizeof(int64_t),
	[CONFIG_DURATION] = sizeof(int64_t),
	[CONFIG_SIZE] = sizeof(int64_t),
};

static bool
same_value(const struct config_option *row, const void *a, const void *b)
{
	const char *left = (const char *)a + row->offset, *right = (const char *)b + row->offset;
	switch (row->type) {
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_LIST:
		return strcmp(*(char *const *)(const void *)left,
			       *(char *const *)(const void *)right) == 0;
	case CONFIG_BOOL:
	case CONFIG_INTEGER:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return memcmp(left, right, value_sizes[row->type]) == 0;
	}
	return false;
}

static void
exchange(const struct config_option *row, void *a, void *b)
{
	unsigned char kept[sizeof(int64_t)];
	size_t size = value_sizes[row->type];
	static_assert(sizeof(char *) <= sizeof kept, "any value fits");
	memcpy(kept, (char *)a + row->offset, size);
	memcpy((char *)a + row->offset, (char *)b + row->offset, size);
	memcpy((char *)b + row->offset, kept, size);
}

const char *
config_keep(const char *kind, const struct config_option *options, size_t option_count,
	void *running, void *loaded, size_t *next)
{
	while (*next < option_count) {
		const struct config_option *row = &options[(*next)++];
		if (strcmp(row->kind, kind) != 0 || row->reloadable)
			continue;
		bool same = same_value(row, running, loaded);
		exchange(row, running, loaded); /* also then: texts may be borrowed for ever */
		if (!same)
			return row->key;
	}
	return NULL;
}
