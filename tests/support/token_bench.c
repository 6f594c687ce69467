#include "support/token_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/options.h"
#include "support/softkey.h"

static int64_t jumped_us;

static int64_t
real_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + jumped_us;
}

int64_t
bench_real_ms(void)
{
	return (real_us() - jumped_us) / 1000;
}

void
bench_advance(int64_t ms)
{
	jumped_us += ms * 1000;
}

static struct bench_token *
token_of(struct bench *bench, const char *name)
{
	return &bench->token[strcmp(name, "east") == 0 ? 1 : 0];
}

/* ---- the host ---- */

static void
deliver(void *ctx, struct token_ticket ticket, const struct token_answer *answer)
{
	struct bench *bench = ctx;
	assert_true(bench->delivered < BENCH_DELIVERIES_MAX);
	assert_true((answer->fields == NULL) != (answer->err == NULL));
	if (bench->on_answer != NULL)
		bench->on_answer(bench, answer);
	struct bench_delivery *delivery = &bench->deliveries[bench->delivered++];
	memset(delivery, 0, sizeof(*delivery));
	delivery->ticket = ticket;
	delivery->type = answer->type;
	delivery->code = answer->err != NULL ? answer->err->code : ERR_NONE;
	if (answer->fields != NULL && answer->type == WIRE_DECRYPT) {
		const struct wire_decrypt_answer *decrypted = answer->fields;
		(void)snprintf(delivery->data, sizeof(delivery->data), "%.*s",
			(int)decrypted->data.len, (const char *)decrypted->data.data);
	}
	if (bench->on_delivery != NULL)
		bench->on_delivery(bench, delivery);
}

static void
ready(void *ctx, struct token *token)
{
	token_of(ctx, token_name(token))->ready++;
	assert_true(token_state(token) == TOKEN_STATE_READY);
}

static bool
may_login(void *ctx, int fd)
{
	struct bench *bench = ctx;
	assert_true(fd >= 0);
	return bench->may_login;
}

static bool
load(void *ctx, const char *name, struct token_record *ret_record, struct err *err)
{
	struct bench *bench = ctx;
	if (bench->load_fails)
		return err_set(err, ERR_STORAGE, NULL);
	*ret_record = token_of(bench, name)->record;
	return true;
}

static bool
enrol(void *ctx, const char *name, const struct token_enrolment *enrolment, struct err *err)
{
	(void)err;
	struct token_record *record = &token_of(ctx, name)->record;
	assert_string_not_equal(enrolment->label, "");
	assert_string_not_equal(enrolment->manufacturer, "");
	assert_true(enrolment->capability.len > 0);
	memcpy(record->spki, enrolment->spki.data, enrolment->spki.len);
	record->spki_len = enrolment->spki.len;
	memcpy(record->capability, enrolment->capability.data, enrolment->capability.len);
	record->capability_len = enrolment->capability.len;
	return true;
}

static bool
accept_capability(void *ctx, const char *name, struct bytes capability, struct err *err)
{
	(void)err;
	struct token_record *record = &token_of(ctx, name)->record;
	assert_true(record->spki_len > 0);
	memcpy(record->capability, capability.data, capability.len);
	record->capability_len = capability.len;
	return true;
}

static bool
know_counter(void *ctx, const char *name, uint64_t counter, struct err *err)
{
	(void)err;
	assert_true(token_of(ctx, name)->record.spki_len > 0);
	assert_true(counter <= INT64_MAX);
	return true;
}

static bool
refuse_pin(void *ctx, const char *name, const uint8_t salt[static TOKEN_PIN_SALT],
	const uint8_t digest[static TOKEN_PIN_DIGEST], struct err *err)
{
	(void)err;
	struct bench_token *token = token_of(ctx, name);
	token->refused++;
	token->record.pin_refused = true;
	memcpy(token->record.pin_salt, salt, TOKEN_PIN_SALT);
	memcpy(token->record.pin_digest, digest, TOKEN_PIN_DIGEST);
	return true;
}

static bool
accept_pin(void *ctx, const char *name, struct err *err)
{
	(void)err;
	struct bench_token *token = token_of(ctx, name);
	token->accepted++;
	token->record.pin_refused = false;
	return true;
}

/* ---- fixture ---- */

static void
make_identity(struct bench_token *token)
{
	char path[192];
	EVP_PKEY *pkey = softkey_ec(CURVE_P256);
	(void)snprintf(path, sizeof(path), "%s/identity.pem", token->dir);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	CLEAN(pubkey)
	struct pubkey *pubkey = softkey_pubkey(pkey);
	struct bytes spki = pubkey_get_spki(pubkey);
	memcpy(token->record.spki, spki.data, spki.len);
	token->record.spki_len = spki.len;
	EVP_PKEY_free(pkey);
}

int
bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct err err = {0};
	if (getenv("BENCH_LOG") == NULL)
		log_set_level(LOG_LEVEL_ERROR - 1);
	clock_override(NULL, real_us);
	(void)snprintf(bench->dir, sizeof(bench->dir), "/tmp/test_token.XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	(void)snprintf(bench->socket, sizeof(bench->socket), "%s/s", bench->dir);
	for (unsigned i = 0; i < BENCH_TOKENS_MAX; i++) {
		char *dir = bench->token[i].dir;
		(void)snprintf(dir, sizeof(bench->token[i].dir), "%s/%u", bench->dir, i);
		assert_int_equal(mkdir(dir, 0700), 0);
	}
	bench->loop = loop_new(&err);
	assert_non_null(bench->loop);
	bench->may_login = true;
	bench->pin_source = "file:/dev/null";
	bench->env = "";
	bench->idle_ping = 10000;
	bench->module = "/nonexistent";
	bench->worker = getenv("FAKE_WORKER");
	if (bench->worker == NULL)
		bench->worker = FAKE_WORKER;
	*state = bench;
	return 0;
}

static void
stopped(void *ctx)
{
	struct bench *bench = ctx;
	bench->stopped = true;
}

static void
check_once(const struct bench *bench)
{
	for (size_t i = 0; i < bench->delivered; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct token_ticket *a = &bench->deliveries[i].ticket;
			const struct token_ticket *b = &bench->deliveries[j].ticket;
			assert_false(a->op_id == b->op_id && a->slot == b->slot);
		}
	}
}

static void
remove_tree(const char *dir)
{
	static const char *const names[] = {"control", "journal", "identity.pem", "pin"};
	char path[256];
	for (unsigned i = 0; i < BENCH_TOKENS_MAX; i++) {
		for (size_t n = 0; n < ARRAY_LEN(names); n++) {
			(void)snprintf(path, sizeof(path), "%s/%u/%s", dir, i, names[n]);
			(void)unlink(path);
		}
		(void)snprintf(path, sizeof(path), "%s/%u", dir, i);
		(void)rmdir(path);
	}
	assert_int_equal(rmdir(dir), 0); /* login sockets are gone, too */
}

void
bench_end(struct bench *bench)
{
	if (bench->tokens != NULL && !bench->stopped) {
		tokens_stop(bench->tokens, 0, stopped, bench);
		bench_wait(bench, bench->stopped);
	}
	tokens_free(bench->tokens);
	bench->tokens = NULL;
}

int
bench_teardown(void **state)
{
	struct bench *bench = *state;
	bench_end(bench);
	loop_free(bench->loop);
	check_once(bench);
	remove_tree(bench->dir);
	clock_override(NULL, NULL);
	free(bench);
	return 0;
}

/* Options hold char *, as they come from a file; nothing writes to them. */
static char *
text(const char *constant)
{
	return (char *)(uintptr_t)constant;
}

static void
fill_token(struct bench *bench, unsigned index, struct options_token *token)
{
	(void)snprintf(token->name, sizeof(token->name), "%s", index == 0 ? "west" : "east");
	const char *uri = bench->uris[index];
	token->uri = uri != NULL ? text(uri) : bench->token[index].dir;
	token->module = text(bench->module);
	token->pin_source = text(index == 0 ? bench->pin_source : "file:/dev/null");
	token->region = text(index == 0 ? "us-west" : "us-east");
	token->env = text(bench->env);
	token->user = text("");
	token->accept_reduced = text("");
	token->sessions = 2;
}

void
bench_options(struct bench *bench, struct options_token *tokens, struct options *ret_options)
{
	memset(tokens, 0, BENCH_TOKENS_MAX * sizeof(*tokens));
	memset(ret_options, 0, sizeof(*ret_options));
	for (unsigned i = 0; i < BENCH_TOKENS_MAX; i++)
		fill_token(bench, i, &tokens[i]);
	struct options_daemon *daemon = &ret_options->daemon;
	daemon->socket = bench->socket;
	daemon->worker = text(bench->worker);
	daemon->in_flight_per_caller = 64;
	daemon->queue = 256;
	daemon->operation_timeout = 10000;
	daemon->create_timeout = 60000;
	daemon->start_timeout = 20000;
	daemon->recycle_memory = bench->recycle_memory;
	daemon->recycle_operations = bench->recycle_operations;
	daemon->idle_ping = bench->idle_ping;
	ret_options->tokens = tokens;
	ret_options->token_count = BENCH_TOKENS_MAX;
}

void
bench_start(struct bench *bench, bool enrolled)
{
	struct options_token tokens[BENCH_TOKENS_MAX];
	struct options options;
	struct err err = {0};
	struct tokens_host host = {.ctx = bench,
		.deliver = deliver,
		.ready = ready,
		.may_login = may_login,
		.load = load,
		.enrol = enrol,
		.accept_capability = accept_capability,
		.know_counter = know_counter,
		.refuse_pin = refuse_pin,
		.accept_pin = accept_pin};
	for (unsigned i = 0; enrolled && i < BENCH_TOKENS_MAX; i++)
		make_identity(&bench->token[i]);
	bench_options(bench, tokens, &options);
	bench->tokens = tokens_new(bench->loop, &host, &options, &err);
	assert_non_null(bench->tokens);
	bench->west = tokens_find(bench->tokens, "west");
	bench->east = tokens_find(bench->tokens, "east");
	assert_null(tokens_find(bench->tokens, "north"));
}

void
bench_ready(struct bench *bench)
{
	bench_start(bench, true);
	bench_wait(bench, token_is_ready(bench->west) && token_is_ready(bench->east));
}

void
bench_control(struct bench *bench, unsigned token, const char *content)
{
	char path[192], new_path[200];
	(void)snprintf(path, sizeof(path), "%s/control", bench->token[token].dir);
	(void)snprintf(new_path, sizeof(new_path), "%s/pin", bench->token[token].dir);
	FILE *file = fopen(new_path, "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(new_path, path), 0); /* the worker never sees half of it */
}

static unsigned
count_lines(struct bench *bench, unsigned token, const char *wanted, bool whole)
{
	char path[192], line[512];
	unsigned count = 0;
	(void)snprintf(path, sizeof(path), "%s/journal", bench->token[token].dir);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		bool same = whole ? strcmp(line, wanted) == 0
				  : strncmp(line, wanted, strlen(wanted)) == 0;
		count += same ? 1 : 0;
	}
	if (file != NULL)
		(void)fclose(file);
	return count;
}

unsigned
bench_count(struct bench *bench, unsigned token, const char *line)
{
	return count_lines(bench, token, line, true);
}

bool
bench_journal_has(struct bench *bench, unsigned token, const char *start)
{
	return count_lines(bench, token, start, false) > 0;
}

void
bench_settle(struct bench *bench, int64_t ms)
{
	int64_t until_us = real_us() + ms * 1000;
	while (real_us() < until_us)
		loop_turn(bench->loop, 10);
}

bool
bench_ask_as(struct bench *bench, struct token *token, uint32_t caller, uint64_t op_id,
	const char *order, int64_t timeout_ms, struct err *err)
{
	(void)bench;
	struct wire_decrypt_request request = {
		.alg = WIRE_ALG_RSA_OAEP_256, .data = bytes_of_text(order)};
	struct token_job job = {
		.type = WIRE_DECRYPT,
		.request = &request,
		.ticket = {op_id, 0},
		.caller = caller,
		.deadline_ms = clock_monotonic_ms() + timeout_ms,
		.kind = LATENCY_RSA_4096,
	};
	return token_request(token, &job, err);
}

bool
bench_ask(struct bench *bench, uint64_t op_id, const char *order, struct err *err)
{
	return bench_ask_as(bench, bench->west, 1000, op_id, order, 60000, err);
}

bool
bench_generate(struct bench *bench, uint64_t op_id, const char *order, struct err *err)
{
	struct wire_generate_request request = {.label = order, .kty = WIRE_KTY_EC};
	struct token_job job = {
		.type = WIRE_GENERATE,
		.request = &request,
		.ticket = {op_id, 0},
		.caller = 1000,
		.deadline_ms = clock_monotonic_ms() + 120000,
		.kind = LATENCY_OTHER,
	};
	return token_request(bench->west, &job, err);
}

const struct bench_delivery *
bench_find(const struct bench *bench, uint64_t op_id)
{
	for (size_t i = 0; i < bench->delivered; i++) {
		if (bench->deliveries[i].ticket.op_id == op_id)
			return &bench->deliveries[i];
	}
	return NULL;
}

void
bench_expect(struct bench *bench, uint64_t op_id, enum err_code code)
{
	bench_wait(bench, bench_find(bench, op_id) != NULL);
	const struct bench_delivery *delivery = bench_find(bench, op_id);
	if (delivery->code != code)
		print_error("operation %llu: %s\n", (unsigned long long)op_id,
			delivery->code == ERR_NONE ? "good" : err_name(delivery->code));
	assert_int_equal(delivery->code, code);
}
