/*
 * The pages of the dialect: keys, versions of a key, deleted keys (akv-contract §6). Pages follow the order of
 * folded names, or of births for versions, so what is created or deleted in between moves nobody else.
 */
#include <stdio.h>
#include <string.h>

#include "api/key.h"
#include "base/b64.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "custodyd/skiptoken.h"

struct position {
	size_t limit;
	char after[SKIPTOKEN_POSITION_MAX + 1]; /* "" from the start */
	struct skiptoken_scope scope;
};

static bool
read_position(
	struct call *call, enum skiptoken_list list, const char *subject, struct position *position)
{
	*position = (struct position){
		.scope =
			{
				.key = db_paging_key(call->task.daemon->db),
				.list = list,
				.vault = call->vault.name,
				.subject = subject,
				.caller = &call->caller,
				},
	};
	const char *text = http_request_param(call->http, "$skiptoken");
	return api_page_size(http_request_param(call->http, "maxresults"), &position->limit,
		       &call->err) &&
	       (text == NULL ||
		       skiptoken_parse(&position->scope, text, position->after, &call->err));
}

/* Absolute, as the service has it: clients request it literally (akv-contract §6). */
static const char *
next_link(struct call *call, const struct position *position, const char *path, const char *last)
{
	char token[SKIPTOKEN_TEXT_MAX];
	skiptoken_make(&position->scope, last, token);
	char url[256];
	keystore_vault_url(call->task.daemon->keys, call->vault.name, url);
	return arena_printf(call->arena, "%s/%s?api-version=%s&$skiptoken=%s&maxresults=%zu", url,
		path, http_request_param(call->http, "api-version"), token, position->limit);
}

static void
item_view(struct call *call, const struct db_key *key, const struct db_version *version, bool base,
	struct api_key_view *view)
{
	enum kty kty = kty_find(version->kty);
	struct key_version shown = {.vault = call->vault, .key = *key, .version = *version};
	if (kty == KTY_NONE)
		shown.version.provenance = 0; /* of a key of no type nothing is claimed */
	else
		shown.type = kty_key(kty);
	shown.curve = curve_find(version->curve);
	key_view(call, &shown, view);
	char url[256];
	keystore_vault_url(call->task.daemon->keys, call->vault.name, url);
	char hex[ID_VERSION_TEXT];
	hex_encode(version->id, ID_VERSION_BYTES, hex);
	view->kid = arena_printf(
		call->arena, "%s/keys/%s%s%s", url, key->name, base ? "" : "/", base ? "" : hex);
	view->kty = arena_strdup(call->arena, version->kty);
}

static enum op_result
answer_keys(struct call *call, const struct position *position, const char *path,
	const struct db_key_item *items, size_t count, bool more)
{
	struct api_key_page page;
	api_key_page_begin(&page, &call->body);
	for (size_t i = 0; i < count; i++) {
		struct api_key_view view;
		item_view(call, &items[i].key, &items[i].newest, true, &view);
		api_key_page_item(&page, &view);
	}
	const char *link = NULL;
	if (more && count > 0)
		link = next_link(call, position, path, items[count - 1].key.name);
	api_key_page_end(&page, link);
	return call_finish(call, 200);
}

static enum op_result
step_keys(struct op *op)
{
	struct call *call = (struct call *)op;
	struct position position;
	struct db_key_item *items;
	size_t count;
	bool more;
	if (!read_position(call, SKIPTOKEN_KEYS, "", &position) ||
		!db_key_list(call->task.daemon->db, call->vault.id, position.after, position.limit,
			call->arena, &items, &count, &more, &call->err))
		return call_fail(call);
	return answer_keys(call, &position, "keys", items, count, more);
}

static enum op_result
step_deleted(struct op *op)
{
	struct call *call = (struct call *)op;
	struct position position;
	struct db_key_item *items;
	size_t count;
	bool more;
	if (!read_position(call, SKIPTOKEN_DELETED_KEYS, "", &position) ||
		!db_key_list_deleted(call->task.daemon->db, call->vault.id, position.after,
			position.limit, call->arena, &items, &count, &more, &call->err))
		return call_fail(call);
	return answer_keys(call, &position, "deletedkeys", items, count, more);
}

static bool
sequence_parse(const char *text, int64_t *ret_sequence, struct err *err)
{
	char end;
	long long sequence = 0;
	if (text[0] != '\0' && sscanf(text, "%lld%c", &sequence, &end) != 1)
		return err_set(
			err, ERR_BAD_PARAMETER, "The $skiptoken is not one of this service.");
	*ret_sequence = sequence;
	return true;
}

static enum op_result
step_versions(struct op *op)
{
	struct call *call = (struct call *)op;
	const char *name = call->names[0];
	struct position position;
	struct db_key key;
	struct db_version *versions;
	size_t count;
	bool more;
	int64_t after;
	if (!key_name_check(call) || !read_position(call, SKIPTOKEN_VERSIONS, name, &position) ||
		!sequence_parse(position.after, &after, &call->err) ||
		!db_version_list(call->task.daemon->db, call->vault.id, name, after, position.limit,
			call->arena, &key, &versions, &count, &more, &call->err))
		return call_fail(call);
	struct api_key_page page;
	api_key_page_begin(&page, &call->body);
	for (size_t i = 0; i < count; i++) {
		struct api_key_view view;
		item_view(call, &key, &versions[i], false, &view);
		api_key_page_item(&page, &view);
	}
	const char *link = NULL;
	if (more && count > 0) {
		const char *path = arena_printf(call->arena, "keys/%s/versions", key.name);
		const char *last =
			arena_printf(call->arena, "%lld", (long long)versions[count - 1].sequence);
		link = next_link(call, &position, path, last);
	}
	api_key_page_end(&page, link);
	return call_finish(call, 200);
}

static const struct op_step key_steps[] = {
	{"admit", call_admit},
	{"list",  step_keys },
};

const struct call_type key_list_type = {
	.op = CALL_OP_TYPE("key.list", key_steps),
	.size = sizeof(struct call),
};

static const struct op_step deleted_steps[] = {
	{"admit", call_admit  },
	{"list",  step_deleted},
};

const struct call_type deleted_key_list_type = {
	.op = CALL_OP_TYPE("deletedkey.list", deleted_steps),
	.size = sizeof(struct call),
};

static const struct op_step version_steps[] = {
	{"admit", call_admit   },
	{"list",  step_versions},
};

const struct call_type key_versions_type = {
	.op = CALL_OP_TYPE("key.versions", version_steps),
	.size = sizeof(struct call),
};
