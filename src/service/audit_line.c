/* Lines of the audit file. Invariant: what audit_line_write() writes, audit_line_read() takes, and nothing else. */
#include "audit_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/b64.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "json/json_writer.h"

#define NAME_MAX_OCTETS   256
#define DETAIL_MAX_OCTETS 1024
#define HASH_TEXT         (2 * AUDIT_HASH_BYTES + 1)
#define TIME_TEXT         28 /* 2026-11-24T03:25:19.000001Z and NUL */
#define SECOND_US         1000000

static const char before_hash[] = ",\"hash\":\"";
static const char behind_hash[] = "\"}";
#define TRAILER (sizeof before_hash - 1 + HASH_TEXT - 1 + sizeof behind_hash - 1)

static void
format_time(int64_t time_us, char text[static TIME_TEXT])
{
	char seconds[21];
	clock_format(time_us / SECOND_US, seconds);
	(void)snprintf(text, TIME_TEXT, "%.19s.%06uZ", seconds,
		(unsigned)(time_us % SECOND_US) % SECOND_US);
}

/* Absent members are left out: a line is as short as what it tells. */
static void
write_text(struct json_writer *json, const char *name, const char *text, size_t max)
{
	if (text != NULL && text[0] != '\0')
		json_write_chars(json, name, text, strnlen(text, max));
}

static void
write_who(struct json_writer *json, const struct audit_record *record)
{
	if (record->by_daemon) {
		write_text(json, "user", record->user, NAME_MAX_OCTETS);
		return;
	}
	json_write_int(json, "uid", record->uid);
	write_text(json, "user", record->user, NAME_MAX_OCTETS);
	json_write_int(json, "gid", record->gid);
	json_write_int(json, "pid", record->pid);
	if (record->pid_start != 0)
		json_write_int(json, "pidStart", (int64_t)record->pid_start);
	write_text(json, "application", record->application, NAME_MAX_OCTETS);
}

static void
write_what(struct json_writer *json, const struct audit_record *record)
{
	write_text(json, "operation", record->operation, NAME_MAX_OCTETS);
	write_text(json, "vault", record->vault, NAME_MAX_OCTETS);
	write_text(json, "key", record->key, NAME_MAX_OCTETS);
	write_text(json, "version", record->version, NAME_MAX_OCTETS);
	write_text(json, "subject", record->subject, NAME_MAX_OCTETS);
	write_text(json, "detail", record->detail, DETAIL_MAX_OCTETS);
	bool done = record->code == ERR_NONE;
	json_write_text(json, "outcome", done ? "done" : err_class_name(err_class(record->code)));
	if (!done)
		json_write_text(json, "code", err_name(record->code));
	if (record->status != 0)
		json_write_int(json, "status", record->status);
}

void
audit_line_write(struct buf *buf, const struct audit_record *record, struct audit_line *line)
{
	size_t start = buf->len;
	char time[TIME_TEXT], hash[HASH_TEXT];
	struct json_writer json;
	json_writer_init(&json, buf);
	json_write_object(&json, NULL);
	json_write_int(&json, "seq", (int64_t)line->seq);
	json_write_hex(&json, "prev", line->prev, sizeof line->prev);
	format_time(line->time_us, time);
	json_write_text(&json, "time", time);
	json_write_int(&json, "catalog", (int64_t)line->catalog);
	json_write_int(&json, "monotonic", clock_monotonic_us());
	write_text(&json, "request", record->request, NAME_MAX_OCTETS);
	write_who(&json, record);
	write_what(&json, record);

	hash_sha256(buf->data + start, buf->len - start, line->hash);
	hex_encode(line->hash, sizeof line->hash, hash);
	(void)buf_text(buf, before_hash);
	(void)buf_text(buf, hash);
	(void)buf_text(buf, behind_hash);
	(void)buf_text(buf, "\n");
	assert(!buf->overflow); /* every text is bounded, and escaped at most six times as long */
}

/* A cursor over the fixed front of a line. */
struct reader {
	const char *next;
	size_t left;
};

static bool
take(struct reader *reader, const char *text)
{
	size_t len = strlen(text);
	if (reader->left < len || memcmp(reader->next, text, len) != 0)
		return false;
	reader->next += len;
	reader->left -= len;
	return true;
}

/* Digits without a leading zero, at most 18 of them. */
static bool
take_number(struct reader *reader, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t len = 0;
	while (len < reader->left && len < 19 && reader->next[len] >= '0' &&
		reader->next[len] <= '9')
		number = number * 10 + (uint64_t)(reader->next[len++] - '0');
	if (len == 0 || len == 19 || (len > 1 && reader->next[0] == '0'))
		return false;
	reader->next += len;
	reader->left -= len;
	*ret_number = number;
	return true;
}

static bool
take_hex(struct reader *reader, uint8_t hash[static AUDIT_HASH_BYTES])
{
	char text[HASH_TEXT];
	if (reader->left < HASH_TEXT - 1)
		return false;
	memcpy(text, reader->next, HASH_TEXT - 1);
	text[HASH_TEXT - 1] = '\0';
	reader->next += HASH_TEXT - 1;
	reader->left -= HASH_TEXT - 1;
	return hex_decode(text, hash, AUDIT_HASH_BYTES);
}

/* What format_time() wrote: whatever differs by a character from writing it again is not it. */
static bool
take_time(struct reader *reader, int64_t *ret_time_us)
{
	char text[TIME_TEXT], again[TIME_TEXT];
	if (reader->left < TIME_TEXT - 1)
		return false;
	memcpy(text, reader->next, TIME_TEXT - 1);
	text[TIME_TEXT - 1] = '\0';
	struct tm parts = {0};
	int us;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ", &parts.tm_year, &parts.tm_mon,
		    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &us) != 7)
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	int64_t time_us = (int64_t)timegm(&parts) * SECOND_US + us;
	if (time_us < 0)
		return false;
	format_time(time_us, again);
	if (strcmp(text, again) != 0)
		return false;
	reader->next += TIME_TEXT - 1;
	reader->left -= TIME_TEXT - 1;
	*ret_time_us = time_us;
	return true;
}

bool
audit_line_read(const char *text, size_t len, struct audit_line *ret_line)
{
	if (len < TRAILER || len >= AUDIT_LINE_MAX)
		return false;
	struct audit_line line;
	struct reader front = {text, len};
	struct reader back = {text + len - TRAILER, TRAILER};
	if (!take(&front, "{\"seq\":") || !take_number(&front, &line.seq) ||
		!take(&front, ",\"prev\":\"") || !take_hex(&front, line.prev) ||
		!take(&front, "\",\"time\":\"") || !take_time(&front, &line.time_us) ||
		!take(&front, "\",\"catalog\":") || !take_number(&front, &line.catalog) ||
		!take(&front, ","))
		return false;
	if (!take(&back, before_hash) || !take_hex(&back, line.hash) || !take(&back, behind_hash))
		return false;
	uint8_t right[AUDIT_HASH_BYTES];
	hash_sha256(text, len - TRAILER, right);
	if (memcmp(right, line.hash, sizeof right) != 0)
		return false;
	*ret_line = line;
	return true;
}

static bool
copy_text(const struct json_value *document, const char *name, struct arena *arena,
	const char **ret_text)
{
	const struct json_value *member = json_member(document, name);
	const char *text = json_text(member);
	*ret_text = arena_strdup(arena, text == NULL ? "" : text);
	return member == NULL || text != NULL;
}

bool
audit_line_entry(const char *text, size_t len, struct arena *arena, struct audit_entry *ret_entry)
{
	struct audit_line line;
	struct err err = {0};
	if (!audit_line_read(text, len, &line))
		return false;
	CLEAN(json)
	struct json_value *document = json_parse(text, len, AUDIT_LINE_MAX, &err);
	struct audit_entry entry = {.seq = line.seq, .catalog = line.catalog};
	if (document == NULL || !copy_text(document, "operation", arena, &entry.operation) ||
		!copy_text(document, "vault", arena, &entry.vault) ||
		!copy_text(document, "key", arena, &entry.key) ||
		!copy_text(document, "outcome", arena, &entry.outcome) ||
		!copy_text(document, "code", arena, &entry.code))
		return false;
	*ret_entry = entry;
	return true;
}
