#include "vaults.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct vaults {
	struct db *db;
	struct arena *arena; /* owns the rows and their strings */
	struct db_vault *rows;
	size_t count;
	size_t size;
};

struct vaults *
vaults_new(struct db *db, struct err *err)
{
	struct vaults *vaults = calloc(1, sizeof(*vaults));
	if (vaults == NULL)
		abort();
	vaults->db = db;
	vaults->arena = arena_new();
	if (!vaults_reload(vaults, err)) {
		vaults_free(vaults);
		return NULL;
	}
	return vaults;
}

void
vaults_free(struct vaults *vaults)
{
	if (vaults == NULL)
		return;
	arena_free(vaults->arena);
	free(vaults->rows);
	free(vaults);
}

static void
append(struct vaults *vaults, const struct db_vault *rows, size_t count)
{
	if (vaults->count + count > vaults->size) {
		vaults->size = (vaults->count + count) * 2;
		vaults->rows = reallocarray(vaults->rows, vaults->size, sizeof(*rows));
		if (vaults->rows == NULL)
			abort();
	}
	memcpy(vaults->rows + vaults->count, rows, count * sizeof(*rows));
	vaults->count += count;
}

static bool
load_all(struct vaults *vaults, struct err *err)
{
	const char *after = "";
	for (;;) {
		struct db_vault *rows;
		size_t count;
		if (!db_vault_list(
			    vaults->db, after, DB_PAGE_MAX, vaults->arena, &rows, &count, err))
			return false;
		if (count == 0)
			return true;
		append(vaults, rows, count);
		after = rows[count - 1].name;
	}
}

bool
vaults_reload(struct vaults *vaults, struct err *err)
{
	struct vaults fresh = {.db = vaults->db, .arena = arena_new()};
	if (!load_all(&fresh, err)) {
		arena_free(fresh.arena);
		free(fresh.rows);
		return false;
	}
	arena_free(vaults->arena);
	free(vaults->rows);
	*vaults = fresh;
	return true;
}

const struct db_vault *
vaults_find(const struct vaults *vaults, const char *name)
{
	for (size_t i = 0; i < vaults->count; i++) {
		if (strcasecmp(vaults->rows[i].name, name) == 0)
			return &vaults->rows[i];
	}
	return NULL;
}

const struct db_vault *
vaults_find_id(const struct vaults *vaults, int64_t id)
{
	for (size_t i = 0; i < vaults->count; i++) {
		if (vaults->rows[i].id == id)
			return &vaults->rows[i];
	}
	return NULL;
}

size_t
vaults_count(const struct vaults *vaults)
{
	return vaults->count;
}

const struct db_vault *
vaults_get(const struct vaults *vaults, size_t index)
{
	return &vaults->rows[index];
}
