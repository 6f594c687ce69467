/*
 * From the daemon's answers (Key Vault's wire, doc/api.md) to the JSON that `az keyvault` prints: times as
 * ISO 8601, camelCase members, ordinary base64, absent members as null.
 */
#pragma once

#include "json/json.h"
#include "json/json_writer.h"

#define ANSWERS_MAX 1048576 /* octets of an answer, as libcustody bounds it */

/* The value at members separated by '.', NULL if there is none. */
const struct json_value *answers_at(const struct json_value *value, const char *path);

/* Each writes one object as member `name` (NULL: in an array or at the top). */
void answers_key(struct json_writer *writer, const char *name, const struct json_value *bundle);
/* The same with one member more, "custody": what the daemon knows of the key beside az's members; NULL: null. */
void answers_key_custody(struct json_writer *writer, const char *name,
	const struct json_value *bundle, const struct json_value *custody);
void answers_key_item(struct json_writer *writer, const char *name, const struct json_value *item);
void answers_vault(struct json_writer *writer, const char *name, const struct json_value *vault);
/* Any value as it is. */
void answers_copy(struct json_writer *writer, const char *name, const struct json_value *value);

/* "2026-11-24T03:25:19+00:00"; text of at least 26 octets. */
void answers_time(int64_t seconds, char *text);
