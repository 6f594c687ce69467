/* Internal to dep_opening.c (one opening, and who decides) and dep_opener.c (all of them, and the keys in memory). */
#pragma once

#include "base/arena.h"
#include "depd/dep_opening.h"
#include "depd/generation_record.h"

#define DEP_OPENING_DETAIL 768 /* octets of an audit record's detail */

struct dep_waiter {
	struct dep_waiter *next;
	uint64_t number;
	enum dep_action action;
	char request[ID_UUID_TEXT];   /* "": none */
	char scope_key[ID_UUID_TEXT]; /* "": none */
	dep_opening_fn *fn;
	void *ctx;
};

/* What the owners' word comes to (dep-semantics §5). */
enum dep_verdict {
	DEP_VERDICT_OPENED = 1,
	DEP_VERDICT_DENIED,   /* both */
	DEP_VERDICT_STRAINED, /* no key opens, and at least one of them was not denied */
	DEP_VERDICT_BLIND,    /* there was no word */
	DEP_VERDICT_PURGING,  /* it does not matter: the policy is being purged */
};

/* One opening. */
struct dep_opening {
	struct op op; /* first */
	struct dep_opening *prev, *next;
	struct dep_opener *opener;
	int64_t generation;
	bool proof;  /* begun because a key in memory is to be proved again */
	bool closed; /* answers are given: nobody joins any more */
	struct dep_waiter *first, *last;

	struct arena *arena;
	struct db_dep_generation row;
	struct db_dep_policy policy;
	struct db_dep_organization organization;
	struct keytree_generation identity;
	bool damaged; /* its envelope is not the one that was signed */

	uint64_t call; /* to custodyd; 0: none under way */
	int64_t asked_ms;
	bool promised; /* the audit has room for a record */
	enum dep_verdict verdict;
	int64_t left_ms;       /* what is opened by the availability key is kept no longer */
	struct err refusal;    /* of whoever does not go on while others do; ERR_NONE: of nobody */
	struct secret *secret; /* as it was answered */
	struct err err;        /* of the answer, and what waiters are told */
	bool unreachable;
	enum dep_reason reason[2];
	char code[2][48]; /* why, for audit and log */
};

struct dep_strain {
	struct dep_strain *next;
	int64_t generation;
	int64_t since_ms;
	size_t alarms; /* given so far */
};

struct dep_opener {
	struct dep_opener_config config;
	struct dep_cache *cache;
	struct blind *blind;
	struct timer *timer;
	struct dep_opening *first;
	size_t proving;
	struct dep_strain *strains;
	uint64_t last_number;
	struct dep_opener_stats counts; /* only those that are counted */
};

/* Begins an opening, which puts itself into opener->first. */
struct dep_opening *dep_opening_begin(struct dep_opener *opener, int64_t generation, bool proof);

/* How long an availability key may be used for users now: left_ms; refusal: not at all, for it is over or cannot be counted. */
void dep_fallback_limit(struct dep_opening *opening);
/* The owners gave their word: an outage is over. */
void dep_fallback_over(struct dep_opening *opening);

/* The owners' word on a generation: opened (no strain) or not. */
void dep_opener_strain(struct dep_opener *opener, const struct dep_opening *opening, bool strained);
/*
 * Puts an opened key into memory: by the availability key or by the customer keys, from the moment that they were asked. A denied
 * one is not kept: only its handle is given, for a moment. NULL: opening->err.
 */
struct dep_key *dep_opener_keep(struct dep_opener *opener, struct dep_opening *opening);
/* A proof ended without the owners' "yes" or "no": try again before the key's time is over. */
void dep_opener_prove_again(struct dep_opener *opener, const struct dep_opening *opening);
