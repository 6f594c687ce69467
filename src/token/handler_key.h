/* The messages that make and destroy keys. Signatures as in handler.c's table. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "token/handler.h"

bool handler_generate(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;
bool handler_import(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;
bool handler_destroy(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;

/* Signs one record with the identity key; *ret_signature and *ret_identity borrow from the reply. */
bool handler_sign_record(struct session *session, enum wire_record record, const void *value,
	struct handler_reply *reply, struct bytes *ret_signature, struct bytes *ret_identity,
	struct err *err) MUST_USE;
