/*
 * Policies of geos on depd's routes (doc/api.md): requests as structs, answers from structs. Unknown members are refused; a body
 * that breaks a rule is ERR_BAD_PARAMETER, the message names the member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_DEP_GEO_KEYS 2 /* primary, secondary */

/* A key as it is named: by its URI, or by vault, name and version; the other members are NULL. */
struct api_dep_geo_key {
	const char *uri;
	const char *vault, *name, *version;
};

struct api_dep_geo_register {
	struct api_dep_geo_key keys[API_DEP_GEO_KEYS];
};
/* ERR_TWO_KEYS_REQUIRED: not two of them. URIs may be separated by commas, blanks or both within one text. */
bool api_dep_geo_register_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_register *ret_register, struct err *err) MUST_USE;

struct api_dep_geo_update {
	size_t index; /* of the key that is another one from now on: 0 primary, 1 secondary */
	struct api_dep_geo_key key;
};
bool api_dep_geo_update_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_update *ret_update, struct err *err) MUST_USE;

struct api_dep_geo_recover {
	struct api_dep_geo_key keys[API_DEP_GEO_KEYS]; /* new ones */
	const char *reason;                            /* not empty */
};
bool api_dep_geo_recover_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_recover *ret_recover, struct err *err) MUST_USE;

/* A geo as it is shown; all text is borrowed. */
struct api_dep_geo {
	const char *name, *admin_url;
	const char *state; /* "Registering" */
	int percentage;    /* of the state's work that is done, rounded down */
	int onboarded;     /* of sites: encrypted under the geo's own policy; rounded down */
	int64_t sites, unencrypted; /* how many; of them, whose data is in clear */
	const char
		*keys[API_DEP_GEO_KEYS]; /* key version ids; NULL: unregistered, as what follows */
	const char *policy;              /* GUID */
	const char *generation;          /* GUID of the current one */
	int64_t number;                  /* its number */
};
void api_dep_geo_format(const struct api_dep_geo *geo, struct buf *out);
/* {"updated":bool,"message":text,"geo":Geo} */
void api_dep_geo_update_format(
	bool updated, const char *message, const struct api_dep_geo *geo, struct buf *out);
/* {"value":[Geo …],"next":null} */
void api_dep_geo_list_format(const struct api_dep_geo *geos, size_t count, struct buf *out);
