/*
 * Rows of a catalog that somebody edited (threats A11, D6): each column of any type and any value. A row is refused, or every
 * value of it is within what its struct promises.
 *
 * The input is a list of columns: 'i' and 8 octets, 'r' and 8 octets, 't' or 'b' with a length of 2 octets, 'n'.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "db/db_row.h"
#include "jose/alg.h"

#define COLUMNS_MAX 32
#define COLUMNS_SQL                                                                                \
	"SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,"   \
	"?23,?24,?25,?26,?27,?28,?29,?30,?31,?32"

static sqlite3_stmt *
statement_new(void)
{
	static sqlite3 *handle;
	static sqlite3_stmt *statement;
	if (handle == NULL) {
		assert(sqlite3_open(":memory:", &handle) == SQLITE_OK);
		assert(sqlite3_prepare_v2(handle, COLUMNS_SQL, -1, &statement, NULL) == SQLITE_OK);
	}
	assert(sqlite3_reset(statement) == SQLITE_OK);
	assert(sqlite3_clear_bindings(statement) == SQLITE_OK);
	return statement;
}

/* Octets of the next column bound, 0 at the end. */
static size_t
bind(sqlite3_stmt *statement, int column, const uint8_t *data, size_t size)
{
	int64_t number = 0;
	double real = 0;
	if (size == 0)
		return 0;
	if ((data[0] == 'i' || data[0] == 'r') && size >= 9) {
		memcpy(&number, data + 1, 8);
		memcpy(&real, data + 1, 8);
		assert((data[0] == 'i' ? sqlite3_bind_int64(statement, column, number)
				       : sqlite3_bind_double(statement, column, real)) ==
			SQLITE_OK);
		return 9;
	}
	if ((data[0] == 't' || data[0] == 'b') && size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];
		len = len < size - 3 ? len : size - 3;
		const union {
			const uint8_t *octets;
			const char *text;
		} value = {data + 3};
		assert((data[0] == 't' ? sqlite3_bind_text(statement, column, value.text, (int)len,
						 SQLITE_STATIC)
				       : sqlite3_bind_blob(statement, column, value.octets,
						 (int)len, SQLITE_STATIC)) == SQLITE_OK);
		return 3 + len;
	}
	return 1; /* NULL */
}

static struct db_row
row_of(const uint8_t *data, size_t size, struct arena *arena)
{
	sqlite3_stmt *statement = statement_new();
	for (int column = 1; column <= COLUMNS_MAX; column++) {
		size_t taken = bind(statement, column, data, size);
		data += taken;
		size -= taken;
	}
	assert(sqlite3_step(statement) == SQLITE_ROW);
	return (struct db_row){.statement = statement, .arena = arena};
}

static void
check_key(const uint8_t *data, size_t size, struct arena *arena)
{
	struct db_key key;
	struct db_row row = row_of(data, size, arena);
	db_row_key(&row, &key);
	if (row.bad)
		return;
	assert(key.id > 0 && key.vault > 0 && id_key_name_valid(key.name));
	assert(key.state >= DB_KEY_LIVE && key.state <= DB_KEY_PURGING);
	assert(key.deleted_at >= 0 && key.scheduled_purge >= 0 && key.versions >= 0);
}

static void
check_version(const uint8_t *data, size_t size, struct arena *arena)
{
	struct db_version version;
	struct db_row row = row_of(data, size, arena);
	db_row_version(&row, &version);
	if (row.bad)
		return;
	assert(version.key > 0 && version.sequence > 0 && version.bits >= 0);
	assert(strlen(version.kty) < sizeof(version.kty) &&
		strlen(version.curve) < sizeof(version.curve));
	assert((version.ops & ~version.ops_born) == 0);
	assert(version.nbf >= DB_NO_TIME && version.exp >= DB_NO_TIME);
	assert(strlen(version.tags) <= DB_TAGS_MAX && version.spki.len <= DB_SPKI_MAX);
	assert(version.state >= DB_VERSION_OK && version.state <= DB_VERSION_INTEGRITY);
	assert(version.gcm_count >= 0 && version.gcm_count <= INT64_C(1) << 32);
	(void)kty_find(version.kty);
	(void)curve_find(version.curve);
}

static void
check_vault(const uint8_t *data, size_t size, struct arena *arena)
{
	struct db_vault vault;
	struct db_row row = row_of(data, size, arena);
	db_row_vault(&row, &vault);
	if (row.bad)
		return;
	assert(vault.id > 0 && id_vault_name_valid(vault.name));
	assert(vault.retention_days >= DB_RETENTION_MIN &&
		vault.retention_days <= DB_RETENTION_MAX);
	assert(vault.backup >= DB_BACKUP_NEVER && vault.backup <= DB_BACKUP_TRUSTED);
	assert(strlen(vault.tags) <= DB_TAGS_MAX && vault.live_keys >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	check_key(data, size, arena);
	check_version(data, size, arena);
	check_vault(data, size, arena);
	return 0;
}
