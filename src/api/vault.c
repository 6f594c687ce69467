/* Reads and writes vaults. Invariant: what is decoded is within the limits of doc/api.md. */
#include "vault.h"

#include "api/body.h"
#include "api/tags.h"
#include "api/vault_priv.h"
#include "base/id.h"

#define TOKEN_NAME_CHARS_MAX 32 /* id_token_name_valid() */
#define PERMISSION_CHARS_MAX 32

static const struct json_word backup_words[] = {
	{"trusted", API_BACKUP_TRUSTED},
	{"never",   API_BACKUP_NEVER  },
	{NULL,      0		 },
};

struct vault_body {
	const char *token;
	struct json_opt_int retention_days;
	struct json_opt_bool purge_protection;
	int backup;
	struct json_pairs tags;
};

#define VAULT_SHARED_FIELDS                                                                        \
	FIELD(struct vault_body, retention_days, "retentionDays", INT, .low = API_RETENTION_MIN,   \
		.high = API_RETENTION_MAX),                                                        \
		FIELD(struct vault_body, purge_protection, "enablePurgeProtection", BOOL),         \
		FIELD(struct vault_body, tags, "tags", MAP, .max = API_TAGS_MAX,                   \
			.high = API_TAG_OCTETS_MAX)

static const struct json_field create_fields[] = {
	FIELD(struct vault_body, token, "token", TEXT, .flags = JSON_REQUIRED,
		.max = TOKEN_NAME_CHARS_MAX),
	FIELD(struct vault_body, backup, "backup", WORD, .words = backup_words),
	VAULT_SHARED_FIELDS,
};
TABLE(create_table, create_fields, struct vault_body, true);

static const struct json_field update_fields[] = {VAULT_SHARED_FIELDS};
TABLE(update_table, update_fields, struct vault_body, true);

struct permissions_body {
	struct json_texts keys;
};

static const struct json_field permissions_fields[] = {
	FIELD(struct permissions_body, keys, "keys", TEXTS, .flags = JSON_REQUIRED,
		.max = API_PERMISSIONS_MAX, .high = PERMISSION_CHARS_MAX),
};
TABLE(permissions_table, permissions_fields, struct permissions_body, true);

struct policy_body {
	struct permissions_body *permissions;
};

static const struct json_field policy_fields[] = {
	FIELD(struct policy_body, permissions, "permissions", OBJECT, .flags = JSON_REQUIRED,
		.table = &permissions_table),
};
TABLE(policy_table, policy_fields, struct policy_body, true);

bool
api_vault_create_decode(struct bytes body, struct arena *arena, struct api_vault_create *ret_create,
	struct err *err)
{
	struct vault_body vault;
	if (!json_decode_body(body, &create_table, arena, &vault, err))
		return false;
	if (!id_token_name_valid(vault.token))
		return err_set(err, ERR_BAD_PARAMETER,
			"token is not the name of a token (1 to 32 of a-z, 0-9 and -).");
	struct api_vault_create create = {
		.token = vault.token,
		.retention_days = API_RETENTION_DEFAULT,
		.purge_protection = vault.purge_protection.value,
		.backup = API_BACKUP_TRUSTED,
	};
	if (vault.retention_days.set)
		create.retention_days = (int)vault.retention_days.value;
	if (vault.backup != 0)
		create.backup = (enum api_backup)vault.backup;
	if (!api_tags_format(&vault.tags, "{}", arena, &create.tags, err))
		return false;
	*ret_create = create;
	return true;
}

bool
api_vault_update_decode(struct bytes body, struct arena *arena, struct api_vault_update *ret_update,
	struct err *err)
{
	struct vault_body vault;
	if (!json_decode_body(body, &update_table, arena, &vault, err))
		return false;
	if (vault.purge_protection.set && !vault.purge_protection.value)
		return err_set(err, ERR_BAD_PARAMETER,
			"enablePurgeProtection: purge protection cannot be switched off.");
	struct api_vault_update update = {
		.retention_days = (int)vault.retention_days.value,
		.protect = vault.purge_protection.value,
	};
	if (!api_tags_format(&vault.tags, NULL, arena, &update.tags, err))
		return false;
	*ret_update = update;
	return true;
}

bool
api_policy_set_decode(
	struct bytes body, struct arena *arena, struct api_policy_set *ret_policy, struct err *err)
{
	struct policy_body policy;
	if (!json_decode_body(body, &policy_table, arena, &policy, err))
		return false;
	ret_policy->words = policy.permissions->keys.items;
	ret_policy->count = policy.permissions->keys.count;
	return true;
}

/* ---- answers ---- */

static void
write_policy(struct json_writer *writer, const struct api_policy *policy)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "principal", policy->principal);
	if (policy->number < 0)
		json_write_null(writer, "number");
	else
		json_write_int(writer, "number", policy->number);
	json_write_text(writer, "state", policy->state);
	json_write_object(writer, "permissions");
	json_write_array(writer, "keys");
	for (size_t i = 0; i < policy->count; i++)
		json_write_text(writer, NULL, policy->words[i]);
	json_write_end(writer);
	json_write_end(writer);
	json_write_end(writer);
}

void
api_vault_item_members(struct json_writer *writer, const struct api_vault *vault)
{
	json_write_text(writer, "name", vault->name);
	json_write_text(writer, "uri", vault->uri);
	json_write_text(writer, "token", vault->token);
	json_write_text(writer, "region", vault->region);
	json_write_int(writer, "retentionDays", vault->retention_days);
	json_write_bool(writer, "enablePurgeProtection", vault->purge_protection);
	json_write_text(writer, "backup", vault->backup == API_BACKUP_NEVER ? "never" : "trusted");
	json_write_int(writer, "created", vault->created);
	json_write_int(writer, "updated", vault->updated);
	json_write_raw(writer, "tags", bytes_of_text(vault->tags));
}

static void
write_vault(struct json_writer *writer, const struct api_vault *vault)
{
	json_write_object(writer, NULL);
	api_vault_item_members(writer, vault);
	json_write_array(writer, "accessPolicies");
	for (size_t i = 0; i < vault->policy_count; i++)
		write_policy(writer, &vault->policies[i]);
	json_write_end(writer);
	json_write_end(writer);
}

void
api_vault_format(const struct api_vault *vault, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_vault(&writer, vault);
}

void
api_vault_list_format(const struct api_vault *vaults, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	for (size_t i = 0; i < count; i++)
		write_vault(&writer, &vaults[i]);
	json_write_end(&writer);
	json_write_end(&writer);
}

void
api_vault_name_format(enum api_vault_name found, struct buf *out)
{
	static const struct {
		const char *reason;
		const char *message;
	} words[] = {
		[API_VAULT_NAME_AVAILABLE] = {NULL,                 NULL                                  },
		[API_VAULT_NAME_INVALID] = {"AccountNameInvalid", API_VAULT_NAME_RULE                   },
		[API_VAULT_NAME_EXISTS] = {"AlreadyExists",
					      "A vault of this name exists already; case does not matter."},
	};
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_bool(&writer, "nameAvailable", found == API_VAULT_NAME_AVAILABLE);
	json_write_text(&writer, "reason", words[found].reason);
	json_write_text(&writer, "message", words[found].message);
	json_write_end(&writer);
}
