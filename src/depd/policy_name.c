#include "policy_name.h"

#include "base/id.h"

bool
policy_name_find(struct db *db, enum db_dep_policy_kind kind, const char *text, struct arena *arena,
	struct db_dep_policy *ret_policy, struct err *err)
{
	uint8_t guid[DB_DEP_GUID];
	struct db_dep_policy policy;
	bool found = id_uuid_parse(text, guid)
			     ? db_dep_policy_find_guid(db, guid, arena, &policy, err)
			     : db_dep_policy_find(db, kind, text, arena, &policy, err);
	if (!found && err->code != ERR_POLICY_NOT_FOUND)
		return false;
	if (!found || policy.kind != kind)
		return err_set(err, ERR_POLICY_NOT_FOUND,
			"There is no data encryption policy %s of this kind.", text);
	*ret_policy = policy;
	return true;
}
