/* Names and identifiers: what they may look like. Making random ones is crypto's (random.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"

#define ID_VERSION_BYTES  16                         /* a key version; CKA_ID on the token */
#define ID_VERSION_TEXT   (2 * ID_VERSION_BYTES + 1) /* 32 lower-case hex digits and NUL */
#define ID_KEY_NAME_MAX   127                        /* akv-contract §1 */
#define ID_VAULT_NAME_MIN 3
#define ID_VAULT_NAME_MAX 24
#define ID_UUID_TEXT      37

bool id_vault_name_valid(
	const char *name); /* 3-24 of [0-9a-zA-Z-], no "--", letter first, no '-' last */
bool id_key_name_valid(const char *name);   /* 1-127 of [0-9a-zA-Z-] */
bool id_token_name_valid(const char *name); /* 1-32 of [0-9a-z-] */
bool id_uuid_valid(const char *text);       /* 8-4-4-4-12 hex digits, any case */
/* RFC 9562 version 4 from 16 random octets. */
void id_uuid_format(const uint8_t random[static 16], char text[static ID_UUID_TEXT]);
/* The octets of a UUID, any case; false for anything else. Of what id_uuid_format() wrote, it writes the same text again. */
bool id_uuid_parse(const char *text, uint8_t octets[static 16]) MUST_USE;
/* ASCII lower case of `text` into `folded` (at least strlen + 1 octets). */
void id_fold(const char *text, char *folded);

/* A key identifier taken apart: https://<host>/keys/<name>[/<version>], canonical spelling only. */
struct kid {
	char vault[ID_VAULT_NAME_MAX + 1]; /* first label of the host, folded */
	char host[256];
	char name[ID_KEY_NAME_MAX + 1];
	char version[ID_VERSION_TEXT]; /* "" for the newest */
};

/* false for anything that is not exactly that form: other scheme, port, query, escape, trailing slash. */
bool kid_parse(const char *text, struct kid *ret_kid) MUST_USE;
