/*
 * Writing the JSON body of a request, a flat object but for one level of nesting. Plaintexts pass through:
 * the memory is wiped. Running out of memory or room shows at the end, in body_ok().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "lib/custody/custody.h"

struct body {
	struct buf text;
	bool comma;
};

void body_init(struct body *body); /* begins the object */
void body_clear(struct body *body);

void body_text(struct body *body, const char *name, const char *text);
void body_texts(struct body *body, const char *name, const char *const *items, size_t count);
void body_int(struct body *body, const char *name, int64_t number);
void body_bool(struct body *body, const char *name, bool flag);
void body_octets(struct body *body, const char *name, struct custody_bytes octets); /* base64url */
void body_raw(struct body *body, const char *name, struct bytes json);
void body_object(struct body *body, const char *name);
void body_end(struct body *body); /* of the innermost object, also of the first one */

/* ERR_NO_MEMORY or ERR_TOO_LARGE if not everything was written. */
bool body_ok(const struct body *body, struct err *err) MUST_USE;

static inline void
body_clean(struct body *body)
{
	body_clear(body);
}
