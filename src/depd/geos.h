/* The geographies of the organization, as the configuration names them: [geo NAME]. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define GEOS_MAX      32
#define GEO_NAME_MAX  32
#define GEO_HOST_SIZE 254

struct geo {
	char name[GEO_NAME_MAX + 1];
	char host[GEO_HOST_SIZE]; /* of its admin site; in lower case */
};

struct geos { /* zeroed: none */
	struct geo items[GEOS_MAX];
	size_t count;
};

/*
 * ERR_CONFIG, with a sentence: `name` is 1 to 32 letters, digits and '-'; `admin_url` is https://HOST, nothing behind it; neither
 * is there twice; at most GEOS_MAX.
 */
bool geos_add(struct geos *geos, const char *name, const char *admin_url, struct err *err) MUST_USE;
/* By name, or by its admin site: the URL or its host; case does not count. NULL: there is none. */
const struct geo *geos_find(const struct geos *geos, const char *text);
