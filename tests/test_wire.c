#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/wire.h"

static const struct wire_decrypt_request decrypt_sample = {
	.id = {1,  2, 3},
	.fingerprint = {9,  8,   7},
	.alg = WIRE_ALG_A256GCM,
	.data = {(const uint8_t *)"data", 4},
	.iv = {(const uint8_t *)"nonce", 5  },
	.aad = {NULL, 0},
	.tag = {(const uint8_t *)"tag", 3  },
};

static void
encode_sample(struct buf *buf)
{
	buf_init(buf, WIRE_MAX);
	assert_true(wire_encode_request(buf, WIRE_DECRYPT, 77, &decrypt_sample));
}

static void
request_round_trip(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	encode_sample(&buf);
	struct wire_message message;
	struct wire_decrypt_request request;
	struct err err;

	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_true(wire_decode_request(&message, &request, &err));

	assert_int_equal(message.type, WIRE_DECRYPT);
	assert_int_equal(message.id, 77);
	assert_memory_equal(request.id, decrypt_sample.id, 16);
	assert_memory_equal(request.fingerprint, decrypt_sample.fingerprint, 32);
	assert_int_equal(request.alg, WIRE_ALG_A256GCM);
	assert_true(bytes_equal(request.data, decrypt_sample.data));
	assert_true(bytes_equal(request.iv, decrypt_sample.iv));
	assert_int_equal(request.aad.len, 0);
	assert_true(bytes_equal(request.tag, decrypt_sample.tag));
}

/* The octets are fixed: a worker of this build and a daemon of this build read each other by these. */
static void
request_octets_are_little_endian(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	struct wire_list_request request = {.offset = 0x01020304};

	assert_true(wire_encode_request(&buf, WIRE_LIST, 0x1122334455667788, &request));

	static const uint8_t expected[] = {20, 0, 0, 0, 10, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44,
		0x33, 0x22, 0x11, 4, 3, 2, 1};
	assert_int_equal(buf.len, sizeof(expected));
	assert_memory_equal(buf.data, expected, sizeof(expected));
}

static void
request_cut_anywhere_is_refused(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	encode_sample(&buf);

	for (size_t len = 0; len < buf.len; len++) {
		uint8_t copy[512];
		memcpy(copy, buf.data, len);
		if (len >= 4)
			copy[0] =
				(uint8_t)len; /* the header's length agrees: the fields must not */
		struct wire_message message;
		struct wire_decrypt_request request;
		struct err err;
		bool good = wire_decode((struct bytes){copy, len}, &message, &err) &&
			    wire_decode_request(&message, &request, &err);
		assert_false(good);
		assert_int_equal(err.code, ERR_INTERNAL);
	}
}

static void
request_with_trailing_octet_is_refused(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	encode_sample(&buf);
	assert_true(buf_append(&buf, "x", 1));
	buf.data[0]++;
	struct wire_message message;
	struct wire_decrypt_request request;
	struct err err;

	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_false(wire_decode_request(&message, &request, &err));
}

static void
header_near_misses_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} cases[] = {
		{"length",                         0, 1              },
		{"type 0",                         4, 0              },
		{"type past the table",            4, WIRE_TYPE_COUNT},
		{"type in the high octet",         5, 1              },
		{"error without answer",           6, WIRE_FLAG_ERROR},
		{"unknown flag",                   6, 4              },
		{"unknown flag in the high octet", 7, 1              },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEAN(buf)
		struct buf buf;
		encode_sample(&buf);
		buf.data[cases[i].at] = cases[i].value;
		struct wire_message message;
		struct err err;
		if (wire_decode(buf_bytes(&buf), &message, &err))
			fail_msg("accepted: %s", cases[i].what);
	}
}

static void
text_with_nul_inside_or_without_is_refused(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	struct wire_progress_request request = {.step = "login"};
	assert_true(wire_encode_request(&buf, WIRE_PROGRESS, 1, &request));
	struct wire_message message;
	struct err err;
	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_true(wire_decode_request(&message, &request, &err));
	assert_string_equal(request.step, "login");

	buf.data[WIRE_HEADER + 4 + 2] = '\0';
	assert_false(wire_decode_request(&message, &request, &err));
	buf.data[WIRE_HEADER + 4 + 2] = 'g';
	buf.data[WIRE_HEADER + 4 + 5] = 'x';
	assert_false(wire_decode_request(&message, &request, &err));
}

static void
text_null_is_sent_as_empty(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	struct wire_start_request request = {0};
	assert_true(wire_encode_request(&buf, WIRE_START, 1, &request));
	struct wire_message message;
	struct err err;

	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_true(wire_decode_request(&message, &request, &err));

	assert_string_equal(request.uri, "");
}

static void
message_at_the_maximum_passes_one_octet_more_does_not(void **state)
{
	(void)state;
	static uint8_t big[WIRE_MAX];
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	struct wire_decrypt_answer answer = {
		.data = {big, WIRE_MAX - WIRE_HEADER - 4}
        };

	assert_true(wire_encode_answer(&buf, WIRE_DECRYPT, 1, &answer));
	assert_int_equal(buf.len, WIRE_MAX);
	buf_clear(&buf);
	answer.data.len++;
	assert_false(wire_encode_answer(&buf, WIRE_DECRYPT, 1, &answer));
	buf_clear(&buf);
	answer.data.len = (size_t)1 << 33;
	assert_false(wire_encode_answer(&buf, WIRE_DECRYPT, 1, &answer));
}

static void
error_answer_keeps_code_message_origin_and_detail(void **state)
{
	(void)state;
	struct err sent;
	(void)err_set(&sent, ERR_PIN_REFUSED, "no luck");
	(void)err_origin(&sent, "C_Login: CKR_PIN_INCORRECT");
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	wire_encode_error(&buf, WIRE_START, 5, &sent, (struct bytes){(const uint8_t *)"digest", 6});
	struct wire_message message;
	struct wire_start_answer answer;
	struct bytes detail;
	struct err err;

	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_false(wire_decode_answer(&message, &answer, &detail, &err));

	assert_int_equal(err.code, ERR_PIN_REFUSED);
	assert_string_equal(err.message, "no luck");
	assert_string_equal(err.origin, "C_Login: CKR_PIN_INCORRECT");
	assert_true(bytes_equal(detail, (struct bytes){(const uint8_t *)"digest", 6}));
}

static void
error_answer_of_unknown_name_is_internal(void **state)
{
	(void)state;
	struct err sent;
	(void)err_set(&sent, ERR_TIMEOUT, NULL);
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	wire_encode_error(&buf, WIRE_PING, 5, &sent, (struct bytes){NULL, 0});
	buf.data[WIRE_HEADER + 4] = 'X';
	struct wire_message message;
	struct wire_ping_answer answer;
	struct err err;

	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_false(wire_decode_answer(&message, &answer, NULL, &err));

	assert_int_equal(err.code, ERR_INTERNAL);
}

static void
request_is_not_taken_for_an_answer_nor_the_reverse(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, WIRE_MAX);
	struct wire_empty empty;
	assert_true(wire_encode_request(&buf, WIRE_STOP, 1, &empty));
	struct wire_message message;
	struct err err;
	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_false(wire_decode_answer(&message, &empty, NULL, &err));

	buf_clear(&buf);
	assert_true(wire_encode_answer(&buf, WIRE_STOP, 1, &empty));
	assert_true(wire_decode(buf_bytes(&buf), &message, &err));
	assert_false(wire_decode_request(&message, &empty, &err));
}

static void
list_is_walked_and_its_damage_noticed(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf list;
	buf_init(&list, WIRE_MAX);
	for (unsigned i = 0; i < 3; i++) {
		struct wire_object object = {
			.id = {(uint8_t)i}, .class = WIRE_CLASS_SECRET, .label = "v/k"};
		assert_true(wire_record_append(&list, WIRE_RECORD_object, &object));
	}
	struct err err;

	struct bytes rest = buf_bytes(&list);
	unsigned count = 0;
	for (; rest.len > 0; count++) {
		struct wire_object object;
		assert_true(wire_record_next(&rest, WIRE_RECORD_object, &object, &err));
		assert_int_equal(object.id[0], count);
		assert_string_equal(object.label, "v/k");
	}
	assert_int_equal(count, 3);

	rest = (struct bytes){list.data, list.len / 3 - 1};
	struct wire_object object;
	assert_false(wire_record_next(&rest, WIRE_RECORD_object, &object, &err));
}

static void
tables_answer_for_every_row(void **state)
{
	(void)state;
	for (int type = 1; type < WIRE_TYPE_COUNT; type++) {
		assert_non_null(wire_name((enum wire_type)type));
		assert_in_range(
			wire_request_record((enum wire_type)type), 0, WIRE_RECORD_COUNT - 1);
		assert_in_range(wire_answer_record((enum wire_type)type), 0, WIRE_RECORD_COUNT - 1);
	}
	for (uint16_t alg = 1; alg < WIRE_ALG_COUNT; alg++)
		assert_int_equal(wire_alg_find(wire_alg_name((enum wire_alg)alg)), alg);
	assert_int_equal(wire_alg_find("none"), WIRE_ALG_NONE);
	assert_false(wire_alg_valid(0));
	assert_false(wire_alg_valid(WIRE_ALG_COUNT));
	assert_true(wire_secret(WIRE_DECRYPT));
	assert_false(wire_idempotent(WIRE_GENERATE));
	assert_int_not_equal(wire_version(), 0);
}

static void
pair_open(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void
channel_carries_a_datagram_and_a_descriptor(void **state)
{
	(void)state;
	int fds[2], pipes[2], attached = -1;
	pair_open(fds);
	assert_int_equal(pipe(pipes), 0);
	CLEAN(buf)
	struct buf out;
	encode_sample(&out);
	CLEAN(buf)
	struct buf in;
	buf_init(&in, WIRE_MAX);
	struct err err;

	assert_int_equal(wire_send(fds[0], buf_bytes(&out), pipes[1], &err), WIRE_IO_DONE);
	assert_int_equal(wire_recv(fds[1], &in, &attached, &err), WIRE_IO_DONE);

	assert_true(bytes_equal(buf_bytes(&in), buf_bytes(&out)));
	assert_true(attached >= 0);
	assert_int_equal(fcntl(attached, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(attached, "x", 1), 1);
	char c;
	assert_int_equal(read(pipes[0], &c, 1), 1);
	close(attached), close(pipes[0]), close(pipes[1]), close(fds[0]), close(fds[1]);
}

static void
channel_nonblocking_says_again_and_end_says_closed(void **state)
{
	(void)state;
	int fds[2], attached = 42;
	pair_open(fds);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	CLEAN(buf)
	struct buf out;
	encode_sample(&out);
	CLEAN(buf)
	struct buf in;
	buf_init(&in, WIRE_MAX);
	struct err err;

	assert_int_equal(wire_recv(fds[0], &in, &attached, &err), WIRE_IO_AGAIN);
	enum wire_io sent;
	do
		sent = wire_send(fds[0], buf_bytes(&out), -1, &err);
	while (sent == WIRE_IO_DONE);
	assert_int_equal(sent, WIRE_IO_AGAIN);
	assert_int_equal(wire_recv(fds[1], &in, &attached, &err), WIRE_IO_DONE);
	assert_int_equal(attached, -1);
	close(fds[1]);
	assert_int_equal(wire_recv(fds[0], &in, &attached, &err), WIRE_IO_CLOSED);
	assert_int_equal(wire_send(fds[0], buf_bytes(&out), -1, &err), WIRE_IO_CLOSED);
	close(fds[0]);
}

static void
channel_refuses_an_oversized_datagram_and_keeps_no_descriptor(void **state)
{
	(void)state;
	static uint8_t big[WIRE_MAX + 1];
	int fds[2], attached = -1;
	pair_open(fds);
	CLEAN(buf)
	struct buf in;
	buf_init(&in, WIRE_MAX);
	struct err err;

	assert_int_equal(send(fds[0], big, sizeof(big), 0), sizeof(big));
	assert_int_equal(wire_recv(fds[1], &in, &attached, &err), WIRE_IO_FAILED);
	assert_int_equal(err.code, ERR_INTERNAL);
	close(fds[0]), close(fds[1]);
}

/* Two descriptors fit into the control room by alignment: the second must not stay open unseen. */
static void
channel_closes_surplus_descriptors(void **state)
{
	(void)state;
	int fds[2], attached = -1;
	pair_open(fds);
	CLEAN(buf)
	struct buf out;
	encode_sample(&out);
	struct iovec part = {out.data, out.len};
	union {
		char room[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(rights), (int[]){fds[0], fds[0]}, 2 * sizeof(int));
	int next = dup(fds[0]);
	close(next);
	CLEAN(buf)
	struct buf in;
	buf_init(&in, WIRE_MAX);
	struct err err;

	assert_true(sendmsg(fds[0], &message, 0) > 0);
	assert_int_equal(wire_recv(fds[1], &in, &attached, &err), WIRE_IO_DONE);

	assert_int_equal(attached, next);
	assert_int_equal(fcntl(next + 1, F_GETFD), -1);
	close(attached), close(fds[0]), close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_round_trip),
		cmocka_unit_test(request_octets_are_little_endian),
		cmocka_unit_test(request_cut_anywhere_is_refused),
		cmocka_unit_test(request_with_trailing_octet_is_refused),
		cmocka_unit_test(header_near_misses_are_refused),
		cmocka_unit_test(text_with_nul_inside_or_without_is_refused),
		cmocka_unit_test(text_null_is_sent_as_empty),
		cmocka_unit_test(message_at_the_maximum_passes_one_octet_more_does_not),
		cmocka_unit_test(error_answer_keeps_code_message_origin_and_detail),
		cmocka_unit_test(error_answer_of_unknown_name_is_internal),
		cmocka_unit_test(request_is_not_taken_for_an_answer_nor_the_reverse),
		cmocka_unit_test(list_is_walked_and_its_damage_noticed),
		cmocka_unit_test(tables_answer_for_every_row),
		cmocka_unit_test(channel_carries_a_datagram_and_a_descriptor),
		cmocka_unit_test(channel_nonblocking_says_again_and_end_says_closed),
		cmocka_unit_test(channel_refuses_an_oversized_datagram_and_keeps_no_descriptor),
		cmocka_unit_test(channel_closes_surplus_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
