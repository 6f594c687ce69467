/*
 * POST /scopes/{kind}/{id}/datakeys and …/datakeys/unwrap: makes data keys under a scope's key, or opens them; one, or up to a
 * thousand that are answered item by item. A scope whose key is not where it belongs is moved first, if that can be done:
 * failing to move it never keeps a workload from its data. A scope in clear gets its key with its first data key, for the
 * workload to move its data with, and counts as encrypted only when that is reported (scope_moved.c).
 */
#include <string.h>

#include "api/dep_datakey.h"
#include "base/b64.h"
#include "crypto/random.h"
#include "depd/dep_operations.h"
#include "depd/scope_call.h"
#include "depd/scope_name.h"

struct datakey {
	struct scope_call work; /* first */
	enum keytree_scope_kind kind;
	struct db_dep_scope scope;
	size_t count; /* to generate; 0: one that is answered without a list */
	struct api_dep_unwrap unwrap;
};

_Static_assert(API_DEP_PLAIN_LEN == KEYTREE_KEY_LEN, "a data key is a key of the tree");
_Static_assert((DEP_TOKEN_MAX * 4 + 2) / 3 <= API_DEP_WRAPPED_MAX,
	"wrapped data keys of the longest scope fit");

/* ---- which scope ---- */

static bool
find_scope(struct datakey *datakey)
{
	struct dep_call *call = &datakey->work.call;
	const char *id;
	if (!scope_name_of(call, &datakey->kind, &id) ||
		!scope_call_admit(&datakey->work, datakey->kind) ||
		!http_request_check_json(call->http, &call->err) ||
		!db_dep_scope_find(call->depd->db, datakey->kind, id, &datakey->scope, &call->err))
		return false;
	if (datakey->scope.state == DB_DEP_REMEMBERED)
		return err_set(&call->err, ERR_SCOPE_NOT_FOUND,
			"The scope %s is only remembered; it was not registered.",
			datakey->scope.name);
	if (datakey->scope.state == DB_DEP_ERASED)
		return err_set(&call->err, ERR_POLICY_PURGING,
			"The scope %s was purged with its policy; its data is gone for good.",
			datakey->scope.name);
	return true;
}

static enum op_result
step_generate(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	struct dep_call *call = &datakey->work.call;
	bool ok = find_scope(datakey) && api_dep_generate_decode(http_request_body(call->http),
						 call->arena, &datakey->count, &call->err);
	return ok ? OP_NEXT : dep_call_fail(call);
}

static enum op_result
step_unwrap(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	struct dep_call *call = &datakey->work.call;
	bool ok = find_scope(datakey) && api_dep_unwrap_decode(http_request_body(call->http),
						 call->arena, &datakey->unwrap, &call->err);
	if (ok && datakey->scope.generation == 0)
		ok = err_set(&call->err, ERR_SCOPE_NOT_MOVED, NULL);
	return ok ? OP_NEXT : dep_call_fail(call);
}

/* ---- the first key of a scope in clear ---- */

static enum op_result
step_first(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	if (datakey->scope.generation != 0 ||
		scope_call_key(&datakey->work, datakey->scope.current) != NULL)
		return OP_NEXT;
	scope_call_open(&datakey->work, datakey->scope.current, NULL);
	return OP_WAIT;
}

/* Another call may have been first meanwhile: then its key counts. */
static bool
make_first(struct datakey *datakey)
{
	struct dep_call *call = &datakey->work.call;
	struct db_dep_scope *scope = &datakey->scope;
	struct dep_key *key = scope_call_key(&datakey->work, scope->current);
	if (key == NULL && datakey->work.refusal.code != ERR_NONE) {
		call->err = datakey->work.refusal;
		return false;
	}
	if (key == NULL)
		return err_set(&call->err, ERR_UNAVAILABLE,
			"The data encryption key was taken out of memory; try again.");
	return scope_key_make(key, scope, &call->err) &&
	       db_dep_scope_begin_move(call->depd->db, scope, calendar_now_s(call->depd->calendar),
		       scope, &call->err);
}

static enum op_result
step_first_made(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	bool ok = datakey->scope.generation != 0 || make_first(datakey);
	return ok ? OP_NEXT : dep_call_fail(&datakey->work.call);
}

/* ---- its DEP keys ---- */

static enum op_result
open_key(struct datakey *datakey, int64_t generation)
{
	if (scope_call_key(&datakey->work, generation) != NULL) {
		datakey->work.refusal = (struct err){.code = ERR_NONE};
		return OP_NEXT;
	}
	scope_call_open(&datakey->work, generation, datakey->scope.key_id);
	return OP_WAIT;
}

static enum op_result
step_open(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	return open_key(datakey, datakey->scope.generation);
}

static enum op_result
step_opened(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	struct dep_call *call = &datakey->work.call;
	if (datakey->work.refusal.code != ERR_NONE) {
		call->err = datakey->work.refusal;
		return dep_call_fail(call);
	}
	if (datakey->scope.generation == datakey->scope.current || db_read_only(call->depd->db))
		return OP_NEXT;
	return open_key(datakey, datakey->scope.current);
}

/* The key that it should be under is there, or not: then the old one goes on serving. */
static void
move_scope(struct datakey *datakey)
{
	struct depd *depd = datakey->work.call.depd;
	struct db_dep_scope *scope = &datakey->scope;
	struct dep_key *from = scope_call_key(&datakey->work, scope->generation);
	struct dep_key *to = scope_call_key(&datakey->work, scope->current);
	struct db_dep_rewrap rewrap;
	struct err err = {.code = ERR_NONE};
	size_t moved;
	if (from == NULL || to == NULL || from == to || db_read_only(depd->db))
		return;
	if (!scope_key_move(from, to, scope, &rewrap, &err) ||
		!db_dep_scope_rewrap(
			depd->db, &rewrap, 1, calendar_now_s(depd->calendar), &moved, &err))
		depd_note(depd, "scope.not_moved", &err, datakey->work.call.audit_subject);
}

/* ---- the work ---- */

static void
make_token(const struct datakey *datakey, struct dep_token *token)
{
	const struct db_dep_scope *scope = &datakey->scope;
	*token = (struct dep_token){.kind = datakey->kind};
	memcpy(token->id, scope->name, sizeof(token->id));
	memcpy(token->scope_key, scope->key_id, sizeof(token->scope_key));
	random_bytes(token->data_key, sizeof(token->data_key));
}

static bool
generate(const struct datakey *datakey, struct xaes *scope_key, const char *organization,
	struct buf *out, struct err *err)
{
	struct api_dep_keys keys;
	size_t count = datakey->count > 0 ? datakey->count : 1;
	api_dep_keys_begin(&keys, datakey->count > 0, out);
	for (size_t i = 0; i < count; i++) {
		struct dep_token token;
		uint8_t plain[KEYTREE_KEY_LEN], octets[DEP_TOKEN_MAX];
		make_token(datakey, &token);
		random_bytes(plain, sizeof(plain));
		bool ok = keytree_wrap_data(scope_key, organization, &token, plain, err);
		if (ok) {
			size_t len = dep_token_format(&token, octets);
			api_dep_keys_made(&keys, plain, (struct bytes){octets, len});
		}
		secret_wipe(plain, sizeof(plain));
		if (!ok)
			return false;
	}
	api_dep_keys_end(&keys);
	return true;
}

/* One answer for all that is not a data key of this scope. */
static bool
unwrap_one(const struct datakey *datakey, struct xaes *scope_key, const char *organization,
	const char *wrapped, uint8_t plain[static KEYTREE_KEY_LEN], struct err *err)
{
	const struct db_dep_scope *scope = &datakey->scope;
	struct dep_token token;
	uint8_t octets[API_DEP_WRAPPED_MAX];
	size_t len = strlen(wrapped), octet_count;
	if (len > API_DEP_WRAPPED_MAX || !b64_decode(wrapped, len, octets, &octet_count))
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	if (!dep_token_parse((struct bytes){octets, octet_count}, &token, err))
		return false;
	if (token.kind != datakey->kind || strcmp(token.id, scope->name) != 0 ||
		memcmp(token.scope_key, scope->key_id, sizeof(token.scope_key)) != 0)
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	return keytree_unwrap_data(scope_key, organization, &token, plain, err);
}

static bool
unwrap(const struct datakey *datakey, struct xaes *scope_key, const char *organization,
	struct buf *out, struct err *err)
{
	struct api_dep_keys keys;
	api_dep_keys_begin(&keys, datakey->unwrap.batch, out);
	for (size_t i = 0; i < datakey->unwrap.count; i++) {
		uint8_t plain[KEYTREE_KEY_LEN];
		bool ok = unwrap_one(
			datakey, scope_key, organization, datakey->unwrap.wrapped[i], plain, err);
		if (ok)
			api_dep_keys_opened(&keys, plain);
		else if (datakey->unwrap.batch)
			api_dep_keys_failed(&keys, err);
		secret_wipe(plain, sizeof(plain));
		if (!ok && !datakey->unwrap.batch)
			return false;
	}
	err_clear(err); /* of items; they have theirs */
	api_dep_keys_end(&keys);
	return true;
}

static bool
work(struct datakey *datakey)
{
	struct dep_call *call = &datakey->work.call;
	struct dep_key *dep_key = scope_call_key(&datakey->work, datakey->scope.generation);
	if (dep_key == NULL)
		return err_set(&call->err, ERR_UNAVAILABLE,
			"The data encryption key was taken out of memory; try again.");
	const char *organization = dep_key_identity(dep_key)->organization;
	CLEAN(secret)
	struct secret *key = scope_key_open(dep_key, &datakey->scope, &call->err);
	CLEAN(xaes)
	struct xaes *xaes = key != NULL ? keytree_open_key(key, &call->err) : NULL;
	if (xaes == NULL)
		return false;
	move_scope(datakey);
	return datakey->unwrap.count > 0
		       ? unwrap(datakey, xaes, organization, &call->body, &call->err)
		       : generate(datakey, xaes, organization, &call->body, &call->err);
}

static enum op_result
step_work(struct op *op)
{
	struct datakey *datakey = (struct datakey *)op;
	struct dep_call *call = &datakey->work.call;
	return work(datakey) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step generate_steps[] = {
	{"admit",      dep_call_admit },
	{"generate",   step_generate  },
	{"first",      step_first     },
	{"first-made", step_first_made},
	{"open",       step_open      },
	{"opened",     step_opened    },
	{"work",       step_work      },
};

const struct dep_call_type datakey_generate_type = {
	.op = DEP_CALL_OP_TYPE("datakey.generate", generate_steps),
	.size = sizeof(struct datakey),
	.clear = scope_call_clear,
};

static const struct op_step unwrap_steps[] = {
	{"admit",  dep_call_admit},
	{"unwrap", step_unwrap   },
	{"open",   step_open     },
	{"opened", step_opened   },
	{"work",   step_work     },
};

const struct dep_call_type datakey_unwrap_type = {
	.op = DEP_CALL_OP_TYPE("datakey.unwrap", unwrap_steps),
	.size = sizeof(struct datakey),
	.body_bytes = API_DEP_UNWRAP_MAX,
	.clear = scope_call_clear,
};
