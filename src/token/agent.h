/*
 * The worker of one token: what its threads share. It starts with one thread, which serves start and login; when the
 * token is logged in, one thread for each session reads requests from the one channel, and the kernel hands each
 * request to whichever is free. No queue of our own, and one lock: mutations of the token go one at a time
 * (threat B36).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "pkcs11/mech.h"
#include "pkcs11/module.h"
#include "pkcs11/session.h"
#include "wire/wire.h"

#define AGENT_SESSIONS_MAX 64

struct agent {
	int channel;
	struct module *module;
	struct session *sessions
		[AGENT_SESSIONS_MAX]; /* the first is opened by the start, the others after login */
	unsigned session_count;
	enum mech mechs[WIRE_ALG_COUNT];
	bool enrolled_expected; /* start named an identity */
	uint8_t instance[16];   /* of the catalog that we serve */
	_Atomic int lease;      /* enum lease_state as last seen; 0: not yet */
	pthread_mutex_t mutation;
	_Atomic uint64_t operations;
	_Atomic uint64_t session_objects;
};

/* Not thread-safe; call once. */
void agent_init(struct agent *agent, int channel);

/* Sends an answer or an error; a peer that is gone is noticed by the next receive. Thread-safe. */
void agent_send(struct agent *agent, const struct buf *datagram);

/*
 * Serves the channel until it ends: start, login, then requests by threads. Returns the exit status: 0 after stop or
 * the end of the channel, 1 if the token or its login were lost, 2 if it never got ready. Threads may still hang in
 * the module: end the process.
 */
int agent_run(struct agent *agent);
