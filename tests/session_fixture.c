#include "session_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkcs11/session_priv.h"

void
must(bool good, const struct err *err)
{
	if (!good)
		fail_msg("%s: %s (%s)", err->code == ERR_NONE ? "?" : err_name(err->code),
			err->message, err->origin);
}

void
session_fixture_open(struct session_fixture *fixture)
{
	struct err err = {0};
	softhsm_open(&fixture->softhsm);
	softhsm_add_token(&fixture->softhsm, "west");
	fixture->module = module_load(softhsm_module(), &err);
	must(fixture->module != NULL, &err);
	must(module_start(fixture->module, &err), &err);
	must(module_find_token(fixture->module, "pkcs11:token=west", &err), &err);
	fixture->session = session_open(fixture->module, NULL, &err);
	must(fixture->session != NULL, &err);
	CLEAN(secret)
	struct secret *pin = secret_from(SOFTHSM_PIN, strlen(SOFTHSM_PIN));
	must(session_login(fixture->session, pin, &err), &err);
	fixture->thief = thief_join(softhsm_module(), "west");
}

void
session_fixture_close(struct session_fixture *fixture)
{
	thief_leave(fixture->thief);
	session_free(fixture->session);
	module_stop(fixture->module);
	module_free(fixture->module);
	softhsm_close(&fixture->softhsm);
}

int
session_fixture_setup(void **state)
{
	struct session_fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	session_fixture_open(fixture);
	*state = fixture;
	return 0;
}

int
session_fixture_teardown(void **state)
{
	session_fixture_close(*state);
	free(*state);
	return 0;
}
