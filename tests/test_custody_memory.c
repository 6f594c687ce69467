/*
 * libcustody when memory runs out: the allocation that fails is the first, the second, ... of a call, until one
 * run ends untouched; then the same with all that follow failing too. The call fails, says so, and leaks or aborts
 * nothing. The daemon's side is in a thread of its own, whose allocations do not fail.
 */
#include "lib/custody/custody.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_server.h"

#define KID_WEST "https://west.vault.test/keys/k1/0123456789abcdef0123456789abcdef"
#define KID_EAST "https://east.vault.test/keys/k2/fedcba9876543210fedcba9876543210"

#define WRAPPED /* of the mailbox "a" */                                                           \
	"AQEAAWEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                         \
	"AAAAAAAAAAAAAAAAAA"

/* ---- the failing allocator: of the thread that asked for it ---- */

static _Thread_local unsigned fail_at; /* the n-th from now fails; 0: none */
static _Thread_local bool fail_after;  /* and all that follow */
static _Thread_local bool failed;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define INJECTS true

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *data, size_t size);

static bool
fails(void)
{
	if (failed && fail_after)
		return true;
	if (fail_at == 0 || --fail_at > 0)
		return false;
	failed = true;
	return true;
}

void *
malloc(size_t size)
{
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(count, size);
}

void *
realloc(void *data, size_t size)
{
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(data, size);
}
#else
#define INJECTS false
#endif

/* ---- the daemon ---- */

static const char bundle[] =
	"{\"key\":{\"kid\":\"" KID_WEST
	"\",\"kty\":\"RSA\",\"key_ops\":[\"sign\"],\"n\":\"AQ\",\"e\":\"AQAB\"},"
	"\"attributes\":{\"enabled\":true}}";
static const char page[] = "{\"value\":[{\"kid\":\"https://west.vault.test/keys/a\","
			   "\"attributes\":{\"enabled\":true}}],\"nextLink\":null}";
static const char secret[] =
	"{\"value\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"kid\":\"" KID_WEST
	"\",\"envelope\":{},\"degraded\":false,\"recipients\":[],\"redundancy\":2}";

#define DATA_KEY                                                                                   \
	"{\"plaintext\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"wrapped\":\"" WRAPPED    \
	"\"}"
static const char data_key[] = DATA_KEY;
static const char data_keys[] = "{\"value\":[" DATA_KEY "," DATA_KEY "]}";

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	(void)data;
	const char *body = secret;
	if (strncmp(request->target, "/keys?", 6) == 0)
		body = page;
	else if (strstr(request->target, "/create") != NULL || strcmp(request->method, "GET") == 0)
		body = bundle;
	else if (strncmp(request->target, "/scopes/", 8) == 0)
		body = strchr(request->body, ':') == NULL ||
				       strstr(request->body, "\"wrapped\"") != NULL
			       ? data_key
			       : data_keys;
	(void)snprintf(reply->body, sizeof(reply->body), "%s", body);
}

struct fixture {
	char directory[64];
	char path[100];
	struct peer *peer;
	struct custody_client *client;
	int sealed;
	int scope_sealed;
};

/* ---- calls ---- */

typedef bool call(struct fixture *f, struct custody_error *error);

static struct custody_options
options_of(struct fixture *f)
{
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	options.socket_path = f->path;
	options.application = "11111111-2222-3333-4444-555555555555";
	options.retries = 0;
	return options;
}

static bool
call_client_new(struct fixture *f, struct custody_error *error)
{
	struct custody_options options = options_of(f);
	struct custody_client *client = NULL;
	bool done = custody_client_new(&options, &client, error);
	custody_client_free(client);
	return done;
}

static bool
call_request(struct fixture *f, struct custody_error *error)
{
	char *answer = NULL;
	bool done = custody_request(f->client, "GET", NULL, "/status", NULL, &answer, error);
	custody_text_free(answer);
	return done;
}

static bool
call_create(struct fixture *f, struct custody_error *error)
{
	struct custody_key *key = NULL;
	bool done = custody_key_create(f->client, "west", "k1", NULL, &key, error);
	custody_key_free(key);
	return done;
}

static bool
call_list(struct fixture *f, struct custody_error *error)
{
	struct custody_key_list *list = NULL;
	const struct custody_key *key = NULL;
	bool done =
		custody_key_list_new(f->client, CUSTODY_LIST_KEYS, "west", NULL, &list, error) &&
		custody_key_list_next(list, &key, error);
	custody_key_list_free(list);
	return done;
}

static bool
call_wrap(struct fixture *f, struct custody_error *error)
{
	struct custody_result *result = NULL;
	struct custody_bytes key = {(const uint8_t *)"0123456789abcdef", 16};
	bool done = custody_wrap(f->client, KID_WEST, "A256KW", key, &result, error);
	custody_result_free(result);
	return done;
}

static bool
call_unwrap(struct fixture *f, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	struct custody_bytes wrapped = {(const uint8_t *)"0123456789abcdef", 16};
	bool done = custody_unwrap(f->client, KID_WEST, "A256KW", wrapped, &key, error);
	custody_secret_free(&key);
	return done;
}

static const char *const two_keys[2] = {KID_WEST, KID_EAST};
static const struct custody_bytes none = {NULL, 0};

static bool
call_generate(struct fixture *f, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	char *envelope = NULL;
	bool done = custody_dual_generate(f->client, two_keys, none, 32, &key, &envelope, error);
	custody_secret_free(&key);
	custody_text_free(envelope);
	return done;
}

static bool
call_open_envelope(struct fixture *f, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	bool done = custody_dual_unwrap(f->client, "{}", none, &key, NULL, error);
	custody_secret_free(&key);
	return done;
}

static bool
call_check(struct fixture *f, struct custody_error *error)
{
	struct custody_check *check = NULL;
	bool done = custody_dual_check(f->client, "{}", none, &check, error);
	custody_check_free(check);
	return done;
}

static bool
call_seal(struct fixture *f, struct custody_error *error)
{
	struct custody_sealing sealing = {
		.size = sizeof(sealing), .key_ids = {KID_WEST, KID_EAST}
        };
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	bool written = write(in, "content", 7) == 7 && lseek(in, 0, SEEK_SET) == 0;
	bool done = written && custody_seal_fd(f->client, &sealing, in, out, error);
	(void)close(in);
	(void)close(out);
	return done;
}

static bool
call_open(struct fixture *f, struct custody_error *error)
{
	struct custody_opening *opening = NULL;
	int out = memfd_create("out", MFD_CLOEXEC);
	bool begun = lseek(f->sealed, 0, SEEK_SET) == 0;
	bool done = begun && custody_open_begin(f->client, NULL, f->sealed, &opening, error) &&
		    custody_open_fd(opening, out, error);
	custody_open_end(opening);
	(void)close(out);
	return done;
}

static const struct custody_scope scope = {"mailbox", "a"};

static bool
call_data_key(struct fixture *f, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	char *wrapped = NULL;
	bool done = custody_data_key_generate(f->client, &scope, &key, &wrapped, error);
	custody_secret_free(&key);
	custody_text_free(wrapped);
	return done;
}

static bool
call_data_key_unwrap(struct fixture *f, struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	bool done = custody_data_key_unwrap(f->client, NULL, WRAPPED, &key, error);
	custody_secret_free(&key);
	return done;
}

/* Two keys are made, one seals. */
static bool
call_data_keys(struct fixture *f, struct custody_error *error)
{
	struct custody_data_keys *keys = NULL;
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	bool done = custody_data_keys_generate(f->client, &scope, 2, &keys, error) &&
		    custody_data_key_seal_fd(custody_data_keys_get(keys, 0), NULL, in, out, error);
	custody_data_keys_free(keys);
	(void)close(in);
	(void)close(out);
	return done;
}

/* Two keys are opened, one opens. */
static bool
call_data_keys_unwrap(struct fixture *f, struct custody_error *error)
{
	static const char *const wrapped[] = {WRAPPED, WRAPPED};
	struct custody_data_keys *keys = NULL;
	struct custody_opening *opening = NULL;
	int out = memfd_create("out", MFD_CLOEXEC);
	bool begun = lseek(f->scope_sealed, 0, SEEK_SET) == 0;
	bool done = begun && custody_data_keys_unwrap(f->client, NULL, wrapped, 2, &keys, error) &&
		    custody_data_key_open_begin(NULL, f->scope_sealed, &opening, error) &&
		    custody_opening_give_key(opening, custody_data_keys_get(keys, 1), error) &&
		    custody_open_fd(opening, out, error);
	custody_open_end(opening);
	custody_data_keys_free(keys);
	(void)close(out);
	return done;
}

static bool
call_scope_seal(struct fixture *f, struct custody_error *error)
{
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	bool done = custody_scope_seal_fd(f->client, &scope, NULL, in, out, error);
	(void)close(in);
	(void)close(out);
	return done;
}

static bool
call_scope_open(struct fixture *f, struct custody_error *error)
{
	struct custody_opening *opening = NULL;
	int out = memfd_create("out", MFD_CLOEXEC);
	bool begun = lseek(f->scope_sealed, 0, SEEK_SET) == 0;
	bool done = begun &&
		    custody_scope_open_begin(f->client, NULL, f->scope_sealed, &opening, error) &&
		    custody_open_fd(opening, out, error);
	custody_open_end(opening);
	(void)close(out);
	return done;
}

/* ---- the loop ---- */

static void
exhaust(struct fixture *f, const char *label, call *function, bool after)
{
	for (unsigned n = 1; n < 5000; n++) {
		struct custody_error error = {.name = ""};
		fail_at = n;
		fail_after = after;
		failed = false;
		bool done = function(f, &error);
		bool hit = failed;
		fail_at = 0;
		fail_after = false;
		failed = false;
		if (!hit) {
			assert_true(done);
			print_message("%s: %u allocations\n", label, n - 1);
			return;
		}
		if (!done && error.error_class != CUSTODY_CLASS_UNAVAILABLE)
			fail_msg("%s, allocation %u: %s (%s)", label, n, error.name, error.message);
	}
	fail_msg("%s never ends", label);
}

struct memory_case {
	const char *label;
	call *function;
};

static int
setup(void **state)
{
	static struct fixture storage;
	struct fixture *f = &storage;
	struct custody_error error;
	struct custody_sealing sealing = {
		.size = sizeof(sealing), .key_ids = {KID_WEST, KID_EAST}
        };
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-memory-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%.60s/s", f->directory);
	f->peer = peer_start(f->path, play, f);
	struct custody_options options = options_of(f);
	assert_true(custody_client_new(&options, &f->client, &error));
	int in = memfd_create("in", MFD_CLOEXEC);
	f->sealed = memfd_create("sealed", MFD_CLOEXEC);
	assert_true(custody_seal_fd(f->client, &sealing, in, f->sealed, &error));
	f->scope_sealed = memfd_create("sealed", MFD_CLOEXEC);
	assert_true(custody_scope_seal_fd(f->client, &scope, NULL, in, f->scope_sealed, &error));
	(void)close(in);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	custody_client_free(f->client);
	peer_stop(f->peer);
	(void)close(f->sealed);
	(void)close(f->scope_sealed);
	(void)rmdir(f->directory);
	return 0;
}

static void
every_allocation_may_fail(void **state)
{
	static const struct memory_case cases[] = {
		{"client_new",       call_client_new      },
		{"request",          call_request         },
		{"key_create",       call_create          },
		{"key_list",         call_list            },
		{"wrap",             call_wrap            },
		{"unwrap",           call_unwrap          },
		{"generate",         call_generate        },
		{"dual_unwrap",      call_open_envelope   },
		{"check",            call_check           },
		{"seal",             call_seal            },
		{"open",             call_open            },
		{"data_key",         call_data_key        },
		{"data_key_unwrap",  call_data_key_unwrap },
		{"data_keys",        call_data_keys       },
		{"data_keys_unwrap", call_data_keys_unwrap},
		{"scope_seal",       call_scope_seal      },
		{"scope_open",       call_scope_open      },
	};
	struct fixture *f = *state;
	struct custody_error error;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!INJECTS) { /* a sanitizer has the allocator: the calls alone */
			assert_true(cases[i].function(f, &error));
			continue;
		}
		exhaust(f, cases[i].label, cases[i].function, false);
		exhaust(f, cases[i].label, cases[i].function, true);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
