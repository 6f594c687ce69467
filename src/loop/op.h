/*
 * The operation engine: an operation is a table of steps run in order, waiting in between for answers
 * that name it by id. Only the engine calls steps; it logs transitions at debug and watches deadlines.
 *
 *	struct wrap { struct op op; ... typed state ... };            op is the first member
 *	static const struct op_step wrap_steps[] = {{"ask", ask}, {"answered", answered}};
 *	static const struct op_type wrap_type = {.name = "wrap", .steps = wrap_steps, .step_count = 2, ...};
 *
 * A step returns OP_NEXT (run the next step now), OP_WAIT (run the next step after op_resume()) or
 * OP_DONE (ended: the engine calls destroy). op_next_is() chooses another next step, also backwards or
 * the same one again. An operation answers exactly once: op_answered() asserts "not twice", the end
 * asserts "not never".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "loop/loop.h"

struct op;
struct ops;

enum op_result {
	OP_NEXT = 1,
	OP_WAIT,
	OP_DONE,
};

/* Why an operation is asked to end early. */
enum op_cancel {
	OP_CANCEL_DEADLINE = 1,
	OP_CANCEL_SHUTDOWN,
	OP_CANCEL_CLIENT, /* whoever asked left */
};

typedef enum op_result op_step_fn(struct op *op);

struct op_step {
	const char *name;
	op_step_fn *fn;
};

struct op_type {
	const char *name;
	const struct op_step *steps;
	size_t step_count;
	/*
	 * Called while waiting, instead of a step. OP_DONE: ended (it answered). OP_WAIT: goes on, because
	 * what was begun must be finished; its deadline is then off until op_set_deadline(). OP_NEXT: a step
	 * (chosen by op_next_is()) runs now.
	 */
	enum op_result (*cancel)(struct op *op, enum op_cancel why);
	/* Frees the operation's own struct. */
	void (*destroy)(struct op *op);
	bool background; /* nobody waits for an answer: op_answered() must not be called */
};

/* To be embedded first, zeroed. Members are the engine's; read `id` and `type` only. */
struct op {
	const struct op_type *type;
	uint64_t id; /* never 0, never used twice in one process */
	struct ops *ops;
	size_t next_step;
	int64_t deadline_ms; /* loop time; 0: none */
	bool running;
	bool waiting;
	bool resumed;
	bool answered;
	struct op *hash_next;
	struct op *earlier; /* ordered by deadline */
	struct op *later;
};

struct ops_stats {
	uint64_t started;
	uint64_t late;    /* answers for operations that had ended */
	uint64_t expired; /* deadlines passed */
	size_t in_flight;
};

/* The table of live operations. */
struct ops *ops_new(struct loop *loop) MUST_USE;
/* Cancels (OP_CANCEL_SHUTDOWN) every waiting operation; those that answer OP_WAIT go on. */
void ops_cancel_all(struct ops *ops);
/* No operation may be left (asserted): ops_cancel_all(), turn the loop until in_flight is 0, free. */
void ops_free(struct ops *ops);
struct ops_stats ops_stats(const struct ops *ops);

/*
 * Registers `take_op` (a zeroed struct op inside the caller's) and runs its first steps at once. The operation
 * is the engine's from here on and may have ended when this returns. `deadline_ms` from now; 0: none.
 */
void op_start(struct ops *ops, const struct op_type *type, struct op *take_op, int64_t deadline_ms);

/* The waiting or running operation with this id, to put an answer into; NULL: ended, counted as late. */
struct op *op_find(struct ops *ops, uint64_t id);
/*
 * Goes on with an operation that waits. false: it had ended; counted and dropped. Called from inside one
 * of its own steps, or before the step that will wait has returned, it takes effect after that step.
 */
bool op_resume(struct ops *ops, uint64_t id);
/* Asks a waiting operation to end. false: no such operation. */
bool op_cancel(struct ops *ops, uint64_t id, enum op_cancel why);

/* Within a step: the step to run next, by its function (one of the type's steps, asserted). */
void op_next_is(struct op *op, op_step_fn *fn);
void op_set_deadline(struct op *op, int64_t deadline_ms); /* from now; 0: none */
int64_t op_left_ms(const struct op *op); /* until the deadline, >= 0; INT64_MAX for none */
/* To be called where the answer is given. Asserts that it is the first. */
void op_answered(struct op *op);
