/*
 * Logging: an event word and key=value fields, one line each, on standard error in the form that
 * journald understands ("<6>key.created vault=west key=k1"). Values are escaped here. Never a secret:
 * there is no way to log a struct secret or raw octets.
 *
 * Programs and the folders of daemons log; library folders fill a struct err and stay silent but for debug.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"
#include "err.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,   /* somebody must act */
	LOG_LEVEL_WARNING = 4, /* handled; the line says how */
	LOG_LEVEL_INFO = 6,    /* a state changed */
	LOG_LEVEL_DEBUG = 7,   /* steps */
};

struct log_field {
	const char *key;
	const char *text; /* NULL: `number` counts */
	int64_t number;
};

#define LOG_TEXT(key, text)  ((struct log_field){(key), (text) != NULL ? (text) : "-", 0})
#define LOG_INT(key, number) ((struct log_field){(key), NULL, (int64_t)(number)})

/* Writes one line; a line over 2 KiB is cut. Repeats of one event above 20 a second are counted, not written. */
void log_write(
	enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG_AT(level, event, ...)                                                                  \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                       \
		sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define log_error(event, ...)   LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) LOG_AT(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)    LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)   LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* Logs an error: fields error=<name> class= message= origin=, and one field more ({"-"} for none). */
void log_err(enum log_level level, const char *event, const struct err *err, struct log_field more);

/* Lines above `level` are dropped. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
/* "error", "warning", "info", "debug"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *ret_level) MUST_USE;
/* Directs lines to a descriptor (default 2); the caller keeps owning it. */
void log_set_fd(int fd);
