#include "key_call.h"

#include <string.h>

#include "base/b64.h"

bool
key_name_check(struct call *call)
{
	call->audit_key = call->names[0];
	return id_key_name_valid(call->names[0]) ||
	       err_set(&call->err, ERR_BAD_PARAMETER, "The request URI contains an invalid name.");
}

static void
say_not_found(struct call *call, const char *name, const char *version)
{
	if (err_status(call->err.code) == 404)
		(void)err_set(&call->err, call->err.code,
			"A key with (name/id) %s%s%s was not found in this key vault.", name,
			version[0] != '\0' ? "/" : "", version);
}

static struct key_version *
find(struct call *call,
	struct key_version *(*find_in)(struct keystore *, const struct db_vault *, const char *,
		const char *, struct err *),
	const char *name, const char *version)
{
	call->audit_key = name;
	call->audit_version = version;
	struct key_version *key =
		find_in(call->task.daemon->keys, &call->vault, name, version, &call->err);
	if (key == NULL) {
		say_not_found(call, name, version);
		return NULL;
	}
	call->audit_version = arena_strdup(call->arena, strrchr(key->kid, '/') + 1);
	return key;
}

struct key_version *
key_find(struct call *call)
{
	return find(call, keystore_get, call->names[0], call->names[1]);
}

struct key_version *
key_look(struct call *call, const char *name, const char *version)
{
	return find(call, keystore_look, name, version);
}

bool
key_check_state(const struct key_version *key, enum alg_op op, int64_t now_s, struct err *err)
{
	const char *word = alg_op_word(op);
	if (!key->version.enabled)
		return err_set(err, ERR_KEY_DISABLED,
			"Operation %s is not allowed on a disabled key.", word);
	/* Outside its time a key protects nothing new, but what it protected stays readable (akv-contract §9). */
	bool protects = (op & (ALG_ENCRYPT | ALG_WRAP | ALG_SIGN)) != 0;
	if (protects && key->version.nbf != DB_NO_TIME && now_s < key->version.nbf)
		return err_set(err, ERR_KEY_NOT_YET_VALID,
			"Operation %s is not allowed on a key that is not yet valid.", word);
	if (protects && key->version.exp != DB_NO_TIME && now_s >= key->version.exp)
		return err_set(err, ERR_KEY_EXPIRED,
			"Operation %s is not allowed on an expired key.", word);
	if ((key->version.ops & (uint32_t)op) == 0)
		return err_set(err, ERR_KEY_OPERATION_FORBIDDEN,
			"Operation %s is not permitted on this key.", word);
	return true;
}

void
key_view(const struct call *call, struct key_version *key, struct api_key_view *ret_view)
{
	*ret_view = (struct api_key_view){
		.kid = key->kid,
		.kty = key->version.kty,
		.hsm_generated = keystore_hsm_generated(call->task.daemon->keys, key),
		.ops = key->version.ops,
		.pubkey = key->pubkey,
		.enabled = key->version.enabled,
		.nbf = key->version.nbf,
		.exp = key->version.exp,
		.created = key->version.created,
		.updated = key->version.updated,
		.retention_days = call->vault.retention_days,
		.purge_protection = call->vault.purge_protection,
		.tags = key->version.tags,
	};
	_Static_assert(API_NO_TIME == DB_NO_TIME, "one value for times that are not set");
	if (key->key.state == DB_KEY_LIVE)
		return;
	char url[256];
	keystore_vault_url(call->task.daemon->keys, key->vault.name, url);
	ret_view->recovery_id = arena_printf(call->arena, "%s/deletedkeys/%s", url, key->key.name);
	ret_view->deleted_date = key->key.deleted_at;
	ret_view->scheduled_purge_date = key->key.scheduled_purge;
}

bool
key_answer(struct call *call, const struct db_key *row, const struct db_version *version)
{
	CLEAN(key_version)
	struct key_version *key =
		keystore_wrap(call->task.daemon->keys, &call->vault, row, version, &call->err);
	if (key == NULL)
		return false;
	char *hex = arena_alloc(call->arena, ID_VERSION_TEXT);
	hex_encode(version->id, ID_VERSION_BYTES, hex);
	call->audit_version = hex;
	struct api_key_view view;
	key_view(call, key, &view);
	api_key_bundle(&view, &call->body);
	return true;
}

bool
key_find_deleted(struct call *call, struct db_key_item *ret_item)
{
	const char *name = call->names[0];
	if (!key_name_check(call))
		return false;
	struct db *db = call->task.daemon->db;
	if (db_key_find_deleted(db, call->vault.id, name, call->arena, ret_item, &call->err))
		return true;
	if (call->err.code == ERR_KEY_NOT_FOUND)
		(void)err_set(&call->err, ERR_KEY_NOT_FOUND, "Deleted Key not found: %s", name);
	return false;
}

bool
key_find_live(struct call *call, struct db_key_item *ret_item)
{
	const char *name = call->names[0];
	struct db *db = call->task.daemon->db;
	if (!key_name_check(call))
		return false;
	if (db_key_find(db, call->vault.id, name, call->arena, ret_item, &call->err))
		return true;
	say_not_found(call, name, "");
	return false;
}
