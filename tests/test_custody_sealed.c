/* Sealed content through libcustody, with a daemon that keeps data keys in place of tokens. Threat E22. */
#include "lib/custody/custody.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_server.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define KID_WEST      "https://west.vault.test/keys/k1/0123456789abcdef0123456789abcdef"
#define KID_EAST      "https://east.vault.test/keys/k2/fedcba9876543210fedcba9876543210"
#define KEYS_MAX      8
#define HEADER        44      /* custody-sealed(5) */
#define SEGMENT       1048576 /* Tink, AES256_GCM_HKDF_1MB */
#define STREAM_HEADER 40

/* A data key that was made, and the context that it was bound to. */
struct bound_key {
	char context[4096];
};

struct fixture {
	char directory[64];
	char path[96];
	struct peer *peer;
	struct custody_client *client;
	struct custody_error error;
	struct custody_sealing sealing;
	struct bound_key keys[KEYS_MAX];
	unsigned key_count;
	bool degraded;
	uint64_t ticks;
	uint64_t done;
	uint64_t total;
	uint64_t stop_after;
};

static void
member_text(const char *body, const char *name, char *text, size_t size)
{
	char pattern[64];
	(void)snprintf(pattern, sizeof(pattern), "\"%s\":\"", name);
	const char *at = strstr(body, pattern);
	assert_non_null(at);
	at += strlen(pattern);
	(void)snprintf(text, size, "%.*s", (int)strcspn(at, "\""), at);
}

/* The number of the key is in the envelope; the key itself is that letter, 43 times. */
static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	char context[4096];
	unsigned number = 0;
	member_text(request->body, "context", context, sizeof(context));
	if (strcmp(request->target, "/dual/generatekey") == 0) {
		number = f->key_count++;
		memcpy(f->keys[number].context, context, sizeof(context));
	} else {
		const char *at = strstr(request->body, "\"number\":");
		number = at != NULL ? (unsigned)(at[9] - '0') : KEYS_MAX;
	}
	if (number >= f->key_count || strcmp(f->keys[number].context, context) != 0) {
		reply->status = 400;
		(void)snprintf(reply->body, sizeof(reply->body),
			"{\"error\":{\"code\":\"BadParameter\",\"message\":\"No.\"}}");
		return;
	}
	char value[44];
	memset(value, 'A' + (int)number, 42);
	value[42] = 'A';
	value[43] = '\0';
	(void)snprintf(reply->body, sizeof(reply->body),
		"{\"value\":\"%s\",\"envelope\":{\"number\":%u},\"kid\":\"" KID_WEST
		"\",\"degraded\":%s,\"attempts\":[],\"warnings\":[]}",
		value, number, f->degraded ? "true" : "false");
}

static bool
tick(void *data, uint64_t done, uint64_t total)
{
	struct fixture *f = data;
	f->ticks++;
	f->done = done;
	f->total = total;
	return f->stop_after == 0 || done < f->stop_after;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-seal-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	f->peer = peer_start(f->path, play, f);
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	options.socket_path = f->path;
	options.retries = 0;
	assert_true(custody_client_new(&options, &f->client, &f->error));
	f->sealing = (struct custody_sealing){
		.size = sizeof(f->sealing),
		.key_ids = {KID_WEST,               KID_EAST},
		.context = {(const uint8_t *)"ctx", 3       },
		.progress = tick,
		.progress_data = f
        };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	custody_client_free(f->client);
	peer_stop(f->peer);
	assert_return_code(rmdir(f->directory), errno); /* nothing was left behind */
	free(f);
	return 0;
}

/* ---- memory as files ---- */

static int
memory_file(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

struct content {
	uint8_t *data;
	size_t len;
};

static struct content
read_whole(int fd)
{
	struct content content = {NULL, 0};
	content.len = (size_t)lseek(fd, 0, SEEK_END);
	content.data = malloc(content.len + 1);
	assert_non_null(content.data);
	assert_int_equal(pread(fd, content.data, content.len, 0), (ssize_t)content.len);
	return content;
}

/* Different octets everywhere, cheaply. */
static struct content
make_content(size_t len)
{
	struct content content = {malloc(len + 1), len};
	assert_non_null(content.data);
	for (size_t i = 0; i < len; i++)
		content.data[i] = (uint8_t)(i * 2654435761u >> 13);
	return content;
}

static struct content
seal(struct fixture *f, struct content plain)
{
	int in = memory_file(plain.data, plain.len);
	int out = memory_file("", 0);
	assert_true(custody_seal_fd(f->client, &f->sealing, in, out, &f->error));
	struct content sealed = read_whole(out);
	(void)close(in);
	(void)close(out);
	return sealed;
}

/* What comes out, and whether all of it did. */
static bool
open_content(struct fixture *f, struct content sealed, struct content *ret_plain)
{
	int in = memory_file(sealed.data, sealed.len);
	int out = memory_file("", 0);
	struct custody_opening *opening = NULL;
	bool done = custody_open_begin(f->client, &f->sealing, in, &opening, &f->error) &&
		    custody_open_fd(opening, out, &f->error);
	custody_open_end(opening);
	*ret_plain = read_whole(out);
	(void)close(in);
	(void)close(out);
	return done;
}

/* It fails, and what came out is the beginning of the plaintext. */
static void
assert_refused(struct fixture *f, struct content sealed, struct content plain, const char *label)
{
	struct content opened;
	bool done = open_content(f, sealed, &opened);
	if (done)
		fail_msg("%s: opened", label);
	assert_true(opened.len < plain.len || plain.len == 0);
	assert_memory_equal(opened.data, plain.data, opened.len);
	assert_int_equal(f->error.error_class, CUSTODY_CLASS_BAD);
	free(opened.data);
}

/* ---- streams ---- */

static void
stream_of_any_size_goes_round(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, SEGMENT - STREAM_HEADER - 16,
		SEGMENT - STREAM_HEADER - 15, 3 * SEGMENT};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		print_message("%zu\n", sizes[i]);
		struct content plain = make_content(sizes[i]);
		struct content sealed = seal(f, plain);
		struct content opened;

		assert_true(open_content(f, sealed, &opened));

		assert_int_equal(opened.len, plain.len);
		assert_memory_equal(opened.data, plain.data, plain.len);
		free(plain.data);
		free(sealed.data);
		free(opened.data);
	}
}

static void
progress_knows_the_size_of_a_file(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(3 * SEGMENT);

	struct content sealed = seal(f, plain);

	assert_true(f->ticks >= 1); /* by the calling thread's share of the work, and at the end */
	assert_int_equal(f->done, plain.len);
	assert_int_equal(f->total, plain.len);
	free(plain.data);
	free(sealed.data);
}

struct changing {
	int fd;
	int how;
};

/* A custody_progress: somebody changes the file while it is read. */
static bool
change(void *data, uint64_t done, uint64_t total)
{
	struct changing *changing = data;
	const struct timespec times[2] = {
		{1000000000, 1},
                {1000000000, 1}
        };
	(void)done;
	(void)total;
	if (changing->how == 0)
		assert_int_equal(futimens(changing->fd, times), 0);
	else
		assert_int_equal(ftruncate(changing->fd, (off_t)(5 * SEGMENT + changing->how)), 0);
	return true;
}

static void
file_that_changes_while_it_is_sealed_is_told(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(3 * SEGMENT);
	for (int how = 0; how < 2; how++) {
		int in = memory_file(plain.data, plain.len);
		int out = memory_file("", 0);
		struct changing changing = {in, how};
		f->sealing.progress = change;
		f->sealing.progress_data = &changing;
		print_message("%d\n", how);

		assert_false(custody_seal_fd(f->client, &f->sealing, in, out, &f->error));

		assert_string_equal(f->error.name, "FileError");
		assert_non_null(strstr(f->error.message, "changed while it was sealed"));
		(void)close(in);
		(void)close(out);
	}
	free(plain.data);
}

static void
progress_can_stop(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(4 * SEGMENT);
	struct content sealed = seal(f, plain);
	struct content opened;
	f->stop_after = SEGMENT;

	assert_false(open_content(f, sealed, &opened));

	assert_string_equal(f->error.name, "Interrupted");
	free(plain.data);
	free(sealed.data);
	free(opened.data);
}

struct pipe_end {
	int fd;
	struct content content;
};

static void *
feed(void *data)
{
	struct pipe_end *end = data;
	for (size_t at = 0; at < end->content.len;) {
		ssize_t sent = write(end->fd, end->content.data + at, end->content.len - at);
		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	(void)close(end->fd);
	return NULL;
}

static void
pipes_are_sealed_and_opened(void **state)
{
	struct fixture *f = *state;
	int pipes[2];
	pthread_t thread;
	struct content plain = make_content(2 * SEGMENT + 5);
	assert_return_code(pipe2(pipes, O_CLOEXEC), errno);
	struct pipe_end end = {pipes[1], plain};
	assert_int_equal(pthread_create(&thread, NULL, feed, &end), 0);
	int out = memory_file("", 0);

	assert_true(custody_seal_fd(f->client, &f->sealing, pipes[0], out, &f->error));

	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(f->total, 0);
	struct content sealed = read_whole(out);
	struct content opened;
	assert_true(open_content(f, sealed, &opened));
	assert_int_equal(opened.len, plain.len);
	(void)close(pipes[0]);
	(void)close(out);
	free(plain.data);
	free(sealed.data);
	free(opened.data);
}

static void
degraded_and_key_are_told(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(10);
	struct content sealed = seal(f, plain);
	int in = memory_file(sealed.data, sealed.len);
	struct custody_opening *opening = NULL;
	f->degraded = true;

	assert_true(custody_open_begin(f->client, &f->sealing, in, &opening, &f->error));

	assert_int_equal(custody_opening_kind(opening), CUSTODY_SEALED_STREAM);
	assert_true(custody_opening_info(opening)->degraded);
	assert_string_equal(custody_opening_info(opening)->key_id, KID_WEST);
	assert_false(custody_open_tree(opening, "/nonexistent/x", &f->error));
	assert_string_equal(f->error.name, "BadParameter");
	custody_open_end(opening);
	(void)close(in);
	free(plain.data);
	free(sealed.data);
}

static void
context_must_be_the_same(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(10);
	struct content sealed = seal(f, plain);
	static const char *const contexts[] = {"", "ct", "ctx ", "Ctx"};
	for (size_t i = 0; i < COUNT(contexts); i++) {
		f->sealing.context =
			(struct custody_bytes){(const uint8_t *)contexts[i], strlen(contexts[i])};
		assert_refused(f, sealed, plain, contexts[i]);
	}
	f->sealing.context.len = CUSTODY_CONTEXT_MAX + 1;
	assert_refused(f, sealed, plain, "too long");
	free(plain.data);
	free(sealed.data);
}

/* ---- threat E22 ---- */

static void
e22_every_flipped_octet_of_header_and_end_is_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(300);
	struct content sealed = seal(f, plain);
	for (size_t i = 0; i < sealed.len; i++) {
		char label[32];
		(void)snprintf(label, sizeof(label), "octet %zu", i);
		sealed.data[i] ^= 1;
		assert_refused(f, sealed, plain, label);
		sealed.data[i] ^= 1;
	}
	free(plain.data);
	free(sealed.data);
}

static void
e22_cut_content_is_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(3 * SEGMENT);
	struct content sealed = seal(f, plain);
	size_t stream = sealed.len % SEGMENT; /* only to have some odd place */
	size_t cuts[] = {0, 1, 8, HEADER - 1, HEADER, HEADER + 4, HEADER + 10, stream, SEGMENT,
		2 * SEGMENT, sealed.len - SEGMENT, sealed.len - 17, sealed.len - 16,
		sealed.len - 1};
	for (size_t i = 0; i < COUNT(cuts); i++) {
		char label[32];
		(void)snprintf(label, sizeof(label), "cut at %zu", cuts[i]);
		assert_refused(f, (struct content){sealed.data, cuts[i]}, plain, label);
	}
	free(plain.data);
	free(sealed.data);
}

/* The offset of segment `number` of a stream that begins at `start`. */
static size_t
segment_at(size_t start, size_t number)
{
	return number == 0 ? start + STREAM_HEADER : start + number * SEGMENT;
}

static size_t
stream_start(struct content sealed)
{
	size_t envelope = (size_t)sealed.data[HEADER + 2] << 8 | sealed.data[HEADER + 3];
	return HEADER + 4 + envelope;
}

static void
e22_cut_at_segment_boundaries_is_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(3 * SEGMENT);
	struct content sealed = seal(f, plain);
	for (size_t i = 0; i <= 3; i++) {
		size_t at = segment_at(stream_start(sealed), i);
		if (at < sealed.len)
			assert_refused(f, (struct content){sealed.data, at}, plain, "boundary");
	}
	free(plain.data);
	free(sealed.data);
}

static void
e22_swapped_segments_are_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(4 * SEGMENT);
	struct content one = seal(f, plain);
	struct content two = seal(f, plain);
	size_t first = segment_at(stream_start(one), 1);
	size_t second = segment_at(stream_start(one), 2);
	uint8_t *kept = malloc(SEGMENT);

	memcpy(kept, one.data + first, SEGMENT);
	memcpy(one.data + first, one.data + second, SEGMENT);
	memcpy(one.data + second, kept, SEGMENT);
	assert_refused(f, one, plain, "two segments of one file");
	memcpy(one.data + second, one.data + first, SEGMENT);
	memcpy(one.data + first, two.data + first, SEGMENT);
	assert_refused(f, one, plain, "a segment of another file");

	free(kept);
	free(plain.data);
	free(one.data);
	free(two.data);
}

static void
e22_exchanged_headers_are_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(100);
	struct content one = seal(f, plain);
	struct content two = seal(f, plain);
	assert_int_equal(one.len, two.len);

	memcpy(one.data, two.data, HEADER);
	assert_refused(f, one, plain, "the header alone");
	memcpy(one.data, two.data, stream_start(two));
	assert_refused(f, one, plain, "header and envelope");

	free(plain.data);
	free(one.data);
	free(two.data);
}

static void
e22_octets_behind_the_end_are_found(void **state)
{
	struct fixture *f = *state;
	struct content plain = make_content(100);
	struct content sealed = seal(f, plain);
	sealed.data = realloc(sealed.data, sealed.len + 1);
	sealed.data[sealed.len++] = 0;

	struct content opened;
	assert_false(open_content(f, sealed, &opened));

	free(plain.data);
	free(sealed.data);
	free(opened.data);
}

/* ---- trees ---- */

static void
make_file(const char *directory, const char *name, const char *text, mode_t mode)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_return_code(fchmod(fd, mode), errno);
	(void)close(fd);
}

static void
make_tree(const char *directory)
{
	char path[200];
	assert_return_code(mkdir(directory, 0750), errno);
	make_file(directory, "a", "alpha", 0640);
	make_file(directory, "empty", "", 0600);
	(void)snprintf(path, sizeof(path), "%s/sub", directory);
	assert_return_code(mkdir(path, 0700), errno);
	make_file(path, "b", "beta", 0755);
	(void)snprintf(path, sizeof(path), "%s/link", directory);
	assert_return_code(symlink("sub/b", path), errno);
}

static void
remove_tree(const char *directory)
{
	static const char *const names[] = {"a", "empty", "link", "sub/b", "sub", ""};
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[200];
		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		assert_return_code(remove(path), errno);
	}
}

static void
tree_goes_round(void **state)
{
	struct fixture *f = *state;
	char tree[128];
	char target[128];
	char path[200];
	char text[16] = "";
	struct stat status;
	struct custody_opening *opening = NULL;
	(void)snprintf(tree, sizeof(tree), "%s/tree", f->directory);
	(void)snprintf(target, sizeof(target), "%s/target", f->directory);
	make_tree(tree);
	int out = memory_file("", 0);

	assert_true(custody_seal_tree(f->client, &f->sealing, tree, out, &f->error));
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_true(custody_open_begin(f->client, &f->sealing, out, &opening, &f->error));
	assert_int_equal(custody_opening_kind(opening), CUSTODY_SEALED_TREE);
	assert_true(custody_open_tree(opening, target, &f->error));
	custody_open_end(opening);

	(void)snprintf(path, sizeof(path), "%s/sub/b", target);
	assert_return_code(stat(path, &status), errno);
	assert_int_equal(status.st_mode & 07777, 0755);
	(void)snprintf(path, sizeof(path), "%s/link", target);
	assert_int_equal(readlink(path, text, sizeof(text)), 5);
	remove_tree(target);
	remove_tree(tree);
	(void)close(out);
}

static void
e22_damaged_tree_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	char tree[128];
	char target[128];
	struct custody_opening *opening = NULL;
	(void)snprintf(tree, sizeof(tree), "%s/tree", f->directory);
	(void)snprintf(target, sizeof(target), "%s/target", f->directory);
	make_tree(tree);
	int out = memory_file("", 0);
	assert_true(custody_seal_tree(f->client, &f->sealing, tree, out, &f->error));
	remove_tree(tree);
	struct content sealed = read_whole(out);
	sealed.data[sealed.len - 1] ^= 1;
	int in = memory_file(sealed.data, sealed.len);

	assert_true(custody_open_begin(f->client, &f->sealing, in, &opening, &f->error));
	assert_false(custody_open_tree(opening, target, &f->error));

	assert_string_equal(f->error.name, "SealedCorrupt");
	custody_open_end(opening); /* teardown: the directory is empty */
	(void)close(in);
	(void)close(out);
	free(sealed.data);
}

static void
tree_that_is_none_is_refused(void **state)
{
	struct fixture *f = *state;
	int out = memory_file("", 0);

	assert_false(custody_seal_tree(f->client, &f->sealing, "/nonexistent", out, &f->error));

	assert_string_equal(f->error.name, "FileError");
	(void)close(out);
}

static void
sealing_of_an_unknown_size_or_without_keys_is_refused(void **state)
{
	struct fixture *f = *state;
	int in = memory_file("x", 1);
	int out = memory_file("", 0);

	f->sealing.size = sizeof(f->sealing) + 1;
	assert_false(custody_seal_fd(f->client, &f->sealing, in, out, &f->error));
	f->sealing.size = sizeof(f->sealing);
	f->sealing.key_ids[1] = NULL;
	assert_false(custody_seal_fd(f->client, &f->sealing, in, out, &f->error));

	assert_string_equal(f->error.name, "BadParameter");
	assert_int_equal(lseek(out, 0, SEEK_END), 0);
	(void)close(in);
	(void)close(out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stream_of_any_size_goes_round),
		TEST(progress_knows_the_size_of_a_file),
		TEST(file_that_changes_while_it_is_sealed_is_told),
		TEST(progress_can_stop),
		TEST(pipes_are_sealed_and_opened),
		TEST(degraded_and_key_are_told),
		TEST(context_must_be_the_same),
		TEST(e22_every_flipped_octet_of_header_and_end_is_found),
		TEST(e22_cut_content_is_found),
		TEST(e22_cut_at_segment_boundaries_is_found),
		TEST(e22_swapped_segments_are_found),
		TEST(e22_exchanged_headers_are_found),
		TEST(e22_octets_behind_the_end_are_found),
		TEST(tree_goes_round),
		TEST(e22_damaged_tree_leaves_nothing),
		TEST(tree_that_is_none_is_refused),
		TEST(sealing_of_an_unknown_size_or_without_keys_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
