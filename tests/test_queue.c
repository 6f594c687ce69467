#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "custodyd/queue.h"

static struct request *
make(enum wire_type type, uint32_t caller, uint64_t op_id, int64_t deadline_ms)
{
	struct wire_find_request find = {{0}};
	struct wire_generate_request generate = {.label = "vault/key"};
	struct request *request = request_new(REQUEST_CALLER, type, op_id,
		type == WIRE_GENERATE ? (const void *)&generate : (const void *)&find);
	assert_non_null(request);
	request->caller = caller;
	request->ticket.op_id = op_id;
	request->deadline_ms = deadline_ms;
	return request;
}

static void
push(struct queue *queue, enum wire_type type, uint32_t caller, uint64_t op_id)
{
	struct err err = {0};
	assert_true(queue_push(queue, make(type, caller, op_id, 1000), 100, 50, &err));
}

/* Pops, checks whose it is, and ends it. */
static void
expect(struct queue *queue, bool mutations, uint64_t op_id)
{
	struct request *request = queue_pop(queue, mutations);
	assert_non_null(request);
	assert_int_equal(request->ticket.op_id, op_id);
	queue_release(queue, request->caller);
	request_free(request);
}

static void
c23_callers_take_turns(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	for (uint64_t i = 0; i < 40; i++)
		push(queue, WIRE_FIND, 1, 100 + i);
	push(queue, WIRE_FIND, 2, 200);
	push(queue, WIRE_FIND, 3, 300);
	push(queue, WIRE_FIND, 2, 201);

	static const uint64_t order[] = {100, 200, 300, 101, 201, 102, 103};
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		expect(queue, true, order[i]);
	assert_int_equal(queue_count(queue), 36);
}

static void
c23_caller_at_its_bound_is_throttled_others_not(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	struct err err = {0};
	for (uint64_t i = 0; i < 3; i++)
		assert_true(queue_push(queue, make(WIRE_FIND, 1, i, 1000), 100, 3, &err));
	struct request *fourth = make(WIRE_FIND, 1, 4, 1000);

	assert_false(queue_push(queue, fourth, 100, 3, &err));
	assert_int_equal(err.code, ERR_THROTTLED);
	assert_true(queue_push(queue, make(WIRE_FIND, 2, 5, 1000), 100, 3, &err));

	struct request *first = queue_pop(queue, true);
	assert_false(queue_push(queue, fourth, 100, 3, &err)); /* running counts too */
	queue_release(queue, first->caller);
	request_free(first);
	assert_true(queue_push(queue, fourth, 100, 3, &err));
}

static void
total_bound_holds_for_everybody(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	struct err err = {0};
	for (uint32_t i = 0; i < 5; i++)
		assert_true(queue_push(queue, make(WIRE_FIND, i, i, 1000), 5, 3, &err));
	struct request *sixth = make(WIRE_FIND, 77, 6, 1000);
	assert_false(queue_push(queue, sixth, 5, 3, &err));
	assert_int_equal(err.code, ERR_THROTTLED);
	request_free(sixth);
}

static void
b36_using_keys_passes_a_mutation_that_must_wait(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	push(queue, WIRE_GENERATE, 1, 1);
	push(queue, WIRE_FIND, 1, 2);
	push(queue, WIRE_GENERATE, 2, 3);

	expect(queue, false, 2);
	assert_null(queue_pop(queue, false));
	expect(queue, true, 3); /* caller 1 was just served */
	expect(queue, true, 1);
}

static void
older_goes_first_within_a_caller(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	push(queue, WIRE_FIND, 1, 1);
	push(queue, WIRE_GENERATE, 1, 2);
	push(queue, WIRE_FIND, 1, 3);
	for (uint64_t i = 1; i <= 3; i++)
		expect(queue, true, i);
	assert_null(queue_pop(queue, true));
}

static void
cancelled_is_removed_and_still_counts_until_released(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	struct err err = {0};
	push(queue, WIRE_GENERATE, 1, 1);
	struct request *request = queue_remove(queue, (struct token_ticket){1, 0});
	assert_non_null(request);
	assert_null(queue_remove(queue, (struct token_ticket){1, 0}));
	assert_int_equal(queue_count(queue), 0);

	struct request *next = make(WIRE_FIND, 1, 2, 1000);
	assert_false(queue_push(queue, next, 100, 1, &err));
	queue_release(queue, 1);
	assert_true(queue_push(queue, next, 100, 1, &err));
	request_free(request);
}

static void
expired_are_taken_out(void **state)
{
	(void)state;
	CLEAN(queue)
	struct queue *queue = queue_new();
	struct err err = {0};
	struct request_list expired = {0};
	for (int64_t i = 0; i < 10; i++)
		assert_true(queue_push(queue,
			make(WIRE_FIND, (uint32_t)i % 3, (uint64_t)i, 100 * i), 100, 50, &err));

	queue_expire(queue, 400, &expired);
	assert_int_equal(expired.count, 5);
	assert_int_equal(queue_count(queue), 5);
	queue_expire(queue, INT64_MAX, &expired);
	assert_int_equal(queue_count(queue), 0);
	assert_null(queue_pop(queue, true));
	request_list_clear(&expired);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c23_callers_take_turns),
		cmocka_unit_test(c23_caller_at_its_bound_is_throttled_others_not),
		cmocka_unit_test(total_bound_holds_for_everybody),
		cmocka_unit_test(b36_using_keys_passes_a_mutation_that_must_wait),
		cmocka_unit_test(older_goes_first_within_a_caller),
		cmocka_unit_test(cancelled_is_removed_and_still_counts_until_released),
		cmocka_unit_test(expired_are_taken_out),
	};
	queue_free(NULL);
	request_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
