/* A line of the audit file: what is taken was written so; and a paging token, which nobody can make up. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "custodyd/skiptoken.h"
#include "service/audit_line.h"

static void
try_token(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = {7};
	static const struct caller caller = {.uid = 1000};
	const struct skiptoken_scope scope = {.key = key,
		.list = SKIPTOKEN_KEYS,
		.vault = "contoso",
		.subject = "",
		.caller = &caller};
	char text[512], position[SKIPTOKEN_POSITION_MAX + 1], again[SKIPTOKEN_TEXT_MAX];
	struct err err;
	size_t len = size < sizeof text ? size : sizeof text - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	if (!skiptoken_parse(&scope, text, position, &err))
		return;
	skiptoken_make(&scope, position, again); /* a seed of the corpus */
	assert(strcmp(text, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_line line;
	if (audit_line_read((const char *)data, size, &line))
		assert(line.time_us >= 0 && line.seq <= INT64_MAX && line.catalog <= INT64_MAX);
	try_token(data, size);
	return 0;
}
