/* Invariant: a state and its percentage come from the counts of the catalog, which change with what they count (threats G25). */
#include "geo_view.h"

#include "base/id.h"
#include "db/db_dep_leaving.h"

const char *
geo_state_name(enum geo_state state)
{
	static const char *const names[] = {
		[GEO_UNREGISTERED] = "Unregistered",
		[GEO_REGISTERING] = "Registering",
		[GEO_REGISTERED] = "Registered",
		[GEO_ROLLING] = "Rolling",
		[GEO_RECOVERING] = "Recovering",
	};
	return names[state];
}

static bool
is_own(const struct db_dep_generation *generations, size_t count, int64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (generations[i].id == id)
			return true;
	return false;
}

/* Keys of sites, whether their data was moved or not. */
static bool
count_key(struct db *db, struct geo_view *view, const struct db_dep_count *row, struct err *err)
{
	bool recovers;
	view->keyed += row->count;
	if (row->generation == view->slot.current)
		return true;
	view->old += row->count;
	if (!db_dep_recovers(db, row->generation, &recovers, err))
		return false;
	view->recovers = view->recovers || recovers;
	return true;
}

static bool
count_sites(struct db *db, struct geo_view *view, struct arena *arena, struct err *err)
{
	struct db_dep_generation *generations;
	struct db_dep_count *counts;
	size_t generation_count, count;
	if (!db_dep_generation_list(
		    db, view->policy.id, arena, &generations, &generation_count, err) ||
		!db_dep_slot_counts(db, view->slot.id, arena, &counts, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct db_dep_count *row = &counts[i];
		bool own = is_own(generations, generation_count, row->generation);
		view->sites += row->count;
		if (own && !count_key(db, view, row, err))
			return false;
		if (row->state == DB_DEP_CLEAR) {
			view->clear += row->count;
			continue;
		}
		if (own)
			view->own += row->count;
		if (row->generation == view->slot.current)
			view->done += row->count;
	}
	return true;
}

static enum geo_state
judge(const struct geo_view *view)
{
	if (view->policy.kind != DB_DEP_GEO)
		return GEO_UNREGISTERED;
	if (view->recovers)
		return GEO_RECOVERING;
	if (view->done == view->sites)
		return GEO_REGISTERED;
	return view->own < view->sites ? GEO_REGISTERING : GEO_ROLLING;
}

bool
geo_view_read(struct db *db, const struct geo *geo, struct arena *arena, struct geo_view *ret_view,
	struct err *err)
{
	struct geo_view view = {.geo = *geo};
	char slot[DB_DEP_SLOT_SIZE];
	db_dep_slot_of_geo(geo->name, slot);
	if (!db_dep_slot_find(db, slot, &view.slot, err)) {
		if (err->code == ERR_SCOPE_NOT_FOUND)
			(void)err_set(err, ERR_UNAVAILABLE,
				"The catalog has no place for geo %s yet; see the log.", geo->name);
		return false;
	}
	if (!db_dep_policy_get(db, view.slot.policy, arena, &view.policy, err) ||
		!db_dep_generation_get(db, view.slot.current, arena, &view.current, err) ||
		!count_sites(db, &view, arena, err))
		return false;
	view.state = judge(&view);
	*ret_view = view;
	return true;
}

static int
share(int64_t part, int64_t whole)
{
	return whole > 0 ? (int)(part * 100 / whole) : 100;
}

int
geo_view_percentage(const struct geo_view *view)
{
	if (view->state == GEO_RECOVERING)
		return share(view->keyed - view->old, view->keyed);
	return view->state != GEO_UNREGISTERED ? share(view->done, view->sites) : 0;
}

static const char *
guid_text(struct arena *arena, const uint8_t guid[static DB_DEP_GUID])
{
	char *text = arena_alloc(arena, ID_UUID_TEXT);
	id_uuid_format(guid, text);
	return text;
}

void
geo_view_show(const struct geo_view *view, struct arena *arena, struct api_dep_geo *ret_geo)
{
	*ret_geo = (struct api_dep_geo){
		.name = view->geo.name,
		.admin_url = arena_printf(arena, "https://%s", view->geo.host),
		.state = geo_state_name(view->state),
		.percentage = geo_view_percentage(view),
		.sites = view->sites,
		.unencrypted = view->clear,
	};
	if (view->state == GEO_UNREGISTERED)
		return;
	ret_geo->onboarded = share(view->own, view->sites);
	for (size_t i = 0; i < API_DEP_GEO_KEYS; i++)
		ret_geo->keys[i] = view->current.kid[i];
	ret_geo->policy = guid_text(arena, view->policy.guid);
	ret_geo->generation = guid_text(arena, view->current.guid);
	ret_geo->number = view->current.number;
}
