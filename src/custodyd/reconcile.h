/*
 * Finishing and undoing what was interrupted: every intent in the catalog that no running operation owns is settled
 * against its token as soon as that is ready. Also the daemon's own purges at the end of retention.
 *
 *   create  the client got no success: what is on the token under the version's id is destroyed, the intent dropped
 *   purge   goes on: each version is destroyed on the token, then rows become tombstones
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db_intent.h"

struct custodyd;
struct reconciler;

struct reconciler *reconciler_new(struct custodyd *daemon);
void reconciler_free(struct reconciler *reconciler);

/* A running operation owns an intent from its birth until it ended it, or gives it up for the reconciler to settle. */
void reconcile_own(struct reconciler *reconciler, int64_t intent);
void reconcile_disown(struct reconciler *reconciler, int64_t intent);

/*
 * Asks the token to destroy one version of an intent. A version that the catalog knows goes by its fingerprint, so that another
 * object under its id is never destroyed for it; what a create left behind goes whatever it is. As task_ask().
 */
struct task;
bool reconcile_ask_destroy(struct task *task, const char *token, const struct db_intent *intent,
	size_t version, struct err *err) MUST_USE;

/* Settles the intents of a token, one after the other, in the background. Harmless when already at it. */
void reconcile_token(struct reconciler *reconciler, const char *token);
/* The same for all tokens that are ready: on a slow timer. */
void reconcile_all(struct reconciler *reconciler);

/* Begins the purge of every key whose retention is over. On the purge timer. */
void reconcile_purge_due(struct reconciler *reconciler);
