/* A session on a SoftHSM token "west", logged in within this process, and a thief who shares the login. */
#pragma once

#include "attack/thief.h"
#include "pkcs11/session.h"
#include "support/softhsm.h"

struct session_fixture {
	struct softhsm softhsm;
	struct module *module;
	struct session *session;
	struct thief *thief;
};

/* Fails the test with the error. */
void must(bool good, const struct err *err);

void session_fixture_open(struct session_fixture *fixture);
void session_fixture_close(struct session_fixture *fixture);

/* The same for cmocka: *state is a struct session_fixture. */
int session_fixture_setup(void **state);
int session_fixture_teardown(void **state);
