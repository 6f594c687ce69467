/* Rows of scopes and slots. Invariant: how many there are of each stands in scope_count, by triggers, not by these functions. */
#include "db_dep_scope.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "db_dep_row.h"
#include "dep_stmt.h"

/* ---- slots ---- */

void
db_dep_slot_of_policy(const uint8_t guid[static DB_DEP_GUID], char name[static DB_DEP_SLOT_SIZE])
{
	char text[ID_UUID_TEXT];
	id_uuid_format(guid, text);
	(void)snprintf(name, DB_DEP_SLOT_SIZE, "mailbox/%s", text);
}

void
db_dep_slot_of_geo(const char *geo, char name[static DB_DEP_SLOT_SIZE])
{
	int len = snprintf(name, DB_DEP_SLOT_SIZE, "geo/%s", geo);
	assert(len < DB_DEP_SLOT_SIZE);
	for (int i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
}

bool
db_dep_slot_ensure(
	struct db *db, const char *const *names, size_t count, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *insert = db_stmt(db, STMT_SLOT_ENSURE);
		db_bind_text(insert, 1, names[i]);
		db_bind_int(insert, 2, now_s);
		if (!db_run(db, insert, err))
			return db_rollback(db);
	}
	return db_commit(db, err);
}

static bool
next_slot(struct db *db, sqlite3_stmt *statement, struct db_dep_slot *ret_slot, bool *ret_found,
	struct err *err)
{
	struct db_row row = {.statement = statement};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_dep_slot slot = {.id = db_row_int(&row, 1, INT64_MAX)};
	db_row_text(&row, slot.name, sizeof(slot.name));
	slot.policy = db_row_int(&row, 1, INT64_MAX);
	slot.current = db_row_int(&row, 1, INT64_MAX);
	slot.assigned = db_row_int(&row, 0, INT64_MAX);
	if (!db_row_check(&row, "slot", err))
		return false;
	*ret_slot = slot;
	return true;
}

bool
db_dep_slot_find(struct db *db, const char *name, struct db_dep_slot *ret_slot, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SLOT_FIND);
	bool found;
	db_bind_text(statement, 1, name);
	if (!next_slot(db, statement, ret_slot, &found, err))
		return false;
	return found || err_set(err, ERR_SCOPE_NOT_FOUND, NULL);
}

bool
db_dep_slot_list(struct db *db, struct arena *arena, struct db_dep_slot **ret_slots,
	size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SLOT_LIST);
	struct db_dep_slot *slots = NULL;
	size_t count = 0, capacity = 0;
	for (bool found = true;; count++) {
		slots = db_grow(arena, slots, count, &capacity, sizeof(*slots));
		if (!next_slot(db, statement, &slots[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_slots = slots;
	*ret_count = count;
	return true;
}

bool
db_dep_row_assign(struct db *db, const char *const *names, size_t count, int64_t policy,
	int64_t now_s, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *update = db_stmt(db, STMT_SLOT_ASSIGN);
		db_bind_text(update, 1, names[i]);
		db_bind_int(update, 2, policy);
		db_bind_int(update, 3, now_s);
		if (!db_run_one(db, update, err))
			return false;
	}
	return true;
}

bool
db_dep_slot_assign(struct db *db, const char *const *names, size_t count, int64_t policy,
	int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *end = db_stmt(db, STMT_LEAVING_END_ROLLBACKS);
	db_bind_int(end, 1, now_s);
	if (!db_run(db, end, err) || !db_dep_row_assign(db, names, count, policy, now_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_slot_counts(struct db *db, int64_t slot, struct arena *arena,
	struct db_dep_count **ret_counts, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SLOT_COUNTS);
	struct db_dep_count *counts = NULL;
	size_t count = 0, capacity = 0;
	db_bind_int(statement, 1, slot);
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement};
		counts = db_grow(arena, counts, count, &capacity, sizeof(*counts));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		counts[count].state =
			(enum db_dep_scope_state)db_row_int(&row, DB_DEP_REMEMBERED, DB_DEP_ERASED);
		counts[count].generation = db_row_int(&row, 0, INT64_MAX);
		counts[count].count = db_row_int(&row, 1, INT64_MAX);
		if (!db_row_check(&row, "scope_count", err))
			return false;
	}
	*ret_counts = counts;
	*ret_count = count;
	return true;
}

/* ---- reading scopes ---- */

static bool
next_scope(struct db *db, sqlite3_stmt *statement, struct db_dep_scope *ret_scope, bool *ret_found,
	struct err *err)
{
	struct db_row row = {.statement = statement};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_dep_scope scope = {.id = db_row_int(&row, 1, INT64_MAX)};
	scope.kind = (int)db_row_int(&row, 1, 4);
	db_row_text(&row, scope.name, sizeof(scope.name));
	scope.type = (int)db_row_int(&row, 0, INT32_MAX);
	scope.slot = db_row_int(&row, 1, INT64_MAX);
	scope.state = (enum db_dep_scope_state)db_row_int(&row, DB_DEP_REMEMBERED, DB_DEP_ERASED);
	scope.generation = db_row_int(&row, 0, INT64_MAX);
	bool has_key = db_row_optional(&row, scope.key_id, sizeof(scope.key_id));
	has_key = db_row_optional(&row, scope.wrapped, sizeof(scope.wrapped)) && has_key;
	scope.assigned = db_row_int(&row, 0, INT64_MAX);
	scope.changed = db_row_int(&row, 0, INT64_MAX);
	scope.policy = db_row_int(&row, 1, INT64_MAX);
	scope.current = db_row_int(&row, 1, INT64_MAX);
	row.bad = row.bad || has_key != (scope.generation != 0) ||
		  (scope.state == DB_DEP_CLEAR ? false
					       : has_key != (scope.state == DB_DEP_ENCRYPTED));
	if (!db_row_check(&row, "scope", err))
		return false;
	*ret_scope = scope;
	return true;
}

static bool
read_scopes(struct db *db, sqlite3_stmt *statement, size_t limit, struct arena *arena,
	struct db_dep_scope **ret_scopes, size_t *ret_count, struct err *err)
{
	struct db_dep_scope *scopes = arena_array(arena, limit, sizeof(*scopes));
	size_t count = 0;
	for (bool found = true; count < limit; count++) {
		if (!next_scope(db, statement, &scopes[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_scopes = scopes;
	*ret_count = count;
	return true;
}

bool
db_dep_scope_find(
	struct db *db, int kind, const char *name, struct db_dep_scope *ret_scope, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SCOPE_FIND);
	bool found;
	db_bind_int(statement, 1, kind);
	db_bind_text(statement, 2, name);
	if (!next_scope(db, statement, ret_scope, &found, err))
		return false;
	return found || err_set(err, ERR_SCOPE_NOT_FOUND,
				"There is no scope %s; it was not registered.", name);
}

bool
db_dep_scope_list(struct db *db, int kind, const char *after, size_t limit, struct arena *arena,
	struct db_dep_scope **ret_scopes, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SCOPE_LIST);
	db_bind_int(statement, 1, kind);
	db_bind_text(statement, 2, after);
	db_bind_int(statement, 3, (int64_t)limit);
	return read_scopes(db, statement, limit, arena, ret_scopes, ret_count, err);
}

bool
db_dep_scope_under(struct db *db, int64_t slot, int64_t generation, size_t limit,
	struct arena *arena, struct db_dep_scope **ret_scopes, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_SCOPE_UNDER);
	db_bind_int(statement, 1, slot);
	db_bind_int(statement, 2, generation);
	db_bind_int(statement, 3, (int64_t)limit);
	return read_scopes(db, statement, limit, arena, ret_scopes, ret_count, err);
}

/* ---- changing scopes; each of these within a transaction ---- */

static bool
insert_scope(struct db *db, const struct db_dep_scope *scope, bool *ret_added, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_SCOPE_INSERT);
	db_bind_int(insert, 1, scope->kind);
	db_bind_text(insert, 2, scope->name);
	db_bind_int(insert, 3, scope->type);
	db_bind_int(insert, 4, scope->slot);
	db_bind_int(insert, 5, scope->state);
	if (scope->state == DB_DEP_ENCRYPTED) {
		db_bind_int(insert, 6, scope->generation);
		db_bind_blob(insert, 7, scope->key_id, sizeof(scope->key_id));
		db_bind_blob(insert, 8, scope->wrapped, sizeof(scope->wrapped));
	}
	db_bind_int(insert, 9, scope->changed);
	if (!db_run(db, insert, err))
		return false;
	*ret_added = db_changes(db) == 1;
	return true;
}

static bool
encrypt_scope(struct db *db, int64_t id, const struct db_dep_scope *scope, bool with_type,
	int64_t now_s, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_ENCRYPT);
	db_bind_int(update, 1, id);
	if (with_type)
		db_bind_int(update, 2, scope->type);
	db_bind_int(update, 3, scope->generation);
	db_bind_blob(update, 4, scope->key_id, sizeof(scope->key_id));
	db_bind_blob(update, 5, scope->wrapped, sizeof(scope->wrapped));
	db_bind_int(update, 6, now_s);
	return db_run_one(db, update, err);
}

static bool
clear_scope(struct db *db, int64_t id, const struct db_dep_scope *scope, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_CLEAR);
	db_bind_int(update, 1, id);
	db_bind_int(update, 2, scope->type);
	db_bind_int(update, 3, scope->changed);
	return db_run_one(db, update, err);
}

/* One that was remembered is registered now; any other is left as it is. */
static bool
register_known(struct db *db, const struct db_dep_scope *scope, bool *ret_added, struct err *err)
{
	struct db_dep_scope known;
	if (!db_dep_scope_find(db, scope->kind, scope->name, &known, err))
		return false;
	*ret_added = known.state == DB_DEP_REMEMBERED;
	if (!*ret_added)
		return true;
	return scope->state == DB_DEP_ENCRYPTED
		       ? encrypt_scope(db, known.id, scope, true, scope->changed, err)
		       : clear_scope(db, known.id, scope, err);
}

bool
db_dep_scope_register(struct db *db, const struct db_dep_scope *scopes, size_t count,
	size_t *ret_added, struct err *err)
{
	size_t total = 0;
	if (!db_begin(db, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool added;
		assert(scopes[i].state != DB_DEP_REMEMBERED);
		if (!insert_scope(db, &scopes[i], &added, err) ||
			(!added && !register_known(db, &scopes[i], &added, err)))
			return db_rollback(db);
		total += added ? 1 : 0;
	}
	if (!db_commit(db, err))
		return false;
	*ret_added = total;
	return true;
}

static bool
assign_scope(
	struct db *db, int kind, const char *name, int64_t slot, int64_t now_s, struct err *err)
{
	struct db_dep_scope known;
	struct db_dep_scope remembered = {
		.kind = kind, .slot = slot, .state = DB_DEP_REMEMBERED, .changed = now_s};
	bool added;
	assert(strlen(name) < sizeof(remembered.name));
	memcpy(remembered.name, name, strlen(name) + 1);
	if (!insert_scope(db, &remembered, &added, err))
		return false;
	if (added)
		return true;
	if (!db_dep_scope_find(db, kind, name, &known, err))
		return false;
	if (known.slot == slot)
		return true;
	sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_ASSIGN);
	db_bind_int(update, 1, known.id);
	db_bind_int(update, 2, slot);
	db_bind_int(update, 3, now_s);
	return db_run_one(db, update, err);
}

bool
db_dep_scope_assign(struct db *db, int kind, const char *const *names, size_t count, int64_t slot,
	int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!assign_scope(db, kind, names[i], slot, now_s, err))
			return db_rollback(db);
	}
	return db_commit(db, err);
}

bool
db_dep_scope_begin_move(struct db *db, const struct db_dep_scope *scope, int64_t now_s,
	struct db_dep_scope *ret_scope, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_KEY);
	db_bind_int(update, 1, scope->id);
	db_bind_int(update, 2, scope->generation);
	db_bind_blob(update, 3, scope->key_id, sizeof(scope->key_id));
	db_bind_blob(update, 4, scope->wrapped, sizeof(scope->wrapped));
	db_bind_int(update, 5, now_s);
	if (!db_run(db, update, err))
		return db_rollback(db);
	return db_commit(db, err) &&
	       db_dep_scope_find(db, scope->kind, scope->name, ret_scope, err);
}

static bool
scope_moved(struct db *db, int64_t id, int64_t now_s, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_MOVED);
	db_bind_int(update, 1, id);
	db_bind_int(update, 2, now_s);
	return db_run_one(db, update, err);
}

bool
db_dep_scope_encrypt(
	struct db *db, const struct db_dep_scope *scope, int64_t now_s, struct err *err)
{
	struct db_dep_scope known;
	if (!db_dep_scope_find(db, scope->kind, scope->name, &known, err))
		return false;
	if (known.state == DB_DEP_ENCRYPTED)
		return err_set(err, ERR_CONFLICT, "The scope is encrypted already.");
	if (!db_begin(db, err))
		return false;
	bool done = known.generation != 0 ? scope_moved(db, known.id, now_s, err)
					  : encrypt_scope(db, known.id, scope, false, now_s, err);
	if (!done)
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_scope_rewrap(struct db *db, const struct db_dep_rewrap *items, size_t count, int64_t now_s,
	size_t *ret_moved, struct err *err)
{
	size_t moved = 0;
	if (!db_begin(db, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *update = db_stmt(db, STMT_SCOPE_REWRAP);
		db_bind_int(update, 1, items[i].scope);
		db_bind_int(update, 2, items[i].from);
		db_bind_int(update, 3, items[i].to);
		db_bind_blob(update, 4, items[i].wrapped, sizeof(items[i].wrapped));
		db_bind_int(update, 5, now_s);
		if (!db_run(db, update, err))
			return db_rollback(db);
		moved += db_changes(db) == 1 ? 1 : 0;
	}
	if (!db_commit(db, err))
		return false;
	*ret_moved = moved;
	return true;
}
