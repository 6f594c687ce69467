/*
 * Vaults and their access policies on our own routes (doc/api.md). Unknown members are refused, null is absent;
 * a body that breaks a rule is ERR_BAD_PARAMETER, the message names the member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_RETENTION_MIN     7 /* days; akv-contract §10 */
#define API_RETENTION_MAX     90
#define API_RETENTION_DEFAULT 90
#define API_PERMISSIONS_MAX   64 /* words of one policy */

enum api_backup {
	API_BACKUP_TRUSTED = 1, /* keys can be wrapped under a trusted key only; the default */
	API_BACKUP_NEVER,       /* keys are not extractable at all */
};

struct api_vault_create {
	const char *token; /* a valid token name */
	int retention_days;
	bool purge_protection;
	enum api_backup backup;
	const char *tags; /* JSON object as text */
};
bool api_vault_create_decode(struct bytes body, struct arena *arena,
	struct api_vault_create *ret_create, struct err *err) MUST_USE;

struct api_vault_update {
	int retention_days; /* 0: unchanged */
	bool protect;       /* purge protection on; off cannot be asked for */
	const char *tags;   /* NULL: unchanged */
};
bool api_vault_update_decode(struct bytes body, struct arena *arena,
	struct api_vault_update *ret_update, struct err *err) MUST_USE;

/* What a policy grants on keys. Which words exist is the caller's to say. */
struct api_policy_set {
	const char *const *words; /* none twice */
	size_t count;             /* may be 0 */
};
bool api_policy_set_decode(struct bytes body, struct arena *arena,
	struct api_policy_set *ret_policy, struct err *err) MUST_USE;

struct api_policy {
	const char *principal; /* "user:alice" */
	int64_t number;        /* uid or gid; -1 (an application): null */
	const char *state;     /* "ok", "changed" */
	const char *const *words;
	size_t count;
};

struct api_vault {
	const char *name;
	const char *uri; /* https://<name>.<dns-suffix>/ */
	const char *token;
	const char *region; /* of the token; NULL: null */
	int retention_days;
	bool purge_protection;
	enum api_backup backup;
	int64_t created, updated; /* Unix seconds */
	const char *tags;         /* JSON object as text */
	const struct api_policy *policies;
	size_t policy_count;
};
void api_vault_format(const struct api_vault *vault, struct buf *out);
/* {"value":[Vault …]} */
void api_vault_list_format(const struct api_vault *vaults, size_t count, struct buf *out);

/* Whether a vault could be made under a name: {"nameAvailable","reason","message"}, the words of az keyvault check-name. */
#define API_VAULT_NAME_RULE                                                                        \
	"A vault name has 3 to 24 letters, digits and single hyphens, begins with a letter and "   \
	"does not end with a hyphen."
enum api_vault_name {
	API_VAULT_NAME_AVAILABLE,
	API_VAULT_NAME_INVALID,
	API_VAULT_NAME_EXISTS,
};
void api_vault_name_format(enum api_vault_name found, struct buf *out);
