/* Sealed content between descriptors: every size around a segment, files and pipes, and every damage. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/random.h"
#include "seal/sealed.h"
#include "seal/stream.h"

#define FIRST ((size_t)STREAM_SEGMENT_LEN - STREAM_HEADER_LEN - STREAM_TAG_LEN)
#define NEXT  ((size_t)STREAM_PLAINTEXT_LEN)
#define HEAD  (SEALED_CONTEXT_LEN + 4 + 2) /* with the envelope "{}" */

static const uint8_t key_octets[STREAM_KEY_LEN] = {7};

static int
memory_file(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static uint8_t *
pattern(size_t len)
{
	uint8_t *data = malloc(len + 1);
	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 131 + (i >> 11));
	return data;
}

static int
file_of(const void *data, size_t len)
{
	int fd = memory_file();
	ssize_t written = write(fd, data, len);
	assert_int_equal(written, len);
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static size_t
size_of(int fd)
{
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	return (size_t)status.st_size;
}

static void
assert_holds(int fd, const uint8_t *data, size_t len)
{
	assert_int_equal(size_of(fd), len);
	uint8_t *read = malloc(len + 1);
	assert_non_null(read);
	ssize_t got = pread(fd, read, len, 0);
	assert_int_equal(got, len);
	assert_memory_equal(read, data, len);
	free(read);
}

/* Seals `in` into a new memory file, rewound. */
static int
seal(int in, enum sealed_kind kind)
{
	struct err err = {0};
	struct sealed_header header;
	CLEAN(secret)
	struct secret *key = secret_from(key_octets, sizeof(key_octets));
	int out = memory_file();
	sealed_header_new(kind, &header);
	if (!sealed_seal(in, out, &header, bytes_of_text("{}"), key, NULL, NULL, &err))
		fail_msg("%s (%s)", err.message, err.origin);
	(void)lseek(out, 0, SEEK_SET);
	return out;
}

static bool
open_to(int in, int out, struct err *err)
{
	struct sealed_header header;
	CLEAN(buf)
	struct buf envelope;
	CLEAN(secret)
	struct secret *key = secret_from(key_octets, sizeof(key_octets));
	buf_init(&envelope, SEALED_ENVELOPE_MAX);
	return sealed_read_header(in, &header, &envelope, err) &&
	       sealed_open(in, out, &header, key, NULL, NULL, err);
}

static const size_t sizes[] = {0, 1, 1000, FIRST - 1, FIRST, FIRST + 1, FIRST + NEXT - 1,
	FIRST + NEXT, FIRST + NEXT + 1, FIRST + 3 * NEXT, FIRST + 4 * NEXT + 77};

static void
sealed_round_trip_of_every_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct err err = {0};
		uint8_t *data = pattern(sizes[i]);
		int in = file_of(data, sizes[i]);
		int sealed = seal(in, SEALED_FILE);
		int out = memory_file();
		size_t segments = 1 + (sizes[i] > FIRST ? (sizes[i] - FIRST + NEXT - 1) / NEXT : 0);
		assert_int_equal(size_of(sealed),
			HEAD + STREAM_HEADER_LEN + sizes[i] + segments * STREAM_TAG_LEN);

		if (!open_to(sealed, out, &err))
			fail_msg("%zu octets: %s (%s)", sizes[i], err.message, err.origin);
		assert_holds(out, data, sizes[i]);

		(void)close(in);
		(void)close(sealed);
		(void)close(out);
		free(data);
	}
}

/* Feeds a pipe from a thread, in odd pieces. */
struct feeder {
	int fd;
	const uint8_t *data;
	size_t len;
};

static void *
feed(void *arg)
{
	struct feeder *feeder = arg;
	size_t done = 0;
	while (done < feeder->len) {
		size_t part = feeder->len - done < 50021 ? feeder->len - done : 50021;
		ssize_t written = write(feeder->fd, feeder->data + done, part);
		if (written < 0)
			break;
		done += (size_t)written;
	}
	(void)close(feeder->fd);
	return NULL;
}

static void
sealed_through_pipes_is_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct err err = {0};
		uint8_t *data = pattern(sizes[i]);
		int fds[2];
		pthread_t thread;
		assert_int_equal(pipe(fds), 0);
		struct feeder feeder = {fds[1], data, sizes[i]};
		assert_int_equal(pthread_create(&thread, NULL, feed, &feeder), 0);
		int sealed = seal(fds[0], SEALED_FILE);
		assert_int_equal(pthread_join(thread, NULL), 0);
		(void)close(fds[0]);

		size_t len = size_of(sealed);
		uint8_t *octets = malloc(len);
		assert_int_equal(read(sealed, octets, len), len);
		(void)close(sealed);
		assert_int_equal(pipe(fds), 0);
		feeder = (struct feeder){fds[1], octets, len};
		assert_int_equal(pthread_create(&thread, NULL, feed, &feeder), 0);
		int out = memory_file();
		if (!open_to(fds[0], out, &err))
			fail_msg("%zu octets: %s (%s)", sizes[i], err.message, err.origin);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_holds(out, data, sizes[i]);

		(void)close(fds[0]);
		(void)close(out);
		free(octets);
		free(data);
	}
}

static void
sealed_writer_and_reader_are_the_same_format(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *key = secret_from(key_octets, sizeof(key_octets));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint8_t *data = pattern(sizes[i]);
		struct sealed_header header;
		int sealed = memory_file();
		int out = memory_file();
		sealed_header_new(SEALED_TREE, &header);
		CLEAN(sealed_writer)
		struct sealed_writer *writer =
			sealed_writer_new(sealed, &header, bytes_of_text("{}"), key, &err);
		for (size_t done = 0; done < sizes[i];) {
			size_t part = sizes[i] - done < 300007 ? sizes[i] - done : 300007;
			assert_true(sealed_writer_push(writer, data + done, part, &err));
			done += part;
		}
		assert_true(sealed_writer_finish(writer, &err));
		(void)lseek(sealed, 0, SEEK_SET);
		assert_true(open_to(sealed, out, &err)); /* by the pump */
		assert_holds(out, data, sizes[i]);

		CLEAN(buf)
		struct buf envelope;
		buf_init(&envelope, 100);
		(void)lseek(sealed, 0, SEEK_SET);
		assert_true(sealed_read_header(sealed, &header, &envelope, &err));
		assert_int_equal(header.kind, SEALED_TREE);
		CLEAN(sealed_reader)
		struct sealed_reader *reader = sealed_reader_new(sealed, &header, key, &err);
		struct bytes part;
		size_t done = 0;
		do {
			assert_true(sealed_reader_pull(reader, &part, &err));
			assert_memory_equal(part.data, data + done, part.len);
			done += part.len;
		} while (part.len > 0);
		assert_int_equal(done, sizes[i]);
		assert_true(sealed_reader_pull(reader, &part, &err));
		assert_int_equal(part.len, 0);
		(void)close(sealed);
		(void)close(out);
		free(data);
	}
	sealed_writer_free(NULL);
	sealed_reader_free(NULL);
}

/* ---- damage ---- */

struct subject {
	uint8_t *data; /* plaintext */
	size_t len;
	uint8_t *sealed;
	size_t sealed_len;
};

static void
make_subject(struct subject *subject, size_t len)
{
	subject->data = pattern(len);
	subject->len = len;
	int in = file_of(subject->data, len);
	int sealed = seal(in, SEALED_FILE);
	subject->sealed_len = size_of(sealed);
	subject->sealed = malloc(subject->sealed_len);
	assert_int_equal(
		pread(sealed, subject->sealed, subject->sealed_len, 0), subject->sealed_len);
	(void)close(in);
	(void)close(sealed);
}

static void
free_subject(struct subject *subject)
{
	free(subject->data);
	free(subject->sealed);
}

/* Opening `octets` fails, and what came out is the front of the plaintext, segment by segment. */
static void
assert_corrupt(const struct subject *subject, const uint8_t *octets, size_t len, const char *what)
{
	struct err err = {0};
	int in = file_of(octets, len);
	int out = memory_file();
	if (open_to(in, out, &err))
		fail_msg("%s: opened", what);
	if (err.code != ERR_SEALED_CORRUPT)
		fail_msg("%s: %s", what, err_name(err.code));
	size_t written = size_of(out);
	assert_true(written == 0 || (written >= FIRST && (written - FIRST) % NEXT == 0));
	assert_true(written <= subject->len);
	assert_holds(out, subject->data, written);
	(void)close(in);
	(void)close(out);
}

static void
E22_cut_anywhere_is_found(void **state)
{
	(void)state;
	struct subject subject;
	make_subject(&subject, FIRST + 2 * NEXT + 500);
	size_t stream = HEAD + STREAM_HEADER_LEN;
	const size_t ends[] = {0, 1, 8, 43, 44, 47, 48, 49, HEAD, stream - 1, stream, stream + 15,
		stream + 16, stream + 1000, HEAD + STREAM_SEGMENT_LEN - 1,
		HEAD + STREAM_SEGMENT_LEN, HEAD + STREAM_SEGMENT_LEN + 1,
		HEAD + 2 * STREAM_SEGMENT_LEN - 1, HEAD + 2 * STREAM_SEGMENT_LEN,
		HEAD + 2 * STREAM_SEGMENT_LEN + 16, HEAD + 3 * STREAM_SEGMENT_LEN,
		subject.sealed_len - 1};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char what[40];
		(void)snprintf(what, sizeof(what), "cut at %zu", ends[i]);
		assert_corrupt(&subject, subject.sealed, ends[i], what);
	}
	free_subject(&subject);
}

static void
E22_flipped_bits_are_found(void **state)
{
	(void)state;
	struct subject subject;
	make_subject(&subject, 300);

	for (size_t bit = 0; bit < 8 * subject.sealed_len; bit++) {
		/* Octets of the envelope are its own business: here nothing reads them. */
		if (bit / 8 >= HEAD - 2 && bit / 8 < HEAD)
			continue;
		char what[40];
		(void)snprintf(what, sizeof(what), "bit %zu", bit);
		subject.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_corrupt(&subject, subject.sealed, subject.sealed_len, what);
		subject.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free_subject(&subject);
}

static void
E22_flipped_bits_in_later_segments_are_found(void **state)
{
	(void)state;
	struct subject subject;
	make_subject(&subject, FIRST + NEXT + 5);
	const size_t at[] = {HEAD + STREAM_SEGMENT_LEN - 1, HEAD + STREAM_SEGMENT_LEN,
		HEAD + STREAM_SEGMENT_LEN + NEXT, HEAD + 2 * STREAM_SEGMENT_LEN,
		subject.sealed_len - 1};

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		subject.sealed[at[i]] ^= 0x10;
		assert_corrupt(&subject, subject.sealed, subject.sealed_len, "a later segment");
		subject.sealed[at[i]] ^= 0x10;
	}
	free_subject(&subject);
}

static void
E22_segments_moved_doubled_or_added_are_found(void **state)
{
	(void)state;
	struct subject subject;
	struct subject other;
	make_subject(&subject, FIRST + 3 * NEXT);
	make_subject(&other, FIRST + 3 * NEXT);
	const size_t s = STREAM_SEGMENT_LEN;
	uint8_t *first = subject.sealed + HEAD;
	uint8_t *copy = malloc(subject.sealed_len + s);
	assert_non_null(copy);

	memcpy(copy, subject.sealed, subject.sealed_len); /* the second and third exchanged */
	memcpy(copy + HEAD + s, first + 2 * s, s);
	memcpy(copy + HEAD + 2 * s, first + s, s);
	assert_corrupt(&subject, copy, subject.sealed_len, "exchanged");

	memcpy(copy, subject.sealed, subject.sealed_len); /* the third left out */
	memcpy(copy + HEAD + 2 * s, first + 3 * s, s);
	assert_corrupt(&subject, copy, subject.sealed_len - s, "left out");

	memcpy(copy, subject.sealed, subject.sealed_len); /* the last twice */
	memcpy(copy + subject.sealed_len, first + 3 * s, s);
	assert_corrupt(&subject, copy, subject.sealed_len + s, "doubled");

	memcpy(copy, subject.sealed, subject.sealed_len); /* one octet behind */
	copy[subject.sealed_len] = 0;
	assert_corrupt(&subject, copy, subject.sealed_len + 1, "longer");

	memcpy(copy, subject.sealed,
		subject.sealed_len); /* a segment of another file under the same key */
	memcpy(copy + HEAD + s, other.sealed + HEAD + s, s);
	assert_corrupt(&subject, copy, subject.sealed_len, "of another file");

	memcpy(copy, subject.sealed,
		subject.sealed_len); /* the other's header before this one's stream */
	memcpy(copy, other.sealed, SEALED_CONTEXT_LEN);
	assert_corrupt(&subject, copy, subject.sealed_len, "header of another file");
	free(copy);
	free_subject(&subject);
	free_subject(&other);
}

static void
sealed_header_of_another_kind_or_length_is_refused(void **state)
{
	(void)state;
	struct subject subject;
	make_subject(&subject, 10);
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"version 2",    8,  2   },
                {"cipher 2",     41, 2   },
                {"kind 0",       42, 0   },
                {"kind 3",       42, 3   },
		{"kind tree",    42, 2   },
                {"holder 3",     43, 3   },
                {"holder 2",     43, 2   },
		{"length 2^31",  44, 0x80},
                {"length 65538", 45, 1   },
                {"length 0",     47, 0   }
        };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t before = subject.sealed[rows[i].at];
		subject.sealed[rows[i].at] = rows[i].value;
		assert_corrupt(&subject, subject.sealed, subject.sealed_len, rows[i].name);
		subject.sealed[rows[i].at] = before;
	}
	free_subject(&subject);
}

/* ---- the world around ---- */

static bool
count_progress(void *data, uint64_t done_bytes)
{
	uint64_t *last = data;
	assert_true(done_bytes >= *last);
	*last = done_bytes;
	return true;
}

static bool
stop_at_once(void *data, uint64_t done_bytes)
{
	(void)data;
	(void)done_bytes;
	return false;
}

static void
sealed_progress_ends_at_the_size_and_can_stop(void **state)
{
	(void)state;
	struct err err = {0};
	struct sealed_header header;
	CLEAN(secret)
	struct secret *key = secret_from(key_octets, sizeof(key_octets));
	size_t len = FIRST + 4 * NEXT;
	uint8_t *data = pattern(len);
	int in = file_of(data, len);
	int out = memory_file();
	uint64_t done = 0;
	sealed_header_new(SEALED_FILE, &header);

	assert_true(sealed_seal(
		in, out, &header, bytes_of_text("{}"), key, count_progress, &done, &err));
	assert_int_equal(done, len);
	assert_false(
		sealed_seal(in, out, &header, bytes_of_text("{}"), key, stop_at_once, NULL, &err));
	assert_int_equal(err.code, ERR_CLIENT_FILE);
	(void)close(in);
	(void)close(out);
	free(data);
}

static void
sealed_to_a_full_disk_fails_as_such(void **state)
{
	(void)state;
	struct err err = {0};
	struct sealed_header header;
	CLEAN(secret)
	struct secret *key = secret_from(key_octets, sizeof(key_octets));
	int in = file_of("text", 4);
	int out = open("/dev/full", O_WRONLY | O_CLOEXEC);
	sealed_header_new(SEALED_FILE, &header);

	assert_false(sealed_seal(in, out, &header, bytes_of_text("{}"), key, NULL, NULL, &err));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	assert_false(sealed_seal(out, in, &header, bytes_of_text("{}"), key, NULL, NULL, &err));
	assert_int_equal(err.code, ERR_CLIENT_FILE); /* not open for reading */
	(void)close(in);
	(void)close(out);
}

static void
sealed_starts_where_the_descriptors_stand(void **state)
{
	(void)state;
	struct err err = {0};
	uint8_t *data = pattern(FIRST + NEXT);
	int in = file_of(data, FIRST + NEXT);
	(void)lseek(in, 100, SEEK_SET);
	int sealed = seal(in, SEALED_FILE);
	int out = file_of("before", 6);
	(void)lseek(out, 6, SEEK_SET);

	assert_true(open_to(sealed, out, &err));

	uint8_t *expected = malloc(FIRST + NEXT);
	memcpy(expected, "before", 6);
	memcpy(expected + 6, data + 100, FIRST + NEXT - 100);
	assert_holds(out, expected, FIRST + NEXT - 94);
	(void)close(in);
	(void)close(sealed);
	(void)close(out);
	free(expected);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_round_trip_of_every_size),
		cmocka_unit_test(sealed_through_pipes_is_the_same),
		cmocka_unit_test(sealed_writer_and_reader_are_the_same_format),
		cmocka_unit_test(E22_cut_anywhere_is_found),
		cmocka_unit_test(E22_flipped_bits_are_found),
		cmocka_unit_test(E22_flipped_bits_in_later_segments_are_found),
		cmocka_unit_test(E22_segments_moved_doubled_or_added_are_found),
		cmocka_unit_test(sealed_header_of_another_kind_or_length_is_refused),
		cmocka_unit_test(sealed_progress_ends_at_the_size_and_can_stop),
		cmocka_unit_test(sealed_to_a_full_disk_fails_as_such),
		cmocka_unit_test(sealed_starts_where_the_descriptors_stand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
