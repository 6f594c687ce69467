/* One line is one write(), so lines of several processes on one pipe never mix. */
#include "log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"

#define LINE_MAX_BYTES   2048
#define VALUE_MAX_OCTETS 512 /* a caller's text must not push what follows off the line */
#define REPEATS_A_SECOND 20

static _Atomic int level_limit = LOG_LEVEL_INFO;
static _Atomic int log_fd = STDERR_FILENO;

/* The last event and how often it came within its second: enough against one loop that floods. */
static _Thread_local struct {
	const char *event;
	int64_t second;
	unsigned count;
} repeat;

/* Octets of the control character that `text` begins with: C0 and DEL, or C1 as UTF-8 has it (c2 80 to c2 9f). 0: none. */
static size_t
control_len(const char *text, size_t len)
{
	unsigned char octet = (unsigned char)text[0];
	if (octet < 0x20 || octet == 0x7f)
		return 1;
	unsigned char next = len > 1 ? (unsigned char)text[1] : 0;
	return octet == 0xc2 && next >= 0x80 && next <= 0x9f ? 2 : 0;
}

static bool
is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (control_len(&text[i], len - i) > 0 || strchr(" \"=\\", text[i]) != NULL)
			return false;
	}
	return len > 0;
}

static void
append_escaped(struct buf *line, const char *text, size_t len)
{
	size_t control = 0; /* octets of a control character that are still to be written */
	for (size_t i = 0; i < len; i++) {
		if (control == 0)
			control = control_len(&text[i], len - i);
		if (control > 0) {
			(void)buf_printf(line, "\\x%02x", (unsigned char)text[i]);
			control--;
		} else if (text[i] == '"' || text[i] == '\\') {
			(void)buf_printf(line, "\\%c", text[i]);
		} else {
			(void)buf_append(line, &text[i], 1);
		}
	}
}

static void
append_value(struct buf *line, const char *text)
{
	size_t len = strnlen(text, VALUE_MAX_OCTETS + 1);
	bool cut = len > VALUE_MAX_OCTETS;
	if (cut)
		len = VALUE_MAX_OCTETS;
	if (is_plain(text, len)) {
		(void)buf_append(line, text, len);
	} else {
		(void)buf_text(line, "\"");
		append_escaped(line, text, len);
		(void)buf_text(line, "\"");
	}
	if (cut)
		(void)buf_text(line, "...");
}

/* true: write the line. Sets *ret_suppressed to the number of lines left out before this one. */
static bool
repeat_allows(enum log_level level, const char *event, unsigned *ret_suppressed)
{
	*ret_suppressed = 0;
	if (level >= LOG_LEVEL_INFO)
		return true; /* one line per request is wanted; only complaints are limited */
	int64_t second = clock_monotonic_ms() / 1000;
	if (repeat.event == event && repeat.second == second)
		return ++repeat.count <= REPEATS_A_SECOND;
	if (repeat.count > REPEATS_A_SECOND)
		*ret_suppressed = repeat.count - REPEATS_A_SECOND;
	repeat.event = event;
	repeat.second = second;
	repeat.count = 1;
	return true;
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	if ((int)level > atomic_load(&level_limit))
		return;
	unsigned suppressed;
	if (!repeat_allows(level, event, &suppressed))
		return;
	CLEAN(buf)
	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	(void)buf_printf(&line, "<%d>%s", (int)level, event);
	for (size_t i = 0; i < count; i++) {
		(void)buf_text(&line, " ");
		(void)buf_text(&line, fields[i].key);
		(void)buf_text(&line, "=");
		if (fields[i].text != NULL)
			append_value(&line, fields[i].text);
		else
			(void)buf_number(&line, fields[i].number);
	}
	if (suppressed > 0)
		(void)buf_printf(&line, " repeats=%u", suppressed);
	line.max++; /* room for the newline even on a line that was cut */
	line.overflow = false;
	(void)buf_text(&line, "\n");
	/* A log that cannot be written must not stop the service; the audit is what fails closed. */
	ssize_t ignored = write(atomic_load(&log_fd), line.data, line.len);
	(void)ignored;
}

void
log_err(enum log_level level, const char *event, const struct err *err, struct log_field more)
{
	const struct log_field fields[] = {
		LOG_TEXT("error", err_name(err->code)),
		LOG_TEXT("class", err_class_name(err_class(err->code))),
		LOG_TEXT("message", err->message),
		LOG_TEXT("origin", err->origin),
		more,
	};
	log_write(level, event, fields, more.key[0] == '-' ? 4 : 5);
}

void
log_set_level(enum log_level level)
{
	atomic_store(&level_limit, level);
}

bool
log_level_parse(const char *text, enum log_level *ret_level)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{"error",   LOG_LEVEL_ERROR  },
		{"warning", LOG_LEVEL_WARNING},
		{"info",    LOG_LEVEL_INFO   },
		{"debug",   LOG_LEVEL_DEBUG  },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret_level = names[i].level;
			return true;
		}
	}
	return false;
}

void
log_set_fd(int fd)
{
	atomic_store(&log_fd, fd);
}
