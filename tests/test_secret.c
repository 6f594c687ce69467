#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#define HEAP_BYTES 65536

static int
open_heap(void **state)
{
	(void)state;
	bool locked = secret_heap_init(HEAP_BYTES);
	(void)locked; /* depends on the machine's limit */
	return 0;
}

static void
secret_new_is_zero_and_in_the_secure_heap(void **state)
{
	(void)state;
	CLEAN(secret)
	struct secret *secret = secret_new(48);
	uint8_t zeros[48] = {0};

	assert_non_null(secret);
	assert_int_equal(secret_len(secret), 48);
	assert_memory_equal(secret_peek(secret), zeros, 48);
	assert_int_equal(CRYPTO_secure_allocated(secret), 1);
}

static void
secret_from_copies(void **state)
{
	(void)state;
	char pin[] = "1234";

	CLEAN(secret)
	struct secret *secret = secret_from(pin, 4);
	pin[0] = 'x';

	assert_non_null(secret);
	assert_true(bytes_equal(secret_bytes(secret), bytes_of_text("1234")));
}

static void
secret_free_gives_the_heap_back(void **state)
{
	(void)state;
	size_t before = CRYPTO_secure_used();

	struct secret *secret = secret_new(1000);
	assert_non_null(secret);
	assert_true(CRYPTO_secure_used() > before);
	secret_truncate(secret, 10); /* the whole block is wiped and freed all the same */
	secret_free(secret);
	secret_free(NULL);

	assert_int_equal(CRYPTO_secure_used(), before);
}

static void
secret_new_with_the_heap_full_is_null(void **state)
{
	(void)state;
	struct secret *secrets[64] = {NULL};
	size_t count = 0;

	while (count < ARRAY_LEN(secrets) && (secrets[count] = secret_new(4000)) != NULL)
		count++;

	assert_in_range(count, 1, HEAP_BYTES / 4000);
	for (size_t i = 0; i < count; i++)
		secret_free(secrets[i]);
	CLEAN(secret)
	struct secret *again = secret_new(4000);
	assert_non_null(again);
}

static void
secret_truncate_wipes_the_rest(void **state)
{
	(void)state;
	CLEAN(secret)
	struct secret *secret = secret_from("0123456789", 10);
	assert_non_null(secret);

	secret_truncate(secret, 4);

	assert_int_equal(secret_len(secret), 4);
	assert_memory_equal(secret_peek(secret), "0123\0\0\0\0\0\0", 10);
}

static void
secret_equal_looks_at_length_and_every_octet(void **state)
{
	(void)state;
	CLEAN(secret)
	struct secret *a = secret_new(32);
	CLEAN(secret)
	struct secret *b = secret_new(32);
	CLEAN(secret)
	struct secret *shorter = secret_new(31);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(shorter);

	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, shorter));
	for (size_t i = 0; i < 32; i++) {
		secret_data(b)[i] = 0x80;
		assert_false(secret_equal(a, b));
		assert_false(secret_equal_bytes(secret_peek(a), secret_peek(b), 32));
		secret_data(b)[i] = 0;
	}
}

static void
secret_wipe_zeroes(void **state)
{
	(void)state;
	char text[] = "secret";

	secret_wipe(text, sizeof(text));
	secret_wipe(NULL, 0);

	assert_memory_equal(text, "\0\0\0\0\0\0", 6);
}

/* In a child: a process that cannot be dumped cannot be looked at by a leak checker either. */
static void
secret_process_harden_forbids_dumps(void **state)
{
	(void)state;

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		secret_process_harden();
		struct rlimit limit = {1, 1};
		int got = getrlimit(RLIMIT_CORE, &limit);
		bool right = got == 0 && limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0;
		_exit(right ? 42 : 1);
	}

	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_new_is_zero_and_in_the_secure_heap),
		cmocka_unit_test(secret_from_copies),
		cmocka_unit_test(secret_free_gives_the_heap_back),
		cmocka_unit_test(secret_new_with_the_heap_full_is_null),
		cmocka_unit_test(secret_truncate_wipes_the_rest),
		cmocka_unit_test(secret_equal_looks_at_length_and_every_octet),
		cmocka_unit_test(secret_wipe_zeroes),
		cmocka_unit_test(secret_process_harden_forbids_dumps),
	};
	return cmocka_run_group_tests_name("secret", tests, open_heap, NULL);
}
