/*
 * Opening DEP keys: from memory, by the customer keys, or by the availability key, as dep-semantics §5 decides. One opening at a
 * time for each generation, however many wait for it. Keys in memory are proved again before their time is over.
 *
 * A row is trusted only after its record's signature verified with the pinned key, a DEP key only after its check value
 * compared (threats G27); nothing is handed out before the audit has its record (G22).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "db/db.h"
#include "depd/blind.h"
#include "depd/custody_port.h"
#include "depd/dep_cache.h"
#include "loop/loop.h"
#include "loop/op.h"
#include "service/audit.h"
#include "service/calendar.h"

struct dep_opener;

struct dep_opener_config { /* all borrowed while it lives */
	struct loop *loop;
	struct ops *ops;
	struct db *db;
	struct audit *audit;
	struct custody_port *custody;
	const struct calendar *calendar;
	int64_t cache_ttl_ms;      /* of opened keys; default DEP_OPENING_TTL_MS */
	int64_t geo_cache_ttl_ms;  /* of those of geos; default DEP_OPENING_GEO_TTL_MS */
	int64_t blind_fallback_ms; /* default BLIND_FALLBACK_MS */
};
#define DEP_OPENING_TTL_MS     (INT64_C(15) * 60 * 1000)
#define DEP_OPENING_GEO_TTL_MS (INT64_C(24) * 3600 * 1000)

/* ERR_STORAGE…: the blind time cannot be read. */
struct dep_opener *dep_opener_new(const struct dep_opener_config *config, struct err *err) MUST_USE;
/* Wipes all keys; who waits is not called. Before port, audit, db and loop; its operations have ended (ops_cancel_all()). */
void dep_opener_free(struct dep_opener *opener);

/* Who wants it and why: by the caller's role, never by what he says (threats G18). */
enum dep_action {
	DEP_USER = 1,
	DEP_SYSTEM,
	DEP_RECOVERY, /* as a user, on a person's word that the keys are lost: also of a geo by the availability key */
};

struct dep_opening_for {
	enum dep_action action;
	const char *request;      /* id of the request; NULL: background work */
	const uint8_t *scope_key; /* id of the scope's key, KEYTREE_GUID_LEN octets; NULL: none */
};

/*
 * `key` NULL: not for you, for `err`: ERR_ACCESS_DENIED (both keys denied), ERR_POLICY_PURGING, ERR_UNAVAILABLE (and the availability key could
 * not be used either, or the time to go on without the owners' word is over), ERR_CATALOG_INTEGRITY (a row that was not signed, or a
 * key that is not its), ERR_STORAGE… Borrowed: dep_key_ref() what is kept. It may start and cancel others.
 */
typedef void dep_opening_fn(void *ctx, struct dep_key *key, const struct err *err);

/* From memory, without asking anybody: borrowed until the loop turns, or NULL. */
struct dep_key *dep_opener_peek(struct dep_opener *opener, int64_t generation);
/* Answered once, from the loop, never from within the call; also when it is in memory. Returns a number to cancel by, never 0. */
uint64_t dep_opener_start(struct dep_opener *opener, int64_t generation,
	const struct dep_opening_for *why, dep_opening_fn *fn, void *ctx) MUST_USE;
/* Its callback does not come any more. 0 and numbers that ended are ignored. */
void dep_opener_cancel(struct dep_opener *opener, uint64_t number);

/* A DEP key that was just made and tried is in memory from its birth. `kind` of its policy. */
void dep_opener_add(struct dep_opener *opener, int64_t generation, enum db_dep_policy_kind kind,
	const struct keytree_generation *identity, struct secret *take_key);
/* By its own timer: what is over is wiped, what is due is proved, silence is paid for. */
void dep_opener_tick(struct dep_opener *opener);
/* Wipes every key; handles give nothing any more. Returns how many there were. */
size_t dep_opener_flush(struct dep_opener *opener);

/*
 * A purge of the generation's policy was requested, and the catalog says so: wiped from memory, and what is being opened is not given
 * away (threats G13, G24).
 */
void dep_opener_forget(struct dep_opener *opener, int64_t generation);

/* For status, health and metrics; counters since the start. */
struct dep_opener_stats {
	size_t cached, opening;
	uint64_t opened;    /* by customer keys */
	uint64_t fallbacks; /* by the availability key, blind ones too */
	uint64_t denied;    /* openings that ended in AccessDenied for a user action */
	uint64_t failed;    /* neither */
	uint64_t proofs, proofs_failed;
	size_t strained;     /* generations whose owners did not say "yes" when last asked */
	int64_t strained_ms; /* how long the longest of them; 0: none */
	struct blind_state blind;
};
struct dep_opener_stats dep_opener_stats(const struct dep_opener *opener);
/* More time to go on without the owners' word, given by a person: durable when true is returned. */
bool dep_opener_extend_blind(struct dep_opener *opener, int64_t more_ms, struct err *err) MUST_USE;

DEFINE_CLEAN(dep_opener, struct dep_opener)
