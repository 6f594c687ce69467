/* From an exec'd process to a logged-in, proved and tried token. Blocking, by the first thread alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "pkcs11/lease.h"
#include "pkcs11/pin.h"
#include "token/agent.h"
#include "wire/wire.h"

/* What start was told and login needs later; texts and octets are copies. */
struct startup {
	struct agent *agent;
	uint64_t id; /* of the request that is being served: progress is told under it */
	unsigned sessions;
	bool one_thread;
	uint32_t accepted;
	uint8_t identity[640];
	size_t identity_len;
	uint8_t salt[64];
	size_t salt_len;
	bool digest_known; /* a PIN of this digest was refused */
	uint8_t digest[PIN_DIGEST_LEN];
	struct lease lease;
	char reduced[128]; /* for the answer, which borrows it */
};

void startup_init(struct startup *startup, struct agent *agent);

/*
 * Serves `start`. Fills the answer, which borrows from the agent's module and from `startup`. After an error the
 * process is of no more use; with ERR_PIN_REFUSED startup->digest is the PIN's, if digest_known.
 */
bool startup_start(struct startup *startup, const struct wire_start_request *request,
	struct wire_start_answer *ret_answer, struct err *err) MUST_USE;

/*
 * Serves `login`: reads the PIN from the connection, goes on with the start, and tells the person how it ended. Closes
 * the connection. After a refused PIN or a broken connection it may be called again.
 */
bool startup_login(struct startup *startup, int take_fd, struct wire_start_answer *ret_answer,
	struct err *err) MUST_USE;
