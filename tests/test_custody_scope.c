/*
 * Data keys of a scope and content sealed under it, through libcustody, with a daemon that makes wrapped keys of the real form: one and
 * many, answers that are wrong, and keys that are not of what they are used for (threats G16, G17). Memory that runs out:
 * test_custody_memory.c.
 */
#include "lib/custody/custody.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/dep_token.h"
#include "base/b64.h"
#include "support/fake_server.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLAIN        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 32 octets */

struct fixture {
	char directory[64];
	char path[96];
	char target[512]; /* of the last request */
	struct peer *peer;
	struct custody_client *client;
	struct custody_error error;
	unsigned made;
	const char *reply; /* instead of a right one; NULL: none */
	int status;        /* of it */
};

static const struct custody_scope anna = {"mailbox", "anna+1@contoso.com"};

#define assert_done(expression)                                                                    \
	do {                                                                                       \
		if (!(expression))                                                                 \
			fail_msg("%s: %s [%s]", #expression, f->error.message, f->error.name);     \
	} while (0)

#define assert_refused(expression, expected)                                                       \
	do {                                                                                       \
		assert_false(expression);                                                          \
		assert_string_equal(f->error.name, expected);                                      \
	} while (0)

/* ---- the daemon: key `number` is that number, 32 times ---- */

static void
add(struct peer_reply *reply, const char *text)
{
	size_t len = strlen(reply->body);
	(void)snprintf(reply->body + len, sizeof(reply->body) - len, "%s", text);
}

static void
add_plain(struct peer_reply *reply, unsigned number)
{
	uint8_t plain[32];
	char text[64];
	memset(plain, (int)number, sizeof(plain));
	b64_encode(plain, sizeof(plain), text);
	add(reply, "{\"plaintext\":\"");
	add(reply, text);
	add(reply, "\"");
}

static void
add_made(struct peer_reply *reply, unsigned number)
{
	struct dep_token token = {.kind = KEYTREE_MAILBOX, .id = "anna"};
	uint8_t octets[DEP_TOKEN_MAX];
	char wrapped[CUSTODY_WRAPPED_SIZE];
	token.data_key[0] = token.wrapped[0] = (uint8_t)number;
	token.data_key[1] = token.wrapped[1] = (uint8_t)(number >> 8);
	b64_encode(octets, dep_token_format(&token, octets), wrapped);
	add_plain(reply, number);
	add(reply, ",\"wrapped\":\"");
	add(reply, wrapped);
	add(reply, "\"}");
}

static void
add_opened(struct peer_reply *reply, const char *text, size_t len)
{
	struct dep_token token;
	struct err err;
	uint8_t octets[CUSTODY_WRAPPED_SIZE];
	size_t octet_count;
	if (len >= CUSTODY_WRAPPED_SIZE || !b64_decode(text, len, octets, &octet_count) ||
		!dep_token_parse((struct bytes){octets, octet_count}, &token, &err)) {
		add(reply, "{\"error\":{\"code\":\"BadCiphertext\",\"message\":\"No.\"}}");
		return;
	}
	add_plain(reply, token.wrapped[0]);
	add(reply, "}");
}

/* The texts in the array that begins at `text`. */
static void
add_all_opened(struct peer_reply *reply, const char *text)
{
	for (const char *item = strchr(text, '"'); item != NULL; item = strchr(item, '"')) {
		size_t len = strcspn(item + 1, "\"");
		add_opened(reply, item + 1, len);
		item += len + 2;
		add(reply, *item == ',' ? "," : "");
	}
}

static unsigned
number_at(const char *count)
{
	unsigned number = 0;
	for (const char *c = count != NULL ? count + 8 : ""; *c >= '0' && *c <= '9'; c++)
		number = number * 10 + (unsigned)(*c - '0');
	return number;
}

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	const char *count = strstr(request->body, "\"count\":");
	const char *wrapped = strstr(request->body, "\"wrapped\":\"");
	const char *list = strstr(request->body, "\"value\":[");
	(void)snprintf(f->target, sizeof(f->target), "%s", request->target);
	reply->body[0] = '\0';
	if (f->reply != NULL) {
		reply->status = f->status;
		add(reply, f->reply);
	} else if (wrapped != NULL) {
		add_opened(reply, wrapped + 11, strcspn(wrapped + 11, "\""));
		reply->status = strstr(reply->body, "\"error\"") != NULL ? 400 : 200;
	} else if (list != NULL || count != NULL) {
		add(reply, "{\"value\":[");
		for (unsigned left = number_at(count); left > 0; left--) {
			add_made(reply, f->made++);
			add(reply, left > 1 ? "," : "");
		}
		if (list != NULL)
			add_all_opened(reply, list + 9);
		add(reply, "]}");
	} else {
		add_made(reply, f->made++);
	}
}

/* ---- fixture ---- */

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->status = 200;
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-scope-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	f->peer = peer_start(f->path, play, f);
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	options.socket_path = f->path;
	options.retries = 0;
	assert_true(custody_client_new(&options, &f->client, &f->error));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	custody_client_free(f->client);
	peer_stop(f->peer);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static int
memory_of(const char *text)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
assert_content(int fd, const char *expected)
{
	char text[256] = "";
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), strlen(expected));
	assert_string_equal(text, expected);
}

/* ---- one data key ---- */

static void
one_is_made_and_opened(void **state)
{
	struct fixture *f = *state;
	struct custody_secret made = {NULL, 0}, opened = {NULL, 0};
	char *wrapped = NULL;
	f->made = 7;
	assert_done(custody_data_key_generate(f->client, &anna, &made, &wrapped, &f->error));
	assert_string_equal(f->target, "/scopes/mailbox/anna%2B1@contoso.com/datakeys");
	assert_int_equal(made.len, 32);
	assert_int_equal(made.data[31], 7);
	assert_done(custody_data_key_unwrap(f->client, &anna, wrapped, &opened, &f->error));
	assert_string_equal(f->target, "/scopes/mailbox/anna%2B1@contoso.com/datakeys/unwrap");
	assert_memory_equal(opened.data, made.data, 32);
	custody_secret_free(&opened);

	/* without a scope, the one that it says */
	assert_done(custody_data_key_unwrap(f->client, NULL, wrapped, &opened, &f->error));
	assert_string_equal(f->target, "/scopes/mailbox/anna/datakeys/unwrap");
	custody_secret_free(&opened);
	custody_secret_free(&made);
	custody_text_free(wrapped);
}

static void
wrong_input_asks_nobody(void **state)
{
	struct fixture *f = *state;
	struct custody_secret key = {NULL, 0};
	struct custody_data_keys *keys = NULL;
	char *wrapped = NULL;
	char longer[CUSTODY_WRAPPED_SIZE + 1], long_id[1200];
	static const char *const missing[] = {"AAAA", NULL};
	const struct custody_scope wrong[] = {
		{NULL,      "a" },
                {"mailbox", NULL},
                {"mailbox", ""  }
        };
	memset(longer, 'A', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memset(long_id, 'a', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_refused(
			custody_data_key_generate(f->client, &wrong[i], &key, &wrapped, &f->error),
			"BadParameter");
		assert_refused(
			custody_data_keys_generate(f->client, &wrong[i], 1, &keys, &f->error),
			"BadParameter");
	}
	assert_refused(custody_data_key_generate(f->client, NULL, &key, &wrapped, &f->error),
		"BadParameter");
	const struct custody_scope endless = {"mailbox", long_id};
	assert_refused(custody_data_key_generate(f->client, &endless, &key, &wrapped, &f->error),
		"UriTooLong");
	const char *const bad[] = {NULL, "", "AAAA", "!", longer};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(custody_data_key_unwrap(f->client, NULL, bad[i], &key, &f->error),
			"BadCiphertext");
	assert_refused(
		custody_data_keys_generate(f->client, &anna, 0, &keys, &f->error), "BadParameter");
	assert_refused(custody_data_keys_generate(
			       f->client, &anna, CUSTODY_DATA_KEYS_MAX + 1, &keys, &f->error),
		"BadParameter");
	assert_refused(custody_data_keys_unwrap(f->client, &anna, missing, 0, &keys, &f->error),
		"BadParameter");
	assert_refused(custody_data_keys_unwrap(f->client, &anna, missing, 2, &keys, &f->error),
		"BadCiphertext");
	assert_refused(custody_data_keys_unwrap(f->client, NULL, missing, 1, &keys, &f->error),
		"BadCiphertext");
	assert_int_equal(peer_requests(f->peer), 0);
	assert_null(key.data);
	assert_null(keys);
}

/* ---- many ---- */

static void
a_thousand_are_made_and_opened(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *made = NULL, *opened = NULL;
	const char *wrapped[CUSTODY_DATA_KEYS_MAX];
	assert_done(custody_data_keys_generate(
		f->client, &anna, CUSTODY_DATA_KEYS_MAX, &made, &f->error));
	for (size_t i = 0; i < CUSTODY_DATA_KEYS_MAX; i++) {
		const struct custody_data_key *key = custody_data_keys_get(made, i);
		assert_int_equal(key->key.len, 32);
		assert_int_equal(key->error_class, 0);
		wrapped[i] = key->wrapped;
	}
	assert_null(custody_data_keys_get(made, CUSTODY_DATA_KEYS_MAX));
	assert_done(custody_data_keys_unwrap(
		f->client, NULL, wrapped, CUSTODY_DATA_KEYS_MAX, &opened, &f->error));
	assert_string_equal(f->target, "/scopes/mailbox/anna/datakeys/unwrap");
	for (size_t i = 0; i < CUSTODY_DATA_KEYS_MAX; i++) {
		const struct custody_data_key *key = custody_data_keys_get(opened, i);
		assert_memory_equal(key->key.data, custody_data_keys_get(made, i)->key.data, 32);
		assert_null(key->wrapped);
	}
	assert_int_equal(peer_requests(f->peer), 2);
	custody_data_keys_free(made);
	custody_data_keys_free(opened);
	custody_data_keys_free(NULL);
}

static void
each_says_whether_it_opened(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *made = NULL, *opened = NULL;
	assert_done(custody_data_keys_generate(f->client, &anna, 2, &made, &f->error));
	const char *const wrapped[] = {custody_data_keys_get(made, 0)->wrapped, "AAAA",
		custody_data_keys_get(made, 1)->wrapped};
	assert_done(custody_data_keys_unwrap(f->client, &anna, wrapped, 3, &opened, &f->error));
	assert_int_equal(custody_data_keys_get(opened, 0)->key.data[0], 0);
	assert_int_equal(custody_data_keys_get(opened, 2)->key.data[0], 1);
	const struct custody_data_key *bad = custody_data_keys_get(opened, 1);
	assert_null(bad->key.data);
	assert_int_equal(bad->error_class, CUSTODY_CLASS_BAD);
	assert_string_equal(bad->name, "BadCiphertext");
	assert_string_equal(bad->message, "No.");
	custody_data_keys_free(made);
	custody_data_keys_free(opened);
}

static void
an_unknown_reason_is_told_as_it_came(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *keys = NULL;
	static const char *const wrapped[] = {"AAAA"};
	f->reply = "{\"value\":[{\"error\":{\"code\":\"Moon\\n\",\"message\":\"a\\u001b[1mb\"}}]}";
	assert_done(custody_data_keys_unwrap(f->client, &anna, wrapped, 1, &keys, &f->error));
	const struct custody_data_key *key = custody_data_keys_get(keys, 0);
	assert_string_equal(key->name, "Moon?");
	assert_string_equal(key->message, "a?[1mb");
	assert_int_equal(key->error_class, CUSTODY_CLASS_UNAVAILABLE);
	custody_data_keys_free(keys);
}

/* ---- answers ---- */

static void
wrong_answers_are_no_keys(void **state)
{
	struct fixture *f = *state;
	static const char *const wrapped[] = {"AAAA", "AAAA"};
	static const char *const answers[] = {
		"",
		"nonsense",
		"[]",
		"{}",
		"{\"plaintext\":\"AAAA\",\"wrapped\":\"AAAA\"}",
		"{\"plaintext\":7,\"wrapped\":\"AAAA\"}",
		"{\"value\":{}}",
		"{\"value\":[]}",
		"{\"value\":[{\"plaintext\":\"" PLAIN "\",\"wrapped\":\"AAAA\"}]}",
		"{\"value\":[{\"plaintext\":\"" PLAIN "\",\"wrapped\":\"AAAA\"},7]}",
		"{\"value\":[{\"plaintext\":\"" PLAIN
		"\",\"wrapped\":\"AAAA\"},{\"plaintext\":\"AAAA\",\"wrapped\":\"AAAA\"}]}",
		"{\"value\":[{\"plaintext\":\"" PLAIN
		"\",\"wrapped\":\"A\"},{\"plaintext\":\"" PLAIN
		"\",\"wrapped\":\"A\"},{\"plaintext\":\"" PLAIN "\",\"wrapped\":\"A\"}]}",
		"{\"value\":[{\"error\":{}},{\"error\":{}}]}",
		"{\"value\":[{\"error\":{\"code\":\"\",\"message\":\"\"}},{\"error\":7}]}",
	};
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct custody_secret key = {NULL, 0};
		struct custody_data_keys *keys = NULL;
		char *text = NULL;
		f->reply = answers[i];
		assert_refused(custody_data_key_generate(f->client, &anna, &key, &text, &f->error),
			"BadAnswer");
		assert_refused(custody_data_key_unwrap(f->client, &anna, "AAAA", &key, &f->error),
			"BadAnswer");
		assert_refused(custody_data_keys_generate(f->client, &anna, 2, &keys, &f->error),
			"BadAnswer");
		assert_refused(
			custody_data_keys_unwrap(f->client, &anna, wrapped, 2, &keys, &f->error),
			"BadAnswer");
		assert_null(key.data);
		assert_null(keys);
		assert_null(text);
	}
}

static void
a_made_key_needs_its_wrap(void **state)
{
	struct fixture *f = *state;
	struct custody_secret key = {NULL, 0};
	struct custody_data_keys *keys = NULL;
	char *text = NULL;
	f->reply = "{\"plaintext\":\"" PLAIN "\"}";
	assert_refused(
		custody_data_key_generate(f->client, &anna, &key, &text, &f->error), "BadAnswer");
	f->reply = "{\"value\":[{\"plaintext\":\"" PLAIN "\"}]}";
	assert_refused(
		custody_data_keys_generate(f->client, &anna, 1, &keys, &f->error), "BadAnswer");
	assert_null(key.data);
}

static void
a_refusal_is_one_of_all(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *keys = NULL;
	static const char *const wrapped[] = {"AAAA"};
	f->reply = "{\"error\":{\"code\":\"AccessDenied\",\"message\":\"Revoked.\"}}";
	f->status = 403;
	assert_refused(custody_data_keys_unwrap(f->client, &anna, wrapped, 1, &keys, &f->error),
		"AccessDenied");
	assert_int_equal(f->error.error_class, CUSTODY_CLASS_DENIED);
	assert_refused(
		custody_data_keys_generate(f->client, &anna, 1, &keys, &f->error), "AccessDenied");
	assert_null(keys);
}

/* ---- sealed content ---- */

static void
content_is_sealed_under_a_scope(void **state)
{
	struct fixture *f = *state;
	struct custody_opening *opening = NULL;
	struct custody_sealing with_context = {
		.size = sizeof(with_context), .context = {(const uint8_t *)"x", 1}
        };
	int in = memory_of("a letter"), sealed = memory_of(""), out = memory_of("");
	assert_done(custody_scope_seal_fd(f->client, &anna, NULL, in, sealed, &f->error));
	assert_refused(
		custody_scope_seal_fd(f->client, &anna, &with_context, in, sealed, &f->error),
		"BadParameter");
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_refused(custody_open_begin(f->client, NULL, sealed, &opening, &f->error),
		"BadParameter"); /* it is not under two keys */
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_done(custody_scope_open_begin(f->client, NULL, sealed, &opening, &f->error));
	assert_string_equal(custody_opening_scope(opening)->kind, "mailbox");
	assert_string_equal(custody_opening_scope(opening)->id, "anna");
	assert_done(custody_open_fd(opening, out, &f->error));
	assert_content(out, "a letter");
	custody_open_end(opening);
	(void)close(in);
	(void)close(sealed);
	(void)close(out);
}

static struct custody_opening *
begin(struct fixture *f, int sealed)
{
	struct custody_opening *opening = NULL;
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_done(custody_data_key_open_begin(NULL, sealed, &opening, &f->error));
	return opening;
}

static void
content_is_sealed_with_a_key_of_a_batch(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *made = NULL, *opened = NULL;
	int in = memory_of("a letter"), sealed = memory_of(""), out = memory_of("");
	assert_done(custody_data_keys_generate(f->client, &anna, 2, &made, &f->error));
	const struct custody_data_key *first = custody_data_keys_get(made, 0);
	assert_done(custody_data_key_seal_fd(first, NULL, in, sealed, &f->error));

	struct custody_opening *opening = begin(f, sealed);
	const char *wrapped = custody_opening_wrapped(opening);
	assert_string_equal(wrapped, first->wrapped);
	assert_refused(custody_open_fd(opening, out, &f->error), "BadParameter");
	assert_refused(custody_open_tree(opening, "none", &f->error), "BadParameter");
	assert_done(custody_data_keys_unwrap(f->client, &anna, &wrapped, 1, &opened, &f->error));
	const struct custody_data_key *key = custody_data_keys_get(opened, 0);
	assert_refused(custody_data_key_seal_fd(key, NULL, in, sealed, &f->error), "BadParameter");
	assert_done(custody_opening_give_key(opening, key, &f->error));
	assert_refused(custody_opening_give_key(opening, key, &f->error), "BadParameter");
	assert_done(custody_open_fd(opening, out, &f->error));
	assert_content(out, "a letter");
	custody_open_end(opening);
	assert_int_equal(peer_requests(f->peer), 2);

	/* the key of another one */
	opening = begin(f, sealed);
	assert_int_equal(ftruncate(out, 0), 0);
	assert_done(custody_opening_give_key(opening, custody_data_keys_get(made, 1), &f->error));
	assert_refused(custody_open_fd(opening, out, &f->error), "SealedCorrupt");
	assert_content(out, "");
	custody_open_end(opening);
	custody_data_keys_free(made);
	custody_data_keys_free(opened);
	(void)close(in);
	(void)close(sealed);
	(void)close(out);
}

static void
a_key_that_did_not_open_says_why(void **state)
{
	struct fixture *f = *state;
	struct custody_data_keys *made = NULL, *opened = NULL;
	static const char *const bad[] = {"AAAA"};
	int in = memory_of("a letter"), sealed = memory_of("");
	assert_done(custody_data_keys_generate(f->client, &anna, 1, &made, &f->error));
	assert_done(custody_data_key_seal_fd(
		custody_data_keys_get(made, 0), NULL, in, sealed, &f->error));
	assert_done(custody_data_keys_unwrap(f->client, &anna, bad, 1, &opened, &f->error));
	struct custody_opening *opening = begin(f, sealed);
	assert_refused(
		custody_opening_give_key(opening, custody_data_keys_get(opened, 0), &f->error),
		"BadCiphertext");
	assert_int_equal(f->error.error_class, CUSTODY_CLASS_BAD);
	assert_string_equal(f->error.message, "No.");
	custody_open_end(opening);
	custody_data_keys_free(made);
	custody_data_keys_free(opened);
	(void)close(in);
	(void)close(sealed);
}

/* Whoever exchanges the wrap of one for the wrap of another has nothing. */
static void
content_keeps_its_wrap(void **state)
{
	struct fixture *f = *state;
	struct custody_opening *opening = NULL;
	char one[4096], other[4096];
	int in = memory_of("a letter"), sealed[2] = {memory_of(""), memory_of("")};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(lseek(in, 0, SEEK_SET), 0);
		assert_done(
			custody_scope_seal_fd(f->client, &anna, NULL, in, sealed[i], &f->error));
	}
	ssize_t len = pread(sealed[0], one, sizeof(one), 0);
	assert_int_equal(pread(sealed[1], other, sizeof(other), 0), len);
	size_t wrap_len = (size_t)((unsigned char)one[46] << 8 | (unsigned char)one[47]);
	assert_int_equal(pwrite(sealed[0], other + 48, wrap_len, 48), wrap_len);
	assert_int_equal(lseek(sealed[0], 0, SEEK_SET), 0);
	assert_refused(
		custody_data_key_open_begin(NULL, sealed[0], &opening, &f->error), "SealedCorrupt");
	assert_null(opening);
	(void)close(in);
	(void)close(sealed[0]);
	(void)close(sealed[1]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_is_made_and_opened),
		TEST(wrong_input_asks_nobody),
		TEST(a_thousand_are_made_and_opened),
		TEST(each_says_whether_it_opened),
		TEST(an_unknown_reason_is_told_as_it_came),
		TEST(wrong_answers_are_no_keys),
		TEST(a_made_key_needs_its_wrap),
		TEST(a_refusal_is_one_of_all),
		TEST(content_is_sealed_under_a_scope),
		TEST(content_is_sealed_with_a_key_of_a_batch),
		TEST(a_key_that_did_not_open_says_why),
		TEST(content_keeps_its_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
