#include "loop/op.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t now_us = 1000000;

static int64_t
test_clock(void)
{
	return now_us;
}

struct fixture {
	struct loop *loop;
	struct ops *ops;
	char trace[64]; /* a letter for each thing that happened */
	int destroyed;
};

/* The operation under test: what its steps do is told by a script. */
struct walk {
	struct op op;
	struct fixture *fixture;
	const char *
		script; /* n: next, w: wait, d: answer and done, r: resume itself, then wait, b: back to the first, x: done silently */
	enum op_result on_cancel;
	enum op_cancel cancelled;
};

static void
trace(struct walk *walk, char c)
{
	size_t len = strlen(walk->fixture->trace);
	walk->fixture->trace[len] = c;
	walk->fixture->trace[len + 1] = '\0';
}

static enum op_result first(struct op *op);

static enum op_result
obey(struct op *op, char name)
{
	struct walk *walk = (struct walk *)op;
	trace(walk, name);
	switch (*walk->script++) {
	case 'n':
		return OP_NEXT;
	case 'w':
		return OP_WAIT;
	case 'r':
		assert_true(op_resume(op->ops, op->id));
		return OP_WAIT;
	case 'R':
		assert_true(op_resume(op->ops, op->id));
		return OP_NEXT;
	case 'b':
		op_next_is(op, first);
		return OP_WAIT;
	case 'd':
		op_answered(op);
		return OP_DONE;
	case 'D':
		op_answered(op);
		op_answered(op);
		return OP_DONE;
	default:
		return OP_DONE;
	}
}

static enum op_result
first(struct op *op)
{
	return obey(op, '1');
}

static enum op_result
second(struct op *op)
{
	return obey(op, '2');
}

static enum op_result
third(struct op *op)
{
	return obey(op, '3');
}

static enum op_result
on_cancel(struct op *op, enum op_cancel why)
{
	struct walk *walk = (struct walk *)op;
	walk->cancelled = why;
	trace(walk, 'c');
	if (walk->on_cancel == OP_DONE && !op->type->background)
		op_answered(op);
	return walk->on_cancel;
}

static void
destroy(struct op *op)
{
	struct walk *walk = (struct walk *)op;
	walk->fixture->destroyed++;
	free(walk);
}

static const struct op_step steps[] = {
	{"first",  first },
	{"second", second},
	{"third",  third },
};
static const struct op_type walk_type = {
	.name = "walk", .steps = steps, .step_count = 3, .cancel = on_cancel, .destroy = destroy};
static const struct op_type background_type = {.name = "background",
	.steps = steps,
	.step_count = 3,
	.cancel = on_cancel,
	.destroy = destroy,
	.background = true};

static int
setup(void **state)
{
	static struct fixture fixture;
	struct err err;
	memset(&fixture, 0, sizeof(fixture));
	fixture.loop = loop_new(&err);
	assert_non_null(fixture.loop);
	fixture.ops = ops_new(fixture.loop);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	clock_override(NULL, NULL);
	ops_free(fixture->ops);
	loop_free(fixture->loop);
	return 0;
}

static uint64_t
start(struct fixture *fixture, const struct op_type *type, const char *script,
	enum op_result cancel, int64_t deadline_ms)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	assert_non_null(walk);
	walk->fixture = fixture;
	walk->script = script;
	walk->on_cancel = cancel;
	op_start(fixture->ops, type, &walk->op, deadline_ms);
	return ops_stats(fixture->ops).started; /* ids count from 1 */
}

static void
op_without_waiting_ends_in_its_start(void **state)
{
	struct fixture *f = *state;

	(void)start(f, &walk_type, "nnd", OP_DONE, 0);

	assert_string_equal(f->trace, "123");
	assert_int_equal(f->destroyed, 1);
	assert_int_equal(ops_stats(f->ops).in_flight, 0);
}

static void
op_that_waits_goes_on_with_its_next_step(void **state)
{
	struct fixture *f = *state;

	uint64_t id = start(f, &walk_type, "wnd", OP_DONE, 0);
	assert_string_equal(f->trace, "1");
	assert_int_equal(op_find(f->ops, id)->id, id);
	assert_true(op_resume(f->ops, id));

	assert_string_equal(f->trace, "123");
	assert_int_equal(f->destroyed, 1);
}

static void
op_goes_back_to_a_step_it_chose(void **state)
{
	struct fixture *f = *state;

	uint64_t id = start(f, &walk_type, "nbnnd", OP_DONE, 0);
	assert_string_equal(f->trace, "12");
	assert_true(op_resume(f->ops, id));

	assert_string_equal(f->trace, "12123");
}

static void
op_resumed_inside_its_step_goes_on_after_it(void **state)
{
	struct fixture *f = *state;

	(void)start(f, &walk_type, "rnd", OP_DONE, 0);

	assert_string_equal(f->trace, "123");
}

static void
op_resumed_before_next_does_not_skip_a_later_wait(void **state)
{
	struct fixture *f = *state;

	uint64_t id = start(f, &walk_type, "Rwd", OP_DONE, 0);
	assert_string_equal(f->trace, "12");
	assert_true(op_resume(f->ops, id));

	assert_string_equal(f->trace, "123");
}

static void
op_late_answer_is_counted_and_dropped(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, &walk_type, "d", OP_DONE, 0);

	assert_false(op_resume(f->ops, id));
	assert_null(op_find(f->ops, id));
	assert_false(op_resume(f->ops, 12345));

	assert_int_equal(ops_stats(f->ops).late, 3);
	assert_string_equal(f->trace, "1");
}

static void
op_many_are_found_by_id(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 3000; i++) {
		struct walk *walk = calloc(1, sizeof(*walk));
		assert_non_null(walk);
		walk->fixture = f;
		walk->script = "wx";
		op_start(f->ops, &background_type, &walk->op, 60000 - i);
		f->trace[0] = '\0';
	}
	assert_int_equal(ops_stats(f->ops).in_flight, 3000);

	for (uint64_t id = 3000; id > 0; id--) {
		assert_int_equal(op_find(f->ops, id)->id, id);
		assert_true(op_resume(f->ops, id));
		f->trace[0] = '\0';
	}

	assert_int_equal(ops_stats(f->ops).in_flight, 0);
	assert_int_equal(f->destroyed, 3000);
}

static void
op_past_its_deadline_is_cancelled(void **state)
{
	struct fixture *f = *state;
	uint64_t slow = start(f, &walk_type, "wd", OP_DONE, 60000);
	uint64_t quick = start(f, &walk_type, "wd", OP_DONE, 5);
	assert_true(op_left_ms(op_find(f->ops, quick)) <= 5);

	int64_t until_ms = clock_monotonic_ms() + 2000;
	while (f->destroyed == 0 && clock_monotonic_ms() < until_ms)
		loop_turn(f->loop, 5);

	assert_null(op_find(f->ops, quick));
	assert_non_null(op_find(f->ops, slow));
	assert_int_equal(ops_stats(f->ops).expired, 1);
	assert_string_equal(f->trace, "11c");
	assert_true(op_cancel(f->ops, slow, OP_CANCEL_CLIENT));
}

static void
op_cancelled_may_insist_on_finishing(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, &walk_type, "wd", OP_WAIT, 60000);

	assert_true(op_cancel(f->ops, id, OP_CANCEL_CLIENT));
	struct op *op = op_find(f->ops, id);
	assert_non_null(op);
	assert_int_equal(((struct walk *)op)->cancelled, OP_CANCEL_CLIENT);
	assert_true(op_left_ms(op) == INT64_MAX); /* its deadline is off */
	op_set_deadline(op, 50);
	assert_true(op_left_ms(op) <= 50);
	assert_true(op_resume(f->ops, id));

	assert_string_equal(f->trace, "1c2");
	assert_int_equal(f->destroyed, 1);
	assert_false(op_cancel(f->ops, id, OP_CANCEL_CLIENT));
}

static void
op_cancel_may_go_on_at_a_step(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, &walk_type, "wnd", OP_NEXT, 0);

	assert_true(op_cancel(f->ops, id, OP_CANCEL_DEADLINE));

	assert_string_equal(f->trace, "1c23");
}

static void
ops_cancel_all_ends_what_waits(void **state)
{
	struct fixture *f = *state;
	(void)start(f, &walk_type, "wd", OP_DONE, 0);
	(void)start(f, &walk_type, "wd", OP_DONE, 100);
	uint64_t stubborn = start(f, &background_type, "wx", OP_WAIT, 0);

	ops_cancel_all(f->ops);

	assert_int_equal(f->destroyed, 2);
	assert_int_equal(ops_stats(f->ops).in_flight, 1);
	assert_int_equal(((struct walk *)op_find(f->ops, stubborn))->cancelled, OP_CANCEL_SHUTDOWN);
	assert_true(op_resume(f->ops, stubborn));
}

/* Our bug must stop the process: run in a child, which is killed by its abort. */
static void
dies(struct fixture *f, const struct op_type *type, const char *script)
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO); /* assert() talks */
		(void)start(f, type, script, OP_DONE, 0);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
op_that_answers_twice_or_never_is_our_bug(void **state)
{
	struct fixture *f = *state;
	dies(f, &walk_type, "x");
	dies(f, &walk_type, "D");
	dies(f, &background_type, "d");
	dies(f, &walk_type, "nnn");
}

static void
op_deadline_follows_the_monotonic_clock_only(void **state)
{
	struct fixture *f = *state;
	clock_override(NULL, test_clock);
	uint64_t id = start(f, &walk_type, "wd", OP_DONE, 1000);
	assert_int_equal(op_left_ms(op_find(f->ops, id)), 1000);

	now_us += 400000;
	assert_int_equal(op_left_ms(op_find(f->ops, id)), 600);
	now_us += 4000000;
	assert_int_equal(op_left_ms(op_find(f->ops, id)), 0);

	assert_true(op_resume(f->ops, id));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(op_without_waiting_ends_in_its_start),
		TEST(op_that_waits_goes_on_with_its_next_step),
		TEST(op_goes_back_to_a_step_it_chose),
		TEST(op_resumed_inside_its_step_goes_on_after_it),
		TEST(op_resumed_before_next_does_not_skip_a_later_wait),
		TEST(op_late_answer_is_counted_and_dropped),
		TEST(op_many_are_found_by_id),
		TEST(op_past_its_deadline_is_cancelled),
		TEST(op_cancelled_may_insist_on_finishing),
		TEST(op_cancel_may_go_on_at_a_step),
		TEST(ops_cancel_all_ends_what_waits),
		TEST(op_that_answers_twice_or_never_is_our_bug),
		TEST(op_deadline_follows_the_monotonic_clock_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
