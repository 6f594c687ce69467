/* A catalog in a directory of its own, with a vault and what else the tests of src/db and custodyd want. */
#pragma once

#include "db/db_custody.h"
#include "db/db_intent.h"
#include "db/db_key.h"

struct db_fixture {
	char directory[64];
	char path[80];
	struct db *db;
	struct arena *arena;
	int64_t vault; /* "contoso" on token "west" */
	struct err err;
};

int db_fixture_setup(void **state);
int db_fixture_teardown(void **state);

/* Closes and opens again; asserts that it opens. */
void db_fixture_restart(struct db_fixture *fixture);
/* Opens; NULL with fixture->err set on failure. */
struct db *db_fixture_open(struct db_fixture *fixture);

int64_t db_fixture_vault(
	struct db_fixture *fixture, const char *name, const char *token, bool protect);
/* A version whose id is 16 times... `seed` spread over 16 octets; valid to be inserted. */
struct db_version db_fixture_version(uint32_t seed);
/* Creates a version by intent and commit; asserts success. */
struct db_key_item db_fixture_create(struct db_fixture *fixture, const char *name, uint32_t seed);
