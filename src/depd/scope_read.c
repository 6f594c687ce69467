/*
 * GET /scopes/{kind}/{id}, /mailboxes/{id} and /sites/{id}: a scope, with the generation that its key is under now. GET /scopes/{kind},
 * /mailboxes and /sites: a page of them, or with ?overdue=SPAN of those that have waited for longer than that; a walk through them all
 * that lets others in between.
 */
#include <string.h>

#include "depd/dep_operations.h"
#include "depd/scope_name.h"
#include "depd/scope_view.h"

/* People read all kinds, workloads their own. */
static bool
may_read(struct dep_call *call, enum keytree_scope_kind kind)
{
	bool system;
	const uint32_t workloads = ROLE_WORKLOAD | ROLE_SYSTEM_WORKLOAD;
	bool workload_only = (call->roles | workloads) == workloads;
	return !workload_only || dep_call_check_workload(call, kind, &system);
}

/* ---- one ---- */

/* Of a site it is asked how far its geo is with it: a question without an answer before the geo is registered. */
static bool
check_geo(struct dep_call *call, const struct api_dep_scope *scope)
{
	static const char sites[] = "/sites";
	if (strncmp(call->row->route.template, sites, sizeof(sites) - 1) != 0 ||
		strcmp(scope->policy_kind, scope_view_policy_kind(DB_DEP_GEO)) == 0)
		return true;
	return err_set(&call->err, ERR_GEO_UNREGISTERED,
		"The geo of site %.128s is not registered: no policy of its own covers it.",
		scope->id);
}

static bool
show(struct dep_call *call)
{
	enum keytree_scope_kind kind;
	const char *id;
	struct db_dep_scope row;
	struct api_dep_scope scope;
	struct scope_view *view = scope_view_new(call->depd->db, call->arena);
	if (!scope_name_of(call, &kind, &id) || !may_read(call, kind) ||
		!db_dep_scope_find(call->depd->db, kind, id, &row, &call->err) ||
		!scope_view_of(view, &row, &scope, NULL, &call->err) || !check_geo(call, &scope))
		return false;
	api_dep_scope_format(&scope, &call->body);
	return true;
}

static enum op_result
step_show(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	return show(call) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type scope_show_type = {
	.op = DEP_CALL_OP_TYPE("scope.show", show_steps),
	.size = sizeof(struct dep_call),
};

/* ---- many ---- */

struct scope_list {
	struct dep_call call; /* first */
	enum keytree_scope_kind kind;
	size_t left;     /* to be shown yet */
	int64_t overdue; /* Unix seconds: only what should have been done by then; 0: all */
	char after[DB_DEP_SCOPE_SIZE];
	struct scope_view *view;
	struct api_dep_scope_page page;
};

static bool
begin_list(struct scope_list *list)
{
	struct dep_call *call = &list->call;
	const char *after = http_request_param(call->http, "after");
	const char *overdue = http_request_param(call->http, "overdue");
	int64_t span = 0;
	if (!scope_name_of(call, &list->kind, NULL) || !may_read(call, list->kind) ||
		!api_dep_page_size(
			http_request_param(call->http, "top"), &list->left, &call->err) ||
		(overdue != NULL && !api_dep_span(overdue, &span, &call->err)))
		return false;
	if (after != NULL && !api_dep_scope_id_valid(after))
		return err_set(&call->err, ERR_BAD_PARAMETER, "after: no scope has this name.");
	if (after != NULL)
		memcpy(list->after, after, strlen(after) + 1);
	if (overdue != NULL)
		list->overdue = calendar_now_s(call->depd->calendar) - span;
	list->view = scope_view_new(call->depd->db, call->arena);
	api_dep_scope_page_begin(&list->page, &call->body);
	return true;
}

static enum op_result
step_begin_list(struct op *op)
{
	struct scope_list *list = (struct scope_list *)op;
	return begin_list(list) ? OP_NEXT : dep_call_fail(&list->call);
}

static bool
is_wanted(const struct scope_list *list, const struct api_dep_scope *scope, int64_t since)
{
	bool waits = !scope->encrypted && strcmp(scope->state, "remembered") != 0;
	return list->overdue == 0 || (waits && since <= list->overdue);
}

/* Another page of the catalog. ret_more: there are rows behind it. */
static bool
read_page(struct scope_list *list, struct arena *arena, bool *ret_more)
{
	struct dep_call *call = &list->call;
	struct db_dep_scope *rows;
	size_t count;
	if (!db_dep_scope_list(call->depd->db, list->kind, list->after, DB_PAGE_MAX, arena, &rows,
		    &count, &call->err))
		return false;
	*ret_more = count == DB_PAGE_MAX;
	for (size_t i = 0; i < count; i++) {
		struct api_dep_scope scope;
		int64_t since;
		if (list->left == 0) {
			*ret_more = true;
			return true;
		}
		if (!scope_view_of(list->view, &rows[i], &scope, &since, &call->err))
			return false;
		memcpy(list->after, rows[i].name, sizeof(list->after));
		if (!is_wanted(list, &scope, since))
			continue;
		api_dep_scope_page_item(&list->page, &scope);
		list->left--;
	}
	return true;
}

static void
go_on(void *ctx)
{
	struct op *op = ctx;
	(void)op_resume(op->ops, op->id); /* it waits for this */
}

static enum op_result
step_page(struct op *op)
{
	struct scope_list *list = (struct scope_list *)op;
	struct arena *arena = arena_new();
	bool more;
	bool ok = read_page(list, arena, &more);
	arena_free(arena);
	if (!ok)
		return dep_call_fail(&list->call);
	if (more && list->left > 0) {
		loop_defer(list->call.depd->loop, "scope.list", go_on, op);
		op_next_is(op, step_page);
		return OP_WAIT;
	}
	api_dep_scope_page_end(&list->page, more ? list->after : NULL);
	return dep_call_finish(&list->call, 200);
}

static void
clear_list(struct dep_call *call)
{
	loop_defer_cancel(call->depd->loop, call);
}

static const struct op_step list_steps[] = {
	{"admit", dep_call_admit },
	{"begin", step_begin_list},
	{"page",  step_page      },
};

const struct dep_call_type scope_list_type = {
	.op = DEP_CALL_OP_TYPE("scope.list", list_steps),
	.size = sizeof(struct scope_list),
	.clear = clear_list,
};
