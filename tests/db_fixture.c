#include "db_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct db *
db_fixture_open(struct db_fixture *fixture)
{
	struct db_settings settings = {
		.kind = &custody_catalog, .path = fixture->path, .reserve_bytes = 65536};
	return db_open(&settings, &fixture->err);
}

void
db_fixture_restart(struct db_fixture *fixture)
{
	db_close(fixture->db);
	fixture->db = db_fixture_open(fixture);
	if (fixture->db == NULL)
		fail_msg("%s (%s)", fixture->err.message, fixture->err.origin);
}

int64_t
db_fixture_vault(struct db_fixture *fixture, const char *name, const char *token, bool protect)
{
	struct db_vault vault = {.retention_days = 7,
		.purge_protection = protect,
		.backup = DB_BACKUP_TRUSTED,
		.created = 1000,
		.updated = 1000,
		.tags = "{}"};
	(void)snprintf(vault.name, sizeof vault.name, "%s", name);
	(void)snprintf(vault.token, sizeof vault.token, "%s", token);
	int64_t id = 0;
	if (!db_vault_insert(fixture->db, &vault, &id, &fixture->err))
		fail_msg("%s (%s)", fixture->err.message, fixture->err.origin);
	return id;
}

struct db_version
db_fixture_version(uint32_t seed)
{
	static const uint8_t spki[] = "not really DER";
	struct db_version version = {
		.kty = "RSA",
		.bits = 3072,
		.ops_born = 0x3f,
		.ops = 0x3f,
		.enabled = true,
		.nbf = DB_NO_TIME,
		.exp = DB_NO_TIME,
		.created = 1000,
		.updated = 1000,
		.tags = "{}",
		.spki = {spki, sizeof spki},
		.provenance = DB_PROVENANCE_LOCAL | DB_PROVENANCE_OURS,
		.state = DB_VERSION_OK
        };
	uint64_t mixed = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	memcpy(version.id, &mixed, sizeof mixed);
	memcpy(version.id + 8, &seed, sizeof seed);
	memcpy(version.fingerprint, &mixed, sizeof mixed);
	return version;
}

struct db_key_item
db_fixture_create(struct db_fixture *fixture, const char *name, uint32_t seed)
{
	struct db_version version = db_fixture_version(seed);
	struct db_key_item item = {0};
	int64_t intent;
	if (!db_create_begin(fixture->db, fixture->vault, name, version.id, 1000, "", &intent,
		    &fixture->err) ||
		!db_create_commit(fixture->db, intent, &version, &item, &fixture->err))
		fail_msg("%s: %s (%s)", name, fixture->err.message, fixture->err.origin);
	return item;
}

int
db_fixture_setup(void **state)
{
	struct db_fixture *fixture = calloc(1, sizeof *fixture);
	assert_non_null(fixture);
	(void)snprintf(fixture->directory, sizeof fixture->directory, "%s", "/tmp/test-db.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/custody.db", fixture->directory);
	fixture->arena = arena_new();
	fixture->db = db_fixture_open(fixture);
	if (fixture->db == NULL)
		fail_msg("%s (%s)", fixture->err.message, fixture->err.origin);
	fixture->vault = db_fixture_vault(fixture, "Contoso", "west", false);
	*state = fixture;
	return 0;
}

int
db_fixture_teardown(void **state)
{
	struct db_fixture *fixture = *state;
	db_close(fixture->db);
	arena_free(fixture->arena);
	DIR *directory = opendir(fixture->directory);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)closedir(directory);
	int removed = rmdir(fixture->directory);
	free(fixture);
	return removed;
}
