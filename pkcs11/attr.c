/* Invariant: at most 32 attributes, so that a set is one word. */
#include "attr.h"

#include <assert.h>
#include <string.h>

#include "ck.h"

_Static_assert(ATTR_COUNT <= 32, "a set of attributes is a uint32_t");

enum kind {
	KIND_REQUIRED,
	KIND_HARDENING,
};

static const struct {
	unsigned long type;
	const char *name;
	enum kind kind;
} rows[ATTR_COUNT] = {
#define ATTR(symbol, name, kind) [ATTR_##symbol] = {CKA_##symbol, name, KIND_##kind},
#include "attr.tbl"
};

const char *
attr_name(enum attr attr)
{
	assert(attr < ATTR_COUNT);
	return rows[attr].name;
}

bool
attr_is_hardening(enum attr attr)
{
	assert(attr < ATTR_COUNT);
	return rows[attr].kind == KIND_HARDENING;
}

unsigned long
attr_type(enum attr attr)
{
	assert(attr < ATTR_COUNT);
	return rows[attr].type;
}

enum attr
attr_find_type(unsigned long type)
{
	enum attr attr = 0;
	while (attr < ATTR_COUNT && rows[attr].type != type)
		attr++;
	return attr;
}

static enum attr
find_name(const char *name, size_t len)
{
	enum attr attr = 0;
	while (attr < ATTR_COUNT &&
		(strlen(rows[attr].name) != len || strncmp(rows[attr].name, name, len) != 0))
		attr++;
	return attr;
}

bool
attr_set_parse(const char *names, uint32_t *ret_set, struct err *err)
{
	uint32_t set = 0;
	for (const char *at = names + strspn(names, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");
		enum attr attr = find_name(at, len);
		if (attr == ATTR_COUNT || !attr_is_hardening(attr))
			return err_set(err, ERR_CONFIG,
				"accept-reduced: '%.*s' is no hardening attribute.",
				len > 64 ? 64 : (int)len, at);
		set |= ATTR_BIT(attr);
		at += len;
	}
	*ret_set = set;
	return true;
}

void
attr_set_format(uint32_t set, char text[static ATTR_SET_TEXT])
{
	size_t used = 0;
	text[0] = '\0';
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++) {
		if ((set & ATTR_BIT(attr)) == 0 || !attr_is_hardening(attr))
			continue;
		size_t len = strlen(rows[attr].name);
		assert(used + len + 2 <= ATTR_SET_TEXT);
		if (used > 0)
			text[used++] = ' ';
		memcpy(text + used, rows[attr].name, len + 1);
		used += len;
	}
}
