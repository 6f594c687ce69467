/* Invariant: a role is asked for before a policy is looked for, as far as the request says of which kind it is. */
#include "policy_call.h"

#include "base/id.h"
#include "depd/dep_opening.h"
#include "depd/organization.h"
#include "depd/policy_name.h"
#include "depd/rewrapper.h"

#define GENERATIONS_SHOWN 100

static struct policy_call *
policy_call_of(struct op *op)
{
	return (struct policy_call *)op;
}

void
policy_call_clear(struct dep_call *call)
{
	struct policy_call *policy = (struct policy_call *)call;
	policy_probe_cancel(&policy->probe);
	policy_trial_clear(&policy->trial);
	generation_make_cancel(call->depd, policy->making);
	generation_made_free(policy->made);
}

/* ---- who may ---- */

static uint32_t
administrators(enum db_dep_policy_kind kind)
{
	switch (kind) {
	case DB_DEP_M365:
		return ROLE_GLOBAL_ADMIN | ROLE_COMPLIANCE_ADMIN;
	case DB_DEP_MAILBOX:
		return ROLE_GLOBAL_ADMIN | ROLE_EXCHANGE_ADMIN;
	case DB_DEP_GEO:
		return GEO_WRITERS;
	case DB_DEP_SERVICE:
		break;
	}
	return ROLE_GLOBAL_ADMIN;
}

bool
policy_call_may_change(struct policy_call *call, enum db_dep_policy_kind kind)
{
	if (!dep_call_check_roles(&call->call, administrators(kind)))
		return false;
	if (kind == DB_DEP_GEO)
		return err_set(&call->call.err, ERR_NOT_SUPPORTED,
			"The policy of a geo is changed by what is done with the geo.");
	return kind != DB_DEP_SERVICE || err_set(&call->call.err, ERR_NOT_SUPPORTED,
						 "The service-managed policy covers what no other "
						 "one does; it is not changed.");
}

bool
policy_call_may_read(struct policy_call *call, enum db_dep_policy_kind kind)
{
	uint32_t roles = kind == DB_DEP_SERVICE ? POLICY_READERS : administrators(kind);
	return dep_call_check_roles(
		&call->call, roles | ROLE_AUDITOR | ROLE_RECOVERY_ADMIN | ROLE_PURGE_REQUESTER);
}

/* ---- which one ---- */

bool
policy_call_kind(struct policy_call *call, enum db_dep_policy_kind *ret_kind)
{
	const char *text = http_request_param(call->call.http, "kind");
	enum api_dep_kind kind = text != NULL ? api_dep_kind_find(text) : (enum api_dep_kind)0;
	if (kind == 0)
		return err_set(&call->call.err, ERR_BAD_PARAMETER,
			"The query parameter 'kind' must be m365 or mailbox.");
	*ret_kind = (enum db_dep_policy_kind)kind;
	return true;
}

bool
policy_call_find(struct policy_call *call, bool change)
{
	struct dep_call *base = &call->call;
	const char *name = base->names[0];
	uint8_t guid[DB_DEP_GUID];
	enum db_dep_policy_kind kind;
	base->audit_subject = name;
	bool by_guid = id_uuid_parse(name, guid);
	if (!by_guid &&
		(!policy_call_kind(call, &kind) || !(change ? policy_call_may_change(call, kind)
							    : policy_call_may_read(call, kind))))
		return false;
	if (by_guid ? !db_dep_policy_find_guid(
			      base->depd->db, guid, base->arena, &call->policy, &base->err)
		    : !policy_name_find(
			      base->depd->db, kind, name, base->arena, &call->policy, &base->err))
		return false;
	base->audit_subject = call->policy.name;
	return change ? policy_call_may_change(call, call->policy.kind)
		      : policy_call_may_read(call, call->policy.kind);
}

/* ---- asking custody ---- */

enum op_result
policy_call_probe(struct op *op)
{
	struct policy_call *call = policy_call_of(op);
	bool waits = policy_probe_start(
		&call->probe, call->call.depd, op->id, call->policy.kind, call->keys);
	return waits ? OP_WAIT : OP_NEXT;
}

static void
on_made(void *ctx, struct generation_made *take_made, const struct err *err)
{
	struct policy_call *call = ctx;
	call->made = take_made;
	if (take_made == NULL)
		call->call.err = *err;
	(void)op_resume(call->call.depd->ops, call->call.op.id);
}

enum op_result
policy_call_make(struct policy_call *call, int64_t number, const char *availability_kid)
{
	struct depd *depd = call->call.depd;
	struct generation_wanted wanted = {
		.kind = call->policy.kind,
		.number = number,
		.keys = call->keys,
		.availability_kid = availability_kid,
		.signing_kid = call->organization.signing_kid,
	};
	memcpy(wanted.policy, call->policy.guid, sizeof(wanted.policy));
	generation_make_start(
		depd, &wanted, depd->options->daemon.change_timeout, &call->making, on_made, call);
	return OP_WAIT;
}

void
policy_call_made(struct policy_call *call)
{
	struct depd *depd = call->call.depd;
	struct generation_made *made = call->made;
	dep_opener_add(
		depd->opener, call->policy.current, call->policy.kind, &made->identity, made->key);
	made->key = NULL;
	rewrapper_wake(depd->rewrapper);
}

/* ---- answers ---- */

static const char *
guid_text(struct arena *arena, const uint8_t guid[static DB_DEP_GUID])
{
	char *text = arena_alloc(arena, ID_UUID_TEXT);
	id_uuid_format(guid, text);
	return text;
}

static bool
view_generation(struct policy_call *call, const struct db_dep_generation *row,
	struct api_dep_generation *view)
{
	struct dep_call *base = &call->call;
	*view = (struct api_dep_generation){
		.id = guid_text(base->arena, row->guid),
		.number = row->number,
		.keys = {row->kid[0], row->kid[1]},
		.availability_key = row->availability_kid[0] != '\0' ? row->availability_kid : NULL,
		.created = row->created,
		.redundancy = row->redundancy,
		.availability = row->availability,
		.checked = row->checked,
	};
	return db_dep_generation_scopes(base->depd->db, row->id, &view->scopes, &base->err);
}

static const char *
state_word(enum db_dep_policy_state state)
{
	static const char *const words[] = {
		[DB_DEP_ENABLED] = "enabled",
		[DB_DEP_DISABLED] = "disabled",
		[DB_DEP_PURGING] = "purging",
		[DB_DEP_PURGED] = "purged",
	};
	return words[state];
}

bool
policy_call_view(struct policy_call *call, const struct db_dep_policy *policy,
	size_t generations_max, struct api_dep_policy *ret_view)
{
	struct dep_call *base = &call->call;
	struct db_dep_generation *rows;
	size_t count;
	bool used;
	if (!db_dep_policy_in_use(base->depd->db, policy->id, &used, &base->err) ||
		!db_dep_generation_list(
			base->depd->db, policy->id, base->arena, &rows, &count, &base->err))
		return false;
	size_t first = count > generations_max ? count - generations_max : 0;
	struct api_dep_generation *generations =
		arena_array(base->arena, count - first, sizeof(*generations));
	for (size_t i = first; i < count; i++)
		if (!view_generation(call, &rows[i], &generations[i - first]))
			return false;
	*ret_view = (struct api_dep_policy){
		.id = guid_text(base->arena, policy->guid),
		.kind = (enum api_dep_kind)policy->kind,
		.name = arena_strdup(base->arena, policy->name),
		.description = policy->description,
		.state = state_word(policy->state),
		.assigned = used,
		.uris = {policy->uri[0], policy->uri[1]},
		.created = policy->created,
		.updated = policy->updated,
		.outage_fallback_s = policy->outage_fallback_s,
		.outage_since = policy->outage_since,
		.generations = generations,
		.generation_count = count - first,
	};
	return true;
}

bool
policy_call_answer(struct policy_call *call, int64_t id)
{
	struct dep_call *base = &call->call;
	struct api_dep_policy view;
	if (!db_dep_policy_get(base->depd->db, id, base->arena, &call->policy, &base->err) ||
		!policy_call_view(call, &call->policy, GENERATIONS_SHOWN, &view))
		return false;
	api_dep_policy_format(&view, &base->body);
	return true;
}
