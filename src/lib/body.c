/* Invariant: `comma` says whether the innermost open object has a member. */
#include "body.h"

#include <inttypes.h>
#include <string.h>

#include "base/b64.h"

#define BODY_MAX 1048576 /* above what the daemon takes: it says so better than we */

/* Overflow is remembered by the buffer, so single results are not looked at. */
static void
add(struct body *body, const char *text)
{
	(void)buf_text(&body->text, text);
}

static void
add_quoted(struct body *body, const char *text)
{
	add(body, "\"");
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			add(body, "\\");
		if (c < 0x20)
			(void)buf_printf(&body->text, "\\u%04x", c);
		else
			(void)buf_append(&body->text, text, 1);
	}
	add(body, "\"");
}

static void
begin(struct body *body, const char *name)
{
	if (body->comma)
		add(body, ",");
	body->comma = true;
	add_quoted(body, name);
	add(body, ":");
}

void
body_init(struct body *body)
{
	buf_init_soft(&body->text, BODY_MAX);
	body->comma = false;
	add(body, "{");
}

void
body_clear(struct body *body)
{
	buf_clear(&body->text);
}

void
body_text(struct body *body, const char *name, const char *text)
{
	begin(body, name);
	add_quoted(body, text);
}

void
body_texts(struct body *body, const char *name, const char *const *items, size_t count)
{
	begin(body, name);
	add(body, "[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			add(body, ",");
		add_quoted(body, items[i]);
	}
	add(body, "]");
}

void
body_int(struct body *body, const char *name, int64_t number)
{
	begin(body, name);
	(void)buf_printf(&body->text, "%" PRId64, number);
}

void
body_bool(struct body *body, const char *name, bool flag)
{
	begin(body, name);
	add(body, flag ? "true" : "false");
}

void
body_octets(struct body *body, const char *name, struct custody_bytes octets)
{
	begin(body, name);
	add(body, "\"");
	if (octets.len > body->text.max)
		body->text.overflow = true;
	else if (octets.len > 0)
		(void)b64_append(&body->text, octets.data, octets.len);
	add(body, "\"");
}

void
body_raw(struct body *body, const char *name, struct bytes json)
{
	begin(body, name);
	(void)buf_append(&body->text, json.data, json.len);
}

void
body_object(struct body *body, const char *name)
{
	begin(body, name);
	add(body, "{");
	body->comma = false;
}

void
body_end(struct body *body)
{
	add(body, "}");
	body->comma = true;
}

bool
body_ok(const struct body *body, struct err *err)
{
	return !body->text.overflow ||
	       err_set(err, body->text.no_memory ? ERR_NO_MEMORY : ERR_TOO_LARGE, NULL);
}
