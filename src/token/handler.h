/* One function for each message that a ready worker serves; which, is a table in handler.c. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pkcs11/attr.h"
#include "pkcs11/operate.h"
#include "token/agent.h"
#include "wire/wire.h"

/* Any record: request or answer. */
union handler_record {
#define RECORD(record) struct wire_##record record;
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "wire/msg.tbl"
};

/* An answer and what it borrows from; reused by its thread. */
struct handler_reply {
	union handler_record answer;
	struct operate_fresh fresh;
	struct buf lists[3];
	struct secret *secret;
	uint8_t octets[PUBKEY_SPKI_MAX];
	uint8_t signature[PUBKEY_SIGNATURE_MAX];
	char text[ATTR_SET_TEXT];
	char label[HSMKEY_LABEL_MAX + 1];
};

void handler_reply_init(struct handler_reply *reply);
/* Wipes; leaves it reusable. */
void handler_reply_clear(struct handler_reply *reply);

/*
 * Serves one decoded request. False: *err is the answer. Messages that only an enrolled token serves get
 * ERR_TOKEN_NOT_ENROLLED before; those that are not served now at all ERR_INTERNAL.
 */
bool handler_serve(struct agent *agent, struct session *session, enum wire_type type,
	const union handler_record *request, struct handler_reply *reply, struct err *err) MUST_USE;
