/*
 * A table-top for the tests of the supervisor: a loop, tokens whose worker is the one that obeys (fake_worker.c),
 * a catalog in memory, a clock that jumps, and a record of every delivery.
 */
#pragma once

#include "custodyd/token.h"
#include "custodyd/tokens.h"
#include "loop/loop.h"

#define BENCH_DELIVERIES_MAX 512
#define BENCH_TOKENS_MAX     2

struct bench_delivery {
	struct token_ticket ticket;
	enum wire_type type;
	enum err_code code; /* ERR_NONE: good */
	char data[64];      /* of a decrypt answer */
};

struct bench_token {
	char dir[128];
	struct token_record record;
	unsigned refused, accepted; /* calls */
	unsigned ready;             /* calls */
};

struct bench {
	struct loop *loop;
	struct tokens *tokens;
	struct token *west, *east;
	struct bench_token token[BENCH_TOKENS_MAX];
	struct bench_delivery deliveries[BENCH_DELIVERIES_MAX];
	size_t delivered;
	char dir[64];
	char socket[96];
	bool may_login;
	bool load_fails;
	bool stopped;
	/* What the options say; set before bench_start(). */
	const char *pin_source; /* of west */
	const char *env;
	const char *worker;
	const char *module; /* of both */
	const char *
		uris[BENCH_TOKENS_MAX]; /* NULL: the token's directory, for the worker that obeys */
	int64_t recycle_memory;
	int64_t recycle_operations;
	int64_t idle_ping; /* 10 s unless set */
	void (*on_answer)(
		struct bench *bench, const struct token_answer *answer); /* before it is recorded */
	void (*on_delivery)(struct bench *bench, const struct bench_delivery *delivery);
};

struct options;
struct options_token;

/* cmocka fixtures. The bench is *state; no token runs yet. Teardown checks that no delivery came twice. */
int bench_setup(void **state);
int bench_teardown(void **state);
/* Stops and frees the tokens; teardown does it otherwise. */
void bench_end(struct bench *bench);

/* The options of the bench as they are now, with room for BENCH_TOKENS_MAX sections; for a reload. */
void bench_options(struct bench *bench, struct options_token *tokens, struct options *ret_options);
/* Both tokens, with identities made beforehand unless `enrolled` is false. */
void bench_start(struct bench *bench, bool enrolled);
/* bench_start() and both ready. */
void bench_ready(struct bench *bench);
void bench_control(struct bench *bench, unsigned token, const char *text);
/* Lines of a token's journal that equal `line`. */
unsigned bench_count(struct bench *bench, unsigned token, const char *line);
/* A line of the journal starts with this. */
bool bench_journal_has(struct bench *bench, unsigned token, const char *start);

/* Moves the monotonic clock. */
void bench_advance(int64_t ms);

/* Turns the loop until `condition`, at most BENCH_PATIENCE_MS of real time; fails the test otherwise. */
#define BENCH_PATIENCE_MS 10000
#define bench_wait(bench, condition)                                                               \
	do {                                                                                       \
		int64_t until_ = bench_real_ms() + BENCH_PATIENCE_MS;                              \
		while (!(condition) && bench_real_ms() < until_)                                   \
			loop_turn((bench)->loop, 20);                                              \
		assert_true(condition);                                                            \
	} while (0)
int64_t bench_real_ms(void);
/* Turns the loop for a while: for what must not happen. */
void bench_settle(struct bench *bench, int64_t ms);

/* A decrypt with this order to west, of caller 1000, good for a minute. */
bool bench_ask(struct bench *bench, uint64_t op_id, const char *order, struct err *err);
bool bench_ask_as(struct bench *bench, struct token *token, uint32_t caller, uint64_t op_id,
	const char *order, int64_t timeout_ms, struct err *err);
bool bench_generate(struct bench *bench, uint64_t op_id, const char *order, struct err *err);
/* The delivery of an operation; NULL: none yet. */
const struct bench_delivery *bench_find(const struct bench *bench, uint64_t op_id);
/* Waits for it and checks its code. */
void bench_expect(struct bench *bench, uint64_t op_id, enum err_code code);
