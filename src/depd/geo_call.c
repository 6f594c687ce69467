/* Invariant: a geo is found by the configuration of the moment, and copied: a reload does not take it away from an operation. */
#include "geo_call.h"

#include <stdio.h>
#include <string.h>

#include "depd/organization.h"

bool
geo_call_find(struct geo_call *call)
{
	struct dep_call *base = &call->policy.call;
	struct depd *depd = base->depd;
	const struct geo *geo = geos_find(&depd->options->geos, base->names[0]);
	base->audit_subject = base->names[0];
	if (geo == NULL)
		return err_set(&base->err, ERR_GEO_NOT_FOUND,
			"There is no geo %.64s; the configuration names them.", base->names[0]);
	base->audit_subject = arena_printf(base->arena, "geo/%s", geo->name);
	if (!organization_get(depd, base->arena, &call->policy.organization, &base->err) ||
		!geo_view_read(depd->db, geo, base->arena, &call->view, &base->err))
		return false;
	call->policy.policy = call->view.policy;
	return true;
}

bool
geo_call_take_key(struct geo_call *call, size_t index, const struct api_dep_geo_key *key)
{
	struct dep_call *base = &call->policy.call;
	struct policy_key *taken = &call->policy.keys[index];
	const char *uri = key->uri;
	if (uri == NULL)
		uri = arena_printf(base->arena, "https://%s.%s/keys/%s/%s", key->vault,
			base->depd->options->daemon.owners_dns_suffix, key->name, key->version);
	policy_key_init(taken, uri);
	return taken->id.vault[0] == '\0' || taken->id.version[0] != '\0' ||
	       err_set(&base->err, ERR_BAD_PARAMETER,
		       "The keys of a geo are pinned: name the version of key %s of vault %s.",
		       taken->id.name, taken->id.vault);
}

bool
geo_call_busy(struct geo_call *call)
{
	const struct geo_view *view = &call->view;
	return err_set(&call->policy.call.err, ERR_ROLL_IN_PROGRESS, "Geo %s is %s, %d %% done.",
		view->geo.name, geo_state_name(view->state), geo_view_percentage(view));
}

bool
geo_call_check_quiet(struct geo_call *call)
{
	return geo_call_check_registered(call) &&
	       (call->view.state == GEO_REGISTERED || geo_call_busy(call));
}

bool
geo_call_check_registered(struct geo_call *call)
{
	if (call->view.state != GEO_UNREGISTERED)
		return true;
	return err_set(&call->policy.call.err, ERR_GEO_UNREGISTERED,
		"Geo %s is not registered: no policy of its own covers its sites.",
		call->view.geo.name);
}

bool
geo_call_made(struct geo_call *call, struct db_dep_generation *ret_generation,
	const char *ret_uri[static POLICY_KEYS])
{
	struct policy_call *policy = &call->policy;
	struct dep_call *base = &policy->call;
	if (policy->made == NULL || !geo_view_read(base->depd->db, &call->view.geo, base->arena,
					    &call->view, &base->err))
		return false;
	*ret_generation = policy->made->row;
	ret_generation->policy = policy->policy.id;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		ret_uri[i] = policy->keys[i].uri;
	return call->view.current.number + 1 == ret_generation->number ||
	       err_set(&base->err, ERR_CONFLICT,
		       "The keys of geo %s were exchanged by another request meanwhile.",
		       call->view.geo.name);
}

bool
geo_call_rolled(struct geo_call *call)
{
	struct policy_call *policy = &call->policy;
	struct dep_call *base = &policy->call;
	if (!db_dep_policy_get(
		    base->depd->db, policy->policy.id, base->arena, &policy->policy, &base->err))
		return false;
	policy_call_made(policy);
	return true;
}

bool
geo_call_answer(struct geo_call *call)
{
	struct dep_call *base = &call->policy.call;
	struct geo_view view;
	struct api_dep_geo shown;
	if (!geo_view_read(base->depd->db, &call->view.geo, base->arena, &view, &base->err))
		return false;
	geo_view_show(&view, base->arena, &shown);
	api_dep_geo_format(&shown, &base->body);
	return true;
}

void
geo_call_make_slots(struct depd *depd)
{
	const struct geos *geos = &depd->options->geos;
	char texts[GEOS_MAX][DB_DEP_SLOT_SIZE];
	const char *names[GEOS_MAX];
	size_t missing = 0;
	struct err err = {0};
	for (size_t i = 0; i < geos->count; i++) {
		struct db_dep_slot slot;
		db_dep_slot_of_geo(geos->items[i].name, texts[missing]);
		names[missing] = texts[missing];
		if (!db_dep_slot_find(depd->db, names[missing], &slot, &err))
			missing++;
	}
	if (missing > 0 &&
		!db_dep_slot_ensure(depd->db, names, missing, calendar_now_s(depd->calendar), &err))
		depd_note(depd, "geo.not_placed", &err, NULL);
}
