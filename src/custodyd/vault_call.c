#include "vault_call.h"

const struct db_vault *
vault_find(struct call *call)
{
	const struct db_vault *vault = vaults_find(call->task.daemon->vaults, call->names[0]);
	if (vault == NULL)
		(void)err_set(
			&call->err, ERR_VAULT_NOT_FOUND, "Vault %s was not found.", call->names[0]);
	return vault;
}

static const char *const *
permission_words(struct call *call, uint32_t permissions, size_t *ret_count)
{
	const char **words = arena_array(call->arena, PERMISSION_COUNT, sizeof(*words));
	size_t count = 0;
	for (int i = 0; i < PERMISSION_COUNT; i++) {
		if ((permissions & PERMISSION_BIT(i)) != 0)
			words[count++] = permission_word((enum permission)i);
	}
	*ret_count = count;
	return words;
}

static void
view_policies(struct call *call, const struct db_vault *vault, struct api_vault *view)
{
	size_t count;
	const struct access_entry *entries =
		access_entries(call->task.daemon->access, vault->id, &count);
	struct api_policy *policies = arena_array(call->arena, count, sizeof(*policies));
	for (size_t i = 0; i < count; i++) {
		char *text = arena_alloc(call->arena, PRINCIPAL_TEXT);
		principal_format(&entries[i].principal, text);
		policies[i] = (struct api_policy){
			.principal = text,
			.number = entries[i].principal.number,
			.state = entries[i].state == PRINCIPAL_OK ? "ok" : "changed",
		};
		policies[i].words =
			permission_words(call, entries[i].permissions, &policies[i].count);
	}
	view->policies = policies;
	view->policy_count = count;
}

void
vault_view(struct call *call, const struct db_vault *vault, struct api_vault *ret_view)
{
	struct custodyd *daemon = call->task.daemon;
	const struct token *token = tokens_find(daemon->tokens, vault->token);
	char url[256];
	keystore_vault_url(daemon->keys, vault->name, url);
	*ret_view = (struct api_vault){
		.name = arena_strdup(call->arena, vault->name),
		.uri = arena_printf(call->arena, "%s/", url),
		.token = arena_strdup(call->arena, vault->token),
		.region = token != NULL ? token_region(token) : NULL,
		.retention_days = vault->retention_days,
		.purge_protection = vault->purge_protection,
		.backup = vault->backup == DB_BACKUP_NEVER ? API_BACKUP_NEVER : API_BACKUP_TRUSTED,
		.created = vault->created,
		.updated = vault->updated,
		.tags = arena_strdup(call->arena, vault->tags),
	};
	view_policies(call, vault, ret_view);
}

enum op_result
vault_answer(struct call *call, int status)
{
	struct custodyd *daemon = call->task.daemon;
	if (!vaults_reload(daemon->vaults, &call->err))
		return call_fail(call);
	keystore_forget_all(daemon->keys); /* key versions carry their vault's row */
	const struct db_vault *vault = vault_find(call);
	if (vault == NULL)
		return call_fail(call);
	struct api_vault view;
	vault_view(call, vault, &view);
	api_vault_format(&view, &call->body);
	return call_finish(call, status);
}
