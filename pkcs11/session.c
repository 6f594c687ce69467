/* Invariant: `repair` and `data` belong to the call that failed last; session_run() clears them first. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "hsmkey_priv.h"
#include "session_priv.h"

bool
session_fail(struct session *session, const char *function, unsigned long rv, struct err *err)
{
	const struct ckr *row = ckr_find(rv);
	session->repair = row->repair;
	session->data = row->data;
	if (row->repair == CKR_REPAIR_REPLACE)
		session->lost = true;
	return ckr_set(err, function, rv);
}

bool
session_impossible(struct session *session, const char *function, struct err *err)
{
	session->repair = CKR_REPAIR_REPLACE;
	session->data = CKR_DATA_SAME;
	session->lost = true;
	(void)err_set(err, ERR_UNAVAILABLE, NULL);
	return err_origin(err, "%s: impossible answer", function);
}

static CK_RV
open_handle(struct module *module, unsigned long *ret_handle)
{
	CK_FLAGS flags = CKF_SERIAL_SESSION;
	if ((module->info.flags & MODULE_READ_ONLY) == 0)
		flags |= CKF_RW_SESSION;
	return module->ck->C_OpenSession(module->slot, flags, NULL, NULL, ret_handle);
}

struct session *
session_open(struct module *module, bool *ret_full, struct err *err)
{
	CK_SESSION_HANDLE handle;
	CK_RV rv = open_handle(module, &handle);
	if (ret_full != NULL)
		*ret_full = rv == CKR_SESSION_COUNT;
	if (rv != CKR_OK) {
		(void)ckr_set(err, "C_OpenSession", rv);
		return NULL;
	}
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL)
		abort();
	session->module = module;
	session->ck = module->ck;
	session->handle = handle;
	return session;
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	hsmkey_forget_all(session);
	(void)session->ck->C_CloseSession(
		session->handle); /* nobody is left who could do something about it */
	free(session);
}

static bool
is_user(CK_STATE state)
{
	return state == CKS_RW_USER_FUNCTIONS || state == CKS_RO_USER_FUNCTIONS;
}

bool
session_check_login(struct session *session, struct err *err)
{
	CK_SESSION_INFO info;
	CK_RV rv = session->ck->C_GetSessionInfo(session->handle, &info);
	if (rv == CKR_OK && !is_user(info.state))
		rv = CKR_USER_NOT_LOGGED_IN;
	return rv == CKR_OK || session_fail(session, "C_GetSessionInfo", rv, err);
}

/*
 * Opens before it closes: closing an application's last session logs it out. A token without a session to spare
 * must take that risk; the state then tells whether we are still logged in.
 */
bool
session_reopen(struct session *session, struct err *err)
{
	CK_SESSION_HANDLE handle;
	CK_RV rv = open_handle(session->module, &handle);
	(void)session->ck->C_CloseSession(session->handle); /* it is broken; any answer will do */
	if (rv == CKR_SESSION_COUNT)
		rv = open_handle(session->module, &handle);
	if (rv != CKR_OK) {
		session->lost = true; /* a thread without a session cannot serve */
		return session_fail(session, "C_OpenSession", rv, err);
	}
	session->handle = handle;
	return session_check_login(session, err);
}

bool
session_run(struct session *session, session_op *op, void *args, struct err *err)
{
	session->repair = CKR_REPAIR_NONE;
	session->data = CKR_DATA_SAME;
	if (op(session, args, err))
		return true;
	switch (session->repair) {
	case CKR_REPAIR_NONE:
	case CKR_REPAIR_REPLACE:
		return false;
	case CKR_REPAIR_HANDLE:
		hsmkey_forget_all(session);
		break;
	case CKR_REPAIR_SESSION:
		hsmkey_forget_all(session);
		if (!session_reopen(session, err))
			return false;
		break;
	}
	session->repair = CKR_REPAIR_NONE;
	session->data = CKR_DATA_SAME;
	return op(session, args, err);
}

static bool
pin_may_be_tried(struct module *module, struct err *err)
{
	if (!module_refresh_info(module, err))
		return false;
	uint32_t flags = module->info.flags;
	if ((flags & MODULE_PIN_LOCKED) != 0)
		return err_set(err, ERR_PIN_LOCKED,
			"The token's PIN is locked; the security officer must reset it.");
	if ((flags & MODULE_PIN_FINAL_TRY) != 0)
		return err_set(err, ERR_PIN_LOCKED,
			"One more wrong PIN would lock the token, so none is tried; the security "
			"officer must reset it.");
	if ((flags & MODULE_PIN_MISSING) != 0)
		return err_set(err, ERR_PIN_REFUSED,
			"The token has no user PIN; the security officer must set one.");
	return true;
}

bool
session_login(struct session *session, const struct secret *pin, struct err *err)
{
	if (!pin_may_be_tried(session->module, err))
		return false;
	unsigned char *text = NULL;
	CK_ULONG len = 0;
	if (pin != NULL) {
		text = (unsigned char *)(uintptr_t)secret_peek(
			pin); /* C_Login does not write; its type has no const */
		len = secret_len(pin);
	}
	CK_RV rv = session->ck->C_Login(session->handle, CKU_USER, text, len);
	/* This process is fresh and never logged in before; somebody in front of the module may have (threat B9). */
	if (rv == CKR_USER_ALREADY_LOGGED_IN)
		return session_check_login(session, err);
	if (rv != CKR_OK)
		return session_fail(session, "C_Login", rv, err);
	return true;
}

bool
session_lost(const struct session *session)
{
	return session->lost;
}

uint64_t
session_objects(const struct session *session)
{
	return session->objects;
}
