/* The messages that concern whose the token is (threats D9, D12). Signatures as in handler.c's table. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "token/handler.h"

/* Takes the token for the instance that start named, then makes or adopts the identity. ERR_TOKEN_LEASED: it is another's. */
bool handler_enroll(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;
bool handler_count(struct agent *agent, struct session *session,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;

/* Looks whether a token that was ours still is. ERR_TOKEN_LEASED if not. */
bool handler_lease_check(struct agent *agent, struct session *session, struct err *err) MUST_USE;
/* As last seen. Any thread. */
bool handler_lease_is_other(struct agent *agent);
