#include "scope_name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/dep_scope.h"
#include "api/scope_kind.h"

#define NO_WORKLOAD                                                                                \
	"There is no such workload of the tenant; teams, exchange, mip-edm, mip-labels and "       \
	"windows365 are."

/* Paths that are of one kind. */
static bool
kind_of_path(const char *template, enum keytree_scope_kind *ret_kind)
{
	static const struct {
		const char *path;
		enum keytree_scope_kind kind;
	} paths[] = {
		{"/mailboxes", KEYTREE_MAILBOX},
		{"/sites",     KEYTREE_SITE   },
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (strncmp(template, paths[i].path, strlen(paths[i].path)) == 0) {
			*ret_kind = paths[i].kind;
			return true;
		}
	}
	return false;
}

bool
scope_name_of(struct dep_call *call, enum keytree_scope_kind *ret_kind, const char **ret_id)
{
	enum keytree_scope_kind kind;
	bool by_path = kind_of_path(call->row->route.template, &kind);
	const char *id = call->names[by_path ? 0 : 1];
	if (!by_path && !scope_kind_find(call->names[0], &kind))
		return err_set(&call->err, ERR_NOT_FOUND,
			"There is no such kind of scope; mailbox, workload, cloudpc and site are.");
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
scope_name_site_slot(
	const struct depd *depd, const char *geo, struct db_dep_slot *ret_slot, struct err *err)
{
	const struct geos *geos = &depd->options->geos;
	const struct geo *found = geo != NULL ? geos_find(geos, geo) : &geos->items[0];
	char slot[DB_DEP_SLOT_SIZE];
	if (geo == NULL && geos->count != 1)
		return err_set(err, ERR_BAD_PARAMETER,
			"geo: is wanted, as the organization has %zu of them.", geos->count);
	if (found == NULL)
		return err_set(err, ERR_GEO_NOT_FOUND,
			"There is no geo %.64s; the configuration names them.", geo);
	db_dep_slot_of_geo(found->name, slot);
	return db_dep_slot_find(depd->db, slot, ret_slot, err);
}

bool
scope_name_slot(struct db *db, enum keytree_scope_kind kind, const char *id,
	struct db_dep_slot *ret_slot, struct err *err)
{
	char slot[DB_DEP_SLOT_SIZE];
	assert(kind != KEYTREE_SITE);
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
