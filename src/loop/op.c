/*
 * Runs operations step by step. Invariant: an operation is in the hash table from op_start() until its
 * destroy; it is in the deadline list exactly while its deadline_ms is not 0; `running` while a step or
 * cancel of it is on the stack, so that an answer given from inside a step cannot re-enter it.
 */
#include "loop/op.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

#define BUCKETS                                                                                    \
	1024 /* a power of two; ids are consecutive, so chains stay short up to several thousand */

struct ops {
	struct loop *loop;
	struct timer *timer; /* for the earliest deadline */
	int64_t timer_ms;    /* when it fires; 0: not running */
	struct op *earliest;
	struct op *latest;
	uint64_t last_id;
	struct ops_stats stats;
	struct op *buckets[BUCKETS];
};

static void step_on(struct op *op);
static void cancel(struct op *op, enum op_cancel why);

static struct op **
slot_of(struct ops *ops, uint64_t id)
{
	struct op **slot = &ops->buckets[id & (BUCKETS - 1)];
	while (*slot != NULL && (*slot)->id != id)
		slot = &(*slot)->hash_next;
	return slot;
}

static void
deadline_arm(struct ops *ops)
{
	if (ops->earliest == NULL ||
		(ops->timer_ms != 0 && ops->timer_ms <= ops->earliest->deadline_ms))
		return;
	ops->timer_ms = ops->earliest->deadline_ms;
	timer_start(ops->timer, ops->timer_ms - loop_now_ms(ops->loop));
}

static void
deadline_unlink(struct op *op)
{
	struct ops *ops = op->ops;
	if (op->deadline_ms == 0)
		return;
	*(op->earlier != NULL ? &op->earlier->later : &ops->earliest) = op->later;
	*(op->later != NULL ? &op->later->earlier : &ops->latest) = op->earlier;
	op->earlier = NULL;
	op->later = NULL;
	op->deadline_ms = 0;
}

/* From the back: most operations have the same time to live, so the place is found at once. */
static void
deadline_link(struct op *op, int64_t deadline_ms)
{
	struct ops *ops = op->ops;
	struct op *before = ops->latest;
	while (before != NULL && before->deadline_ms > deadline_ms)
		before = before->earlier;
	op->deadline_ms = deadline_ms;
	op->earlier = before;
	op->later = before != NULL ? before->later : ops->earliest;
	*(before != NULL ? &before->later : &ops->earliest) = op;
	*(op->later != NULL ? &op->later->earlier : &ops->latest) = op;
	deadline_arm(ops);
}

static void
on_deadline(void *ctx)
{
	struct ops *ops = ctx;
	int64_t now_ms = loop_now_ms(ops->loop);

	ops->timer_ms = 0;
	while (ops->earliest != NULL && ops->earliest->deadline_ms <= now_ms) {
		struct op *op = ops->earliest;
		deadline_unlink(op);
		ops->stats.expired++;
		cancel(op, OP_CANCEL_DEADLINE);
	}
	deadline_arm(ops);
}

struct ops *
ops_new(struct loop *loop)
{
	struct ops *ops = calloc(1, sizeof(*ops));
	if (ops == NULL)
		abort();
	ops->loop = loop;
	ops->timer = timer_new(loop, "op.deadline", on_deadline, ops);
	return ops;
}

void
ops_free(struct ops *ops)
{
	if (ops == NULL)
		return;
	assert(ops->stats.in_flight == 0);
	timer_free(ops->timer);
	free(ops);
}

void
ops_cancel_all(struct ops *ops)
{
	uint64_t last = ops->last_id; /* those started meanwhile are not meant */
	for (size_t i = 0; i < BUCKETS; i++) {
		uint64_t below = last + 1;
		/* By id, newest first: a cancel may end other operations of the chain, too. */
		for (;;) {
			struct op *found = NULL;
			for (struct op *op = ops->buckets[i]; op != NULL; op = op->hash_next) {
				if (op->id < below && (found == NULL || op->id > found->id))
					found = op;
			}
			if (found == NULL)
				break;
			below = found->id;
			if (found->waiting)
				cancel(found, OP_CANCEL_SHUTDOWN);
		}
	}
}

struct ops_stats
ops_stats(const struct ops *ops)
{
	return ops->stats;
}

static void
end(struct op *op)
{
	struct ops *ops = op->ops;
	assert(op->type->background || op->answered); /* an operation answers exactly once */
	log_debug("op.end", LOG_TEXT("op", op->type->name), LOG_INT("id", op->id));
	deadline_unlink(op);
	struct op **slot = slot_of(ops, op->id);
	assert(*slot == op);
	*slot = op->hash_next;
	ops->stats.in_flight--;
	op->type->destroy(op);
}

/* Acts on what a step or cancel returned; true: another step is to run now. */
static bool
settle(struct op *op, enum op_result result)
{
	switch (result) {
	case OP_NEXT:
		op->resumed = false; /* what the resume wanted happens now */
		return true;
	case OP_WAIT:
		if (op->resumed) {
			op->resumed = false;
			return true;
		}
		op->waiting = true;
		return false;
	case OP_DONE:
		end(op);
		return false;
	}
	assert(!"a step returned no op_result");
	return false;
}

static void
step_on(struct op *op)
{
	enum op_result result;
	do {
		assert(op->next_step <
			op->type->step_count); /* the last step must be done or wait for one named */
		const struct op_step *step = &op->type->steps[op->next_step++];
		log_debug("op.step", LOG_TEXT("op", op->type->name), LOG_INT("id", op->id),
			LOG_TEXT("step", step->name));
		op->waiting = false;
		op->running = true;
		result = step->fn(op);
		op->running = false;
	} while (settle(op, result));
}

static void
cancel(struct op *op, enum op_cancel why)
{
	log_debug("op.cancel", LOG_TEXT("op", op->type->name), LOG_INT("id", op->id),
		LOG_INT("why", why));
	deadline_unlink(op);
	op->waiting = false;
	op->running = true;
	enum op_result result = op->type->cancel(op, why);
	op->running = false;
	if (settle(op, result))
		step_on(op);
}

void
op_start(struct ops *ops, const struct op_type *type, struct op *take_op, int64_t deadline_ms)
{
	struct op *op = take_op;
	assert(type->step_count > 0 && op->type == NULL);
	op->type = type;
	op->ops = ops;
	op->id = ++ops->last_id;
	struct op **slot = &ops->buckets[op->id & (BUCKETS - 1)];
	op->hash_next = *slot;
	*slot = op;
	ops->stats.started++;
	ops->stats.in_flight++;
	if (deadline_ms > 0)
		deadline_link(op, loop_now_ms(ops->loop) + deadline_ms);
	step_on(op);
}

struct op *
op_find(struct ops *ops, uint64_t id)
{
	struct op *op = *slot_of(ops, id);
	if (op == NULL)
		ops->stats.late++;
	return op;
}

bool
op_resume(struct ops *ops, uint64_t id)
{
	struct op *op = op_find(ops, id);
	if (op == NULL)
		return false;
	if (op->running)
		op->resumed = true;
	else
		step_on(op);
	return true;
}

bool
op_cancel(struct ops *ops, uint64_t id, enum op_cancel why)
{
	struct op *op = *slot_of(ops, id);
	if (op == NULL || !op->waiting)
		return false;
	cancel(op, why);
	return true;
}

void
op_next_is(struct op *op, op_step_fn *fn)
{
	for (size_t i = 0; i < op->type->step_count; i++) {
		if (op->type->steps[i].fn == fn) {
			op->next_step = i;
			return;
		}
	}
	assert(!"not a step of this operation");
}

void
op_set_deadline(struct op *op, int64_t deadline_ms)
{
	deadline_unlink(op);
	if (deadline_ms > 0)
		deadline_link(op, loop_now_ms(op->ops->loop) + deadline_ms);
}

int64_t
op_left_ms(const struct op *op)
{
	if (op->deadline_ms == 0)
		return INT64_MAX;
	int64_t left_ms = op->deadline_ms - loop_now_ms(op->ops->loop);
	return left_ms > 0 ? left_ms : 0;
}

void
op_answered(struct op *op)
{
	assert(!op->answered && !op->type->background);
	op->answered = true;
}
