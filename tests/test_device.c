/* What a worker tells of its token is bounded and clean, whatever it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "custodyd/device.h"

static void
texts_are_cut_and_clean(void **state)
{
	(void)state;
	CLEAN(device)
	struct device *device = device_new();
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[0] = '\x1b';
	text[1] = '\xc3';
	struct wire_start_answer answer = {
		.state = WIRE_STATE_READY,
		.label = text,
		.serial = "",
		.manufacturer = text,
		.model = text,
		.firmware = text,
		.reduced = "  a  b ",
	};
	device_started(device, &answer);

	assert_int_equal(strlen(device->label), TOKEN_TEXT_MAX - 1);
	assert_memory_equal(device->label, "??xx", 4);
	assert_string_equal(device->serial, "");
	assert_int_equal(device->sessions, 1); /* said 0 */
	assert_true(device->enrolled);
	assert_int_equal(device->reduced_count, 2);
	assert_string_equal(device->reduced[0], "a");
	assert_string_equal(device->reduced[1], "b");
}

static void
more_reductions_than_room_are_left_out(void **state)
{
	(void)state;
	CLEAN(device)
	struct device *device = device_new();
	char words[200] = "";
	for (size_t i = 0; i < 2 * (TOKEN_REDUCED_MAX + 5); i += 2) {
		words[i] = 'w';
		words[i + 1] = ' ';
	}
	struct wire_start_answer answer = {.label = "",
		.serial = "",
		.manufacturer = "",
		.model = "",
		.firmware = "",
		.reduced = words};
	device_started(device, &answer);
	assert_int_equal(device->reduced_count, TOKEN_REDUCED_MAX);
}

static void
add_capability(struct buf *list, uint16_t alg, uint32_t ops)
{
	struct wire_capability row = {.alg = alg, .ops = ops, .how = "native"};
	assert_true(wire_record_append(list, WIRE_RECORD_capability, &row));
}

static void
capabilities_name_algorithms_and_operations(void **state)
{
	(void)state;
	CLEAN(device)
	struct device *device = device_new();
	CLEAN(buf)
	struct buf list;
	struct err err = {0};
	buf_init(&list, 4096);
	add_capability(&list, WIRE_ALG_A256KW, WIRE_OP_WRAP | WIRE_OP_UNWRAP);
	add_capability(&list, WIRE_ALG_ES256, UINT32_MAX);
	struct wire_capabilities_answer answer = {.algs = buf_bytes(&list)};

	for (int i = 0; i < 2; i++) { /* again replaces */
		assert_true(device_capable(device, &answer, &err));
		assert_int_equal(device->algorithm_count, 2);
	}
	assert_string_equal(device->algorithms[0].alg, "A256KW");
	assert_string_equal(device->algorithms[0].operations, "wrapKey unwrapKey");
	assert_string_equal(
		device->algorithms[1].operations, "encrypt decrypt sign verify wrapKey unwrapKey");
	assert_true(device->capability.len > list.len);
}

static void
malformed_lists_are_refused(void **state)
{
	(void)state;
	CLEAN(device)
	struct device *device = device_new();
	CLEAN(buf)
	struct buf list;
	buf_init(&list, 8192);
	add_capability(&list, WIRE_ALG_ES256, WIRE_OP_SIGN);
	struct wire_capabilities_answer cut = {
		.algs = {list.data, list.len - 1}
        };
	struct err err = {0};
	assert_false(device_capable(device, &cut, &err));
	assert_int_equal(err.code, ERR_INTERNAL);

	struct wire_capabilities_answer cut_attributes = {
		.attributes = {list.data, 3}
        };
	assert_false(device_capable(device, &cut_attributes, &err));

	buf_reset(&list);
	add_capability(&list, 9999, WIRE_OP_SIGN);
	struct wire_capabilities_answer unknown = {.algs = buf_bytes(&list)};
	assert_false(device_capable(device, &unknown, &err));

	buf_reset(&list);
	for (unsigned i = 0; i <= TOKEN_ALGORITHMS_MAX; i++)
		add_capability(&list, WIRE_ALG_ES256, WIRE_OP_SIGN);
	struct wire_capabilities_answer many = {.algs = buf_bytes(&list)};
	assert_false(device_capable(device, &many, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_cut_and_clean),
		cmocka_unit_test(more_reductions_than_room_are_left_out),
		cmocka_unit_test(capabilities_name_algorithms_and_operations),
		cmocka_unit_test(malformed_lists_are_refused),
	};
	device_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
