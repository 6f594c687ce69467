/* The vaults in memory are those of the catalog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "custodyd/vaults.h"
#include "db_fixture.h"

static void
find_is_blind_to_case(void **state)
{
	struct db_fixture *fixture = *state;
	struct vaults *vaults = vaults_new(fixture->db, &fixture->err);
	assert_non_null(vaults);

	const struct db_vault *vault = vaults_find(vaults, "CONTOSO");

	assert_non_null(vault);
	assert_string_equal(vault->name, "Contoso"); /* as it was created */
	assert_ptr_equal(vaults_find_id(vaults, vault->id), vault);
	assert_null(vaults_find(vaults, "contos"));
	assert_null(vaults_find(vaults, ""));
	assert_null(vaults_find_id(vaults, vault->id + 1));
	vaults_free(vaults);
}

static void
reload_sees_more_than_a_page(void **state)
{
	struct db_fixture *fixture = *state;
	struct vaults *vaults = vaults_new(fixture->db, &fixture->err);
	assert_non_null(vaults);
	for (int i = 0; i < DB_PAGE_MAX + 5; i++) {
		char name[24];
		(void)snprintf(name, sizeof(name), "vault%04d", i);
		(void)db_fixture_vault(fixture, name, "west", false);
	}
	assert_int_equal(vaults_count(vaults), 1);

	assert_true(vaults_reload(vaults, &fixture->err));

	assert_int_equal(vaults_count(vaults), DB_PAGE_MAX + 6);
	assert_non_null(vaults_find(vaults, "vault0260"));
	for (size_t i = 1; i < vaults_count(vaults); i++)
		assert_true(
			strcmp(vaults_get(vaults, i - 1)->name, vaults_get(vaults, i)->name) < 0);
	vaults_free(vaults);
}

static void
reload_forgets_the_deleted(void **state)
{
	struct db_fixture *fixture = *state;
	struct vaults *vaults = vaults_new(fixture->db, &fixture->err);
	assert_non_null(vaults);
	assert_true(db_vault_delete(fixture->db, fixture->vault, &fixture->err));

	assert_true(vaults_reload(vaults, &fixture->err));

	assert_int_equal(vaults_count(vaults), 0);
	assert_null(vaults_find(vaults, "contoso"));
	vaults_free(vaults);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(find_is_blind_to_case),
		TEST(reload_sees_more_than_a_page),
		TEST(reload_forgets_the_deleted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
