/* The start of libcrypto, randomness and the curve table. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/attr.h"
#include "crypto/crypto.h"
#include "crypto/curve.h"
#include "crypto/hash.h"
#include "crypto/random.h"

/* A property that no implementation has: whoever reads this file can fetch nothing. */
static const char hostile_conf[] = "openssl_conf = init\n"
				   "[init]\n"
				   "alg_section = algorithms\n"
				   "[algorithms]\n"
				   "default_properties = hardware=pkcs11\n";

static void
write_hostile_conf(char *path)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	ssize_t written = write(fd, hostile_conf, sizeof(hostile_conf) - 1);
	assert_int_equal(written, sizeof(hostile_conf) - 1);
	(void)close(fd);
	assert_int_equal(setenv("OPENSSL_CONF", path, 1), 0);
}

/* Runs `check` in a child, as libcrypto reads its configuration once in a process. */
static bool
holds_in_child(bool (*check)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check() ? 0 : 1);
	int status = 0;
	pid_t waited = waitpid(pid, &status, 0);
	assert_int_equal(waited, pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
default_context_works(void)
{
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	bool works = md != NULL;
	EVP_MD_free(md);
	return works;
}

static bool
init_shields_the_process(void)
{
	struct err err = {0};
	return crypto_init(&err) && default_context_works();
}

static bool
own_context_works_without_init(void)
{
	uint8_t digest[HASH_SHA256_LEN];
	hash_sha256("", 0, digest);
	return digest[0] == 0xe3 && !default_context_works();
}

static void
B37_hostile_openssl_cnf_is_never_read(void **state)
{
	(void)state;
	char path[] = "/tmp/custody-conf-XXXXXX";
	write_hostile_conf(path);

	bool hostile = !holds_in_child(default_context_works);
	bool shielded = holds_in_child(init_shields_the_process);
	bool own = holds_in_child(own_context_works_without_init);

	(void)unlink(path);
	(void)unsetenv("OPENSSL_CONF");
	assert_true(hostile);
	assert_true(shielded);
	assert_true(own);
}

static void
crypto_init_again_is_harmless(void **state)
{
	(void)state;
	struct err err = {0};

	assert_true(crypto_init(&err));
	assert_true(crypto_init(&err));
}

static void *
use_from_thread(void *result)
{
	uint8_t *digest = result;
	for (int i = 0; i < 200; i++) {
		uint8_t data[32];
		random_bytes(data, sizeof(data));
		hash_sha256(data, sizeof(data), digest);
	}
	return NULL;
}

static void
crypto_from_many_threads_works(void **state)
{
	(void)state;
	pthread_t threads[8];
	uint8_t digests[8][HASH_SHA256_LEN];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_from_thread, digests[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	for (size_t i = 1; i < ARRAY_LEN(threads); i++)
		assert_memory_not_equal(digests[0], digests[i], HASH_SHA256_LEN);
}

static void
random_in_parent_and_child_differ(void **state)
{
	(void)state;
	int fds[2];
	uint8_t ours[32];
	uint8_t theirs[32];
	random_bytes(ours, sizeof(ours)); /* the generator is seeded before the fork */
	assert_int_equal(pipe(fds), 0);

	pid_t pid = fork();
	if (pid == 0) {
		random_bytes(theirs, sizeof(theirs));
		_exit(write(fds[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs) ? 0 : 1);
	}
	random_bytes(ours, sizeof(ours));
	ssize_t got = read(fds[0], theirs, sizeof(theirs));
	(void)waitpid(pid, NULL, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);

	assert_int_equal(got, sizeof(theirs));
	assert_memory_not_equal(ours, theirs, sizeof(ours));
}

static void
A24_random_stirred_with_constants_still_differs(void **state)
{
	(void)state;
	static const uint8_t constant[64];
	CLEAN(secret)
	struct secret *a = NULL;
	CLEAN(secret)
	struct secret *b = NULL;

	random_stir(constant, sizeof(constant));
	a = random_secret(32);
	random_stir(constant, sizeof(constant));
	b = random_secret(32);

	assert_non_null(a);
	assert_non_null(b);
	assert_false(secret_equal(a, b));
}

static void
A24_constant_octets_mixed_differ_each_time(void **state)
{
	(void)state;
	uint8_t first[200] = {0}, second[200] = {0}; /* longer than one step of the mixing */
	static const uint8_t zeros[16] = {0};
	random_mix(first, sizeof(first));
	random_mix(second, sizeof(second));
	for (size_t at = 0; at + sizeof(zeros) <= sizeof(first); at += 8) {
		assert_memory_not_equal(first + at, second + at, sizeof(zeros));
		assert_memory_not_equal(first + at, zeros, sizeof(zeros));
	}
}

static void
random_uuid_is_version_4(void **state)
{
	(void)state;
	char a[ID_UUID_TEXT];
	char b[ID_UUID_TEXT];

	random_uuid(a);
	random_uuid(b);

	assert_true(id_uuid_valid(a));
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
}

static void
curve_is_found_by_name_and_der(void **state)
{
	(void)state;
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		assert_int_equal(curve_find(curve_name(curve)), curve);
		assert_int_equal(curve_find_der(curve_der(curve)), curve);
		assert_int_equal(curve_der(curve).data[1], curve_der(curve).len - 2);
		assert_true(curve_octets(curve) <= CURVE_OCTETS_MAX);
	}
	assert_int_equal(curve_find("p-256"), CURVE_NONE);
	assert_int_equal(curve_find("P-192"), CURVE_NONE);
	assert_int_equal(curve_find(""), CURVE_NONE);
	struct bytes der = curve_der(CURVE_P256);
	der.len--;
	assert_int_equal(curve_find_der(der), CURVE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			B37_hostile_openssl_cnf_is_never_read), /* first: nothing is loaded yet */
		cmocka_unit_test(crypto_init_again_is_harmless),
		cmocka_unit_test(crypto_from_many_threads_works),
		cmocka_unit_test(random_in_parent_and_child_differ),
		cmocka_unit_test(A24_random_stirred_with_constants_still_differs),
		cmocka_unit_test(A24_constant_octets_mixed_differ_each_time),
		cmocka_unit_test(random_uuid_is_version_4),
		cmocka_unit_test(curve_is_found_by_name_and_der),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
