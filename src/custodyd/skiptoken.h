/*
 * Paging tokens ($skiptoken, akv-contract §6): a position in a list, authenticated and bound to the list, the vault and
 * the caller (threats C22). Stateless: valid over restarts, may be followed twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "service/principal.h"

enum skiptoken_list {
	SKIPTOKEN_KEYS = 1,
	SKIPTOKEN_DELETED_KEYS,
	SKIPTOKEN_VERSIONS, /* of the key in `subject` */
};

#define SKIPTOKEN_POSITION_MAX 127 /* a key name, or a sequence number as text */
#define SKIPTOKEN_TEXT_MAX     224

struct skiptoken_scope {
	const uint8_t *key; /* 32 octets: db_paging_key() */
	enum skiptoken_list list;
	const char *vault;   /* any case */
	const char *subject; /* key name of SKIPTOKEN_VERSIONS, any case; "" otherwise */
	const struct caller *caller;
};

/* `position`: 1 to SKIPTOKEN_POSITION_MAX octets (asserted). base64url, safe in a query. */
void skiptoken_make(const struct skiptoken_scope *scope, const char *position,
	char text[static SKIPTOKEN_TEXT_MAX]);
/* ERR_BAD_PARAMETER, one answer for malformed, altered and foreign. */
bool skiptoken_parse(const struct skiptoken_scope *scope, const char *text,
	char ret_position[static SKIPTOKEN_POSITION_MAX + 1], struct err *err) MUST_USE;
