/*
 * What opens DEP keys, on a catalog and an audit in a directory of its own, and two scripted custodyds: they give the answers that
 * real ones do not give on demand. The clock is the test's.
 */
#pragma once

#include "depd/dep_opening.h"
#include "depd/generation_record.h"
#include "support/fake_server.h"

#define DEP_FIXTURE_WEST   "https://west.vault.test/keys/k/0123456789abcdef0123456789abcdef"
#define DEP_FIXTURE_EAST   "https://east.vault.test/keys/k/fedcba9876543210fedcba9876543210"
#define DEP_FIXTURE_AK     "https://service.vault.test/keys/ak/00112233445566778899aabbccddeeff"
#define DEP_FIXTURE_TURNS  3000
#define DEP_FIXTURE_ANSWER 4096

/* What a key of the envelope does. */
enum dep_fixture_key {
	DEP_FIXTURE_WORKS,
	DEP_FIXTURE_DENIED,
	DEP_FIXTURE_UNAVAILABLE,
	DEP_FIXTURE_MISSING, /* integrity: its object is gone behind our back */
	DEP_FIXTURE_KEYS,
};

struct dep_fixture_script { /* read by the peers' threads while a request is under way */
	enum dep_fixture_key key[2];
	bool silent; /* closes the connection instead of answering */
	int status;  /* 0: by the keys; else this, and `body` */
	const char *body;
	bool other_key;    /* opens, but to another key */
	unsigned delay_ms; /* of dual answers */
};

struct dep_fixture {
	char directory[64], catalog[80], audit_path[80], owners_path[80], service_path[80];
	struct loop *loop;
	struct ops *ops;
	struct db *db;
	struct audit *audit;
	struct calendar *calendar;
	struct peer *owners, *service;
	struct client_config owners_config, service_config;
	struct async *owners_async, *service_async;
	struct custody_port *port;
	struct dep_opener *opener;
	struct dep_opener_config config;
	void *signer; /* EVP_PKEY */
	struct secret *dep_key;
	int64_t policy[5], generation[5]; /* by kind: M365, MAILBOX, SERVICE */

	struct dep_fixture_script script; /* of who holds the customer keys */
	bool availability_fails;          /* of the service */
	unsigned owners_asked, availability_used, service_dual_asked;
	char application[64]; /* as which the owners were asked last */

	/* what waiters were told, the last one first */
	unsigned told;
	struct dep_key *key; /* held */
	enum err_code code;
};

int dep_fixture_setup(void **state);
int dep_fixture_teardown(void **state);

/* Moves the monotonic clock, and lets the opener notice. */
void dep_fixture_pass(struct dep_fixture *f, int64_t ms);
/* Waits on and on until `told` is `count`; fails the test otherwise. */
void dep_fixture_wait(struct dep_fixture *f, unsigned count);
/* Until no opening is under way. */
void dep_fixture_settle(struct dep_fixture *f);
/* Begins an opening that counts itself in f->told and leaves its end in f->key and f->code. */
uint64_t dep_fixture_start(
	struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action);
/* The same, to its end. f->key is NULL on failure. */
void dep_fixture_open(struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action);
/* Lets go of f->key. */
void dep_fixture_drop(struct dep_fixture *f);
/* As after a restart of depd. */
void dep_fixture_restart(struct dep_fixture *f);
/* Lines of the audit that contain `text`. */
unsigned dep_fixture_audited(struct dep_fixture *f, const char *text);
/* ES256 of a digest by the fixture's key. */
void dep_fixture_sign(
	struct dep_fixture *f, const uint8_t digest[static 32], uint8_t signature[static 64]);
/* A generation of a DEP key, signed; strings are static or in `arena`. */
struct db_dep_generation dep_fixture_generation(
	struct dep_fixture *f, struct arena *arena, const struct keytree_generation *identity);
