/* Invariant: IsEncrypted is true of a scope only whose data was moved and whose key is under the current generation of the policy that covers it. */
#include "scope_view.h"

#include <string.h>

#include "api/scope_kind.h"
#include "base/id.h"

struct policy_memo {
	struct policy_memo *next;
	struct db_dep_policy policy;
	char guid[ID_UUID_TEXT];
};

struct generation_memo {
	struct generation_memo *next;
	int64_t id;
	int64_t created;
	char guid[ID_UUID_TEXT];
};

struct scope_view {
	struct db *db;
	struct arena *arena;
	struct policy_memo *policies;
	struct generation_memo *generations;
	struct db_dep_slot *slots; /* all of them; NULL: not read */
	size_t slot_count;
};

struct scope_view *
scope_view_new(struct db *db, struct arena *arena)
{
	struct scope_view *view = arena_alloc(arena, sizeof(*view));
	view->db = db;
	view->arena = arena;
	return view;
}

const char *
scope_view_policy_kind(enum db_dep_policy_kind kind)
{
	static const char *const words[] = {
		[DB_DEP_M365] = "m365",
		[DB_DEP_MAILBOX] = "mailbox",
		[DB_DEP_GEO] = "geo",
		[DB_DEP_SERVICE] = "service",
	};
	return words[kind];
}

static const struct policy_memo *
find_policy(struct scope_view *view, int64_t id, struct err *err)
{
	for (struct policy_memo *memo = view->policies; memo != NULL; memo = memo->next) {
		if (memo->policy.id == id)
			return memo;
	}
	struct policy_memo *memo = arena_alloc(view->arena, sizeof(*memo));
	if (!db_dep_policy_get(view->db, id, view->arena, &memo->policy, err))
		return NULL;
	id_uuid_format(memo->policy.guid, memo->guid);
	memo->next = view->policies;
	view->policies = memo;
	return memo;
}

static const struct generation_memo *
find_generation(struct scope_view *view, int64_t id, struct err *err)
{
	for (struct generation_memo *memo = view->generations; memo != NULL; memo = memo->next) {
		if (memo->id == id)
			return memo;
	}
	struct db_dep_generation generation;
	if (!db_dep_generation_get(view->db, id, view->arena, &generation, err))
		return NULL;
	struct generation_memo *memo = arena_alloc(view->arena, sizeof(*memo));
	memo->id = id;
	memo->created = generation.created;
	id_uuid_format(generation.guid, memo->guid);
	memo->next = view->generations;
	view->generations = memo;
	return memo;
}

static bool
slot_assigned(struct scope_view *view, int64_t slot, int64_t *ret_assigned, struct err *err)
{
	if (view->slots == NULL &&
		!db_dep_slot_list(view->db, view->arena, &view->slots, &view->slot_count, err))
		return false;
	*ret_assigned = 0;
	for (size_t i = 0; i < view->slot_count; i++) {
		if (view->slots[i].id == slot)
			*ret_assigned = view->slots[i].assigned;
	}
	return true;
}

/* The latest of what gave it something to do: its assignment, its slot's, a new generation. */
static bool
since_of(struct scope_view *view, const struct db_dep_scope *scope, int64_t *ret_since,
	struct err *err)
{
	int64_t assigned;
	const struct generation_memo *current = find_generation(view, scope->current, err);
	if (current == NULL || !slot_assigned(view, scope->slot, &assigned, err))
		return false;
	int64_t since = scope->assigned > assigned ? scope->assigned : assigned;
	*ret_since = since > current->created ? since : current->created;
	return true;
}

bool
scope_view_of(struct scope_view *view, const struct db_dep_scope *scope,
	struct api_dep_scope *ret_scope, int64_t *ret_since, struct err *err)
{
	const struct policy_memo *policy = find_policy(view, scope->policy, err);
	const struct generation_memo *generation = NULL;
	bool has_key = scope->generation != 0;
	bool current = scope->state == DB_DEP_ENCRYPTED && scope->generation == scope->current;
	if (policy == NULL || (ret_since != NULL && !since_of(view, scope, ret_since, err)))
		return false;
	if (has_key && (generation = find_generation(view, scope->generation, err)) == NULL)
		return false;
	*ret_scope = (struct api_dep_scope){
		.kind = scope_kind_word((enum keytree_scope_kind)scope->kind),
		.id = scope->name,
		.type = scope->type,
		.state = scope->state == DB_DEP_REMEMBERED ? "remembered"
			 : scope->state == DB_DEP_CLEAR    ? "unencrypted"
			 : scope->state == DB_DEP_ERASED   ? "purged"
			 : current                         ? "encrypted"
							   : "pending",
		.generation = has_key ? generation->guid : NULL,
		.encrypted = current,
		.policy = policy->policy.name,
		.policy_id = policy->guid,
		.policy_kind = scope_view_policy_kind(policy->policy.kind),
		.assigned = scope->assigned,
		.changed = scope->changed,
	};
	return true;
}
