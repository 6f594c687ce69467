#include "loop/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

struct seen {
	struct loop *loop;
	struct timer *timer;
	struct watch *watch;
	int count;
	unsigned events;
	char order[16];
};

static int
setup(void **state)
{
	static struct seen seen;
	struct err err;
	memset(&seen, 0, sizeof(seen));
	seen.loop = loop_new(&err);
	assert_non_null(seen.loop);
	*state = &seen;
	return 0;
}

static int
teardown(void **state)
{
	struct seen *seen = *state;
	loop_free(seen->loop);
	return 0;
}

static void
count(void *ctx)
{
	((struct seen *)ctx)->count++;
}

/* Until it happened `count` times; a machine under load may take long. */
static void
turns_until(struct seen *seen, int count_wanted)
{
	int64_t until_ms = clock_monotonic_ms() + 5000;
	while (seen->count < count_wanted && clock_monotonic_ms() < until_ms)
		loop_turn(seen->loop, 10);
}

static void
turns(struct seen *seen, int64_t ms)
{
	int64_t until_ms = clock_monotonic_ms() + ms;
	while (clock_monotonic_ms() < until_ms)
		loop_turn(seen->loop, 1);
}

static void
defer_again(void *ctx)
{
	struct seen *seen = ctx;
	seen->count++;
	loop_defer(seen->loop, "test", defer_again, seen);
}

static void
defer_runs_on_the_next_turn_not_at_once(void **state)
{
	struct seen *seen = *state;

	loop_defer(seen->loop, "test", count, seen);
	loop_defer(seen->loop, "test", count, seen);
	assert_int_equal(seen->count, 0);

	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 2);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 2);
}

static void
defer_that_defers_itself_runs_once_a_turn(void **state)
{
	struct seen *seen = *state;
	loop_defer(seen->loop, "test", defer_again, seen);

	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 1);
	loop_turn(seen->loop, 5);
	assert_int_equal(seen->count, 2);
}

static void
cancel_second(void *ctx)
{
	struct seen *seen = ctx;
	loop_defer_cancel(seen->loop, &seen->count);
}

static void
bump(void *ctx)
{
	(*(int *)ctx)++;
}

static void
defer_cancelled_never_runs(void **state)
{
	struct seen *seen = *state;

	loop_defer(seen->loop, "test", bump, &seen->count);
	loop_defer_cancel(seen->loop, &seen->count);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 0);

	/* also from a call of the same turn */
	loop_defer(seen->loop, "test", cancel_second, seen);
	loop_defer(seen->loop, "test", bump, &seen->count);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 0);
}

static void
timer_fires_once_and_not_before_its_time(void **state)
{
	struct seen *seen = *state;
	struct timer *timer = timer_new(seen->loop, "test", count, seen);

	timer_start(timer, 60000);
	assert_true(timer_running(timer));
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 0);
	int64_t start_ms = clock_monotonic_ms();
	timer_start(timer, 10); /* restarts it */
	turns_until(seen, 1);
	assert_true(clock_monotonic_ms() - start_ms >= 9);
	turns(seen, 15);

	assert_int_equal(seen->count, 1);
	assert_false(timer_running(timer));
	timer_free(timer);
}

static void
timer_periodic_fires_until_stopped(void **state)
{
	struct seen *seen = *state;
	struct timer *timer = timer_new(seen->loop, "test", count, seen);

	timer_start_periodic(timer, 2);
	turns_until(seen, 3);
	assert_int_equal(seen->count, 3);
	timer_stop(timer);
	seen->count = 0;
	turns(seen, 6);

	assert_int_equal(seen->count, 0);
	timer_free(timer);
}

static void
free_timer(void *ctx)
{
	struct seen *seen = ctx;
	seen->count++;
	timer_free(seen->timer);
}

static void
timer_freed_in_its_callback_is_gone(void **state)
{
	struct seen *seen = *state;
	seen->timer = timer_new(seen->loop, "test", free_timer, seen);
	timer_start_periodic(seen->timer, 1);

	turns(seen, 10);

	assert_int_equal(seen->count, 1);
}

static void
free_watch(unsigned events, void *ctx)
{
	struct seen *seen = ctx;
	seen->count++;
	seen->events = events;
	watch_free(seen->watch);
	seen->watch = NULL;
}

static void
note(unsigned events, void *ctx)
{
	struct seen *seen = ctx;
	seen->count++;
	seen->events = events;
}

static void
watch_tells_what_is_ready_until_paused(void **state)
{
	struct seen *seen = *state;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	struct watch *watch = watch_new(seen->loop, "test", pipes[0], WATCH_READ, note, seen);

	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	loop_turn(seen->loop, 0);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 2); /* level-triggered */
	assert_int_equal(seen->events, WATCH_READ);
	watch_set(watch, WATCH_NONE);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 2);
	watch_set(watch, WATCH_READ);
	loop_turn(seen->loop, 0);
	assert_int_equal(seen->count, 3);

	watch_free(watch);
	close(pipes[0]);
	close(pipes[1]);
}

static void
watch_freed_in_its_callback_is_gone(void **state)
{
	struct seen *seen = *state;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	seen->watch = watch_new(seen->loop, "test", pipes[1], WATCH_WRITE, free_watch, seen);

	loop_turn(seen->loop, 0);
	loop_turn(seen->loop, 0);

	assert_int_equal(seen->count, 1);
	assert_int_equal(seen->events, WATCH_WRITE);
	close(pipes[0]);
	close(pipes[1]);
}

static void
stop(void *ctx)
{
	struct seen *seen = ctx;
	seen->count++;
	loop_stop(seen->loop);
}

static void
signal_reaches_the_loop_and_stops_it(void **state)
{
	struct seen *seen = *state;
	struct err err;
	struct signal_watch *watch = signal_watch_new(seen->loop, SIGUSR1, stop, seen);

	raise(SIGUSR1);
	assert_int_equal(seen->count, 0);
	assert_true(loop_run(seen->loop, &err));

	assert_int_equal(seen->count, 1);
	signal_watch_free(watch);
}

static void
broken_pipe_is_an_error_not_a_signal(void **state)
{
	(void)state;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);

	assert_int_equal(write(pipes[1], "x", 1), -1);

	close(pipes[1]);
}

static void
dawdle(void *ctx)
{
	(void)ctx;
	usleep(8000);
}

static void
slow_handler_is_logged_by_name(void **state)
{
	struct seen *seen = *state;
	char line[512] = "";
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	log_set_fd(pipes[1]);

	loop_defer(seen->loop, "dawdler", dawdle, seen);
	loop_turn(seen->loop, 0);

	log_set_fd(STDERR_FILENO);
	assert_true(read(pipes[0], line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "loop.slow handler=dawdler microseconds="));
	close(pipes[0]);
	close(pipes[1]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(defer_runs_on_the_next_turn_not_at_once),
		TEST(defer_that_defers_itself_runs_once_a_turn),
		TEST(defer_cancelled_never_runs),
		TEST(timer_fires_once_and_not_before_its_time),
		TEST(timer_periodic_fires_until_stopped),
		TEST(timer_freed_in_its_callback_is_gone),
		TEST(watch_tells_what_is_ready_until_paused),
		TEST(watch_freed_in_its_callback_is_gone),
		TEST(signal_reaches_the_loop_and_stops_it),
		TEST(broken_pipe_is_an_error_not_a_signal),
		TEST(slow_handler_is_logged_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
