/* The tokens with the true worker on real SoftHSM tokens, from a blank token to a replaced worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "crypto/pubkey.h"
#include "support/token_bench.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PIN    "2468"

static char pin_source[192], environment[192];
static uint8_t spki[PUBKEY_SPKI_MAX];
static size_t spki_len;
static uint8_t fingerprint[32];

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
make_token(const char *label, const char *config)
{
	char setting[160];
	(void)snprintf(setting, sizeof(setting), "SOFTHSM2_CONF=%s", config);
	const char *argv[] = {"softhsm2-util", "--init-token", "--free", "--label", label, "--pin",
		PIN, "--so-pin", "13579", NULL};
	char *envp[] = {setting, NULL};
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int status;
	assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0), 0);
	assert_int_equal(
		posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *)(uintptr_t)argv, envp), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)posix_spawn_file_actions_destroy(&quiet);
}

static int
setup(void **state)
{
	char path[160], config[160], text[256];
	assert_int_equal(bench_setup(state), 0);
	struct bench *bench = *state;
	(void)snprintf(config, sizeof(config), "%s/softhsm.conf", bench->dir);
	(void)snprintf(path, sizeof(path), "%s/store", bench->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(text, sizeof(text),
		"directories.tokendir = %s\nobjectstore.backend = file\n", path);
	write_file(config, text);
	make_token("west", config);
	make_token("east", config);

	(void)snprintf(path, sizeof(path), "%s/pin-file", bench->dir);
	write_file(path, PIN "\n");
	(void)snprintf(pin_source, sizeof(pin_source), "file:%s", path);
	(void)snprintf(environment, sizeof(environment), "SOFTHSM2_CONF=%s", config);
	bench->worker = TRUE_WORKER;
	bench->module = MODULE;
	bench->env = environment;
	bench->pin_source = pin_source;
	bench->uris[0] = "pkcs11:token=west";
	bench->uris[1] = "pkcs11:token=nobody";
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	return walk->level == 0 ? 0 : remove(path);
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	char dir[64];
	(void)snprintf(dir, sizeof(dir), "%s", bench->dir);
	bench_end(bench);
	assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	return bench_teardown(state);
}

static void
enrol(struct bench *bench)
{
	struct err err = {0};
	bench_start(bench, false);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_NOT_ENROLLED);
	int64_t deadline_ms = clock_monotonic_ms() + 20000;
	assert_true(
		token_enroll(bench->west, false, (struct token_ticket){900, 0}, deadline_ms, &err));
	bench_expect(bench, 900, ERR_NONE);
	assert_true(token_is_ready(bench->west));
}

static void
keep_key(struct bench *bench, const struct token_answer *answer)
{
	(void)bench;
	const struct wire_generate_answer *made = answer->fields;
	if (answer->type != WIRE_GENERATE || made == NULL)
		return;
	assert_true(made->spki.len > 0 && made->spki.len <= sizeof(spki));
	memcpy(spki, made->spki.data, made->spki.len);
	spki_len = made->spki.len;
	memcpy(fingerprint, made->fingerprint, sizeof(fingerprint));
}

static void
generate(struct bench *bench, uint64_t op_id)
{
	struct err err = {0};
	struct wire_generate_request request = {
		.id = {7},
		.label = "vault/key",
		.kty = WIRE_KTY_RSA,
		.bits = 2048,
		.public_exponent = 65537,
		.ops = WIRE_OP_DECRYPT | WIRE_OP_UNWRAP | WIRE_OP_ENCRYPT | WIRE_OP_WRAP,
		.extractable = 0,
	};
	struct token_job job = {
		.type = WIRE_GENERATE,
		.request = &request,
		.ticket = {op_id, 0},
		.caller = 1000,
		.deadline_ms = clock_monotonic_ms() + 60000,
		.kind = LATENCY_OTHER,
	};
	bench->on_answer = keep_key;
	assert_true(token_request(bench->west, &job, &err));
	bench_expect(bench, op_id, ERR_NONE);
}

static void
decrypt(struct bench *bench, uint64_t op_id, struct bytes data)
{
	struct err err = {0};
	struct wire_decrypt_request request = {
		.id = {7}, .alg = WIRE_ALG_RSA_OAEP_256, .data = data};
	memcpy(request.fingerprint, fingerprint, sizeof(request.fingerprint));
	struct token_job job = {
		.type = WIRE_DECRYPT,
		.request = &request,
		.ticket = {op_id, 0},
		.caller = 1000,
		.deadline_ms = clock_monotonic_ms() + 10000,
		.kind = LATENCY_RSA_2048,
	};
	assert_true(token_request(bench->west, &job, &err));
}

static void
key_is_made_used_and_outlives_its_worker(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	uint8_t sealed[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	enrol(bench);
	generate(bench, 1);
	CLEAN(pubkey)
	struct pubkey *key = pubkey_from_spki((struct bytes){spki, spki_len}, &err);
	assert_non_null(key);
	assert_true(pubkey_encrypt(
		key, PUBKEY_OAEP_SHA256, bytes_of_text("sixteen octets.."), sealed, &len, &err));
	decrypt(bench, 2, (struct bytes){sealed, len});
	bench_expect(bench, 2, ERR_NONE);
	assert_string_equal(bench_find(bench, 2)->data, "sixteen octets..");

	struct token_status status;
	token_status_get(bench->west, &status);
	assert_string_equal(status.label, "west");
	assert_true(status.algorithm_count > 10);
	assert_true(status.attribute_count > 5);
	assert_int_equal(kill((pid_t)status.worker.pid, SIGKILL), 0);
	bench_wait(bench, !token_is_ready(bench->west));
	bench_wait(bench, token_is_ready(bench->west));
	decrypt(bench, 3, (struct bytes){sealed, len});
	bench_expect(bench, 3, ERR_NONE);
	assert_int_equal(bench->token[0].ready, 2);

	sealed[10] ^= 1;
	decrypt(bench, 4, (struct bytes){sealed, len});
	bench_expect(bench, 4, ERR_BAD_CIPHERTEXT);
	assert_true(token_is_ready(bench->west));
}

static void
b32_worker_is_succeeded_under_load(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	uint8_t sealed[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	bench->recycle_memory = 1; /* every ping is a reason */
	enrol(bench);
	generate(bench, 1);
	CLEAN(pubkey)
	struct pubkey *key = pubkey_from_spki((struct bytes){spki, spki_len}, &err);
	assert_true(
		pubkey_encrypt(key, PUBKEY_OAEP_SHA256, bytes_of_text("x"), sealed, &len, &err));
	uint64_t next = 10;
	for (int round = 0; round < 2; round++) {
		bench_settle(bench, 100); /* the one before is gone: only then another may come */
		bench_advance(11000);
		unsigned ready = bench->token[0].ready;
		while (bench->token[0].ready == ready) {
			decrypt(bench, next++, (struct bytes){sealed, len});
			bench_expect(bench, next - 1, ERR_NONE);
			assert_true(next < 480);
			bench_settle(bench, 5);
		}
	}
	struct token_status status;
	token_status_get(bench->west, &status);
	assert_int_equal(status.worker.restarts, 2);
}

static void
b11_wrong_pin_is_tried_once_and_a_corrected_one_heals(void **state)
{
	struct bench *bench = *state;
	write_file(pin_source + strlen("file:"), "0000\n");
	bench_start(bench, false);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	assert_int_equal(bench->token[0].refused, 1);
	struct err err = {0};
	assert_true(token_trouble(bench->west, &err));
	assert_int_equal(err.code, ERR_PIN_REFUSED);

	/* The same content in a new file: compared, not tried. */
	write_file(pin_source + strlen("file:"), "0000\n");
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_STARTING);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	assert_int_equal(bench->token[0].refused, 1);

	write_file(pin_source + strlen("file:"), PIN "\n");
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_NOT_ENROLLED);
	assert_int_equal(bench->token[0].accepted, 1);
}

static void
token_that_is_not_there_is_unavailable(void **state)
{
	struct bench *bench = *state;
	bench_start(bench, false);
	bench_wait(bench, token_state(bench->east) == TOKEN_STATE_UNAVAILABLE);
	struct err err = {0};
	assert_true(token_trouble(bench->east, &err));
	assert_int_equal(err_class(err.code), ERR_CLASS_UNAVAILABLE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(key_is_made_used_and_outlives_its_worker),
		TEST(b32_worker_is_succeeded_under_load),
		TEST(b11_wrong_pin_is_tried_once_and_a_corrected_one_heals),
		TEST(token_that_is_not_there_is_unavailable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
