/*
 * One line of the audit file, written and read; no files here. The front of a line has a fixed form, so that the chain is
 * checked without a JSON parser:
 *
 *   {"seq":N,"prev":"<64 hex>","time":"2026-11-24T03:25:19.000001Z","catalog":N,…,"hash":"<64 hex>"}
 */
#pragma once

#include "audit.h"
#include "base/arena.h"
#include "base/buf.h"

struct audit_line {
	uint64_t seq;
	uint64_t catalog;
	int64_t time_us; /* Unix microseconds */
	uint8_t prev[AUDIT_HASH_BYTES];
	uint8_t hash[AUDIT_HASH_BYTES];
};

/*
 * Appends to `buf` the line of `record` with its newline; seq, catalog, time_us and prev are given, hash is set. Asserts
 * that buf has room for AUDIT_LINE_MAX.
 */
void audit_line_write(struct buf *buf, const struct audit_record *record, struct audit_line *line);

/* `text` without its newline: false unless the form is right and the hash is that of the line. */
bool audit_line_read(const char *text, size_t len, struct audit_line *ret_line) MUST_USE;

/* What a line that verified tells; texts live in `arena`. false: it is not as audit_line_write() makes them. */
bool audit_line_entry(
	const char *text, size_t len, struct arena *arena, struct audit_entry *ret_entry) MUST_USE;
