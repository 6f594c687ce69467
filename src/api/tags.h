/* Tags of keys and vaults: from a decoded map to the JSON text that the catalog keeps and answers repeat. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "json/json.h"

#define API_TAGS_MAX      15    /* akv-contract §7 */
#define API_TAG_CHARS_MAX 256   /* Unicode characters of a name and of a value */
#define API_TAGS_TEXT_MAX 32768 /* octets of the text: a page of 25 keys fits an answer of 1 MiB */

/* Limits of a JSON_KIND_MAP field for tags: octets, checked before characters are counted. */
#define API_TAG_OCTETS_MAX (4 * API_TAG_CHARS_MAX)

/*
 * The JSON object in the order of the request, compact, at most API_TAGS_TEXT_MAX octets; "{}" for none. `pairs` not
 * set gives `absent`. ERR_BAD_PARAMETER: more than 256 characters, too long altogether.
 */
bool api_tags_format(const struct json_pairs *pairs, const char *absent, struct arena *arena,
	const char **ret_text, struct err *err) MUST_USE;
