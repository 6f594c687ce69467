#include "scope_name.h"

#include <stdio.h>
#include <string.h>

#include "api/dep_scope.h"
#include "api/scope_kind.h"

#define NO_WORKLOAD                                                                                \
	"There is no such workload of the tenant; teams, exchange, mip-edm, mip-labels and "       \
	"windows365 are."

bool
scope_name_of(struct dep_call *call, enum keytree_scope_kind *ret_kind, const char **ret_id)
{
	static const char mailboxes[] = "/mailboxes";
	bool mailbox = strncmp(call->row->route.template, mailboxes, sizeof(mailboxes) - 1) == 0;
	const char *id = call->names[mailbox ? 0 : 1];
	enum keytree_scope_kind kind = KEYTREE_MAILBOX;
	if (!mailbox && !scope_kind_find(call->names[0], &kind))
		return err_set(&call->err, ERR_NOT_FOUND,
			"There is no such kind of scope; mailbox, workload and cloudpc are.");
	if (ret_id != NULL && !api_dep_scope_id_valid(id))
		return err_set(&call->err, ERR_BAD_PARAMETER, "No scope can have this name.");
	call->audit_subject =
		ret_id != NULL ? arena_printf(call->arena, "%s/%s", scope_kind_word(kind), id)
			       : scope_kind_word(kind);
	*ret_kind = kind;
	if (ret_id != NULL)
		*ret_id = id;
	return true;
}

bool
scope_name_slot(struct db *db, enum keytree_scope_kind kind, const char *id,
	struct db_dep_slot *ret_slot, struct err *err)
{
	char slot[DB_DEP_SLOT_SIZE];
	bool one_each = kind == KEYTREE_WORKLOAD;
	int len = snprintf(
		slot, sizeof(slot), "%s/%s", scope_kind_word(kind), one_each ? id : "default");
	if (len >= (int)sizeof(slot))
		return err_set(err, ERR_SCOPE_NOT_FOUND, NO_WORKLOAD);
	if (db_dep_slot_find(db, slot, ret_slot, err))
		return true;
	return err->code == ERR_SCOPE_NOT_FOUND && one_each
		       ? err_set(err, ERR_SCOPE_NOT_FOUND, NO_WORKLOAD)
		       : false;
}
