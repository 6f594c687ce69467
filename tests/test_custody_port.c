/* What becomes of a custodyd's answers: each word on a key, no word at all, and answers that are none (threats G2, G3, G4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dep_fixture.h"

struct port_fixture {
	struct dep_fixture *world; /* its loop, and what it makes */
	struct peer *peer;
	struct client_config config;
	struct async *async;
	struct custody_port *port;
	char path[96];
	int status;
	char body[DEP_FIXTURE_ANSWER];
	char asked[512], asked_body[DEP_FIXTURE_ANSWER];
	unsigned told;
	struct custody_answer answer; /* what it points to is gone */
	char text[64];                /* of the envelope or the value */
	bool has_secret;
};

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct port_fixture *f = data;
	reply->status = f->status;
	(void)snprintf(reply->body, sizeof(reply->body), "%s", f->body);
	(void)snprintf(f->asked, sizeof(f->asked), "%s %s %s", request->method, request->target,
		request->head);
	(void)snprintf(f->asked_body, sizeof(f->asked_body), "%s", request->body);
}

static void
told(void *ctx, struct custody_answer *answer)
{
	struct port_fixture *f = ctx;
	f->told++;
	f->answer = *answer;
	f->has_secret = answer->secret != NULL;
	if (answer->envelope != NULL)
		(void)snprintf(f->text, sizeof(f->text), "%.60s", answer->envelope);
	else
		(void)snprintf(f->text, sizeof(f->text), "%.*s", (int)answer->value.len,
			answer->value.len > 0 ? (const char *)answer->value.data : "");
}

static int
setup(void **state)
{
	struct port_fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	void *world = NULL;
	assert_non_null(f);
	assert_int_equal(dep_fixture_setup(&world), 0);
	f->world = world;
	(void)snprintf(f->path, sizeof(f->path), "%s/p", f->world->directory);
	f->peer = peer_start(f->path, play, f);
	f->config = (struct client_config){.socket_path = f->path, .timeout_ms = 5000};
	uds_trust_add(&f->config.trust, geteuid());
	f->async = async_new(f->world->loop, &f->config, CUSTODY_PORT_ANSWER_MAX, &err);
	assert_non_null(f->async);
	f->port = custody_port_new(f->async, f->async);
	f->status = 200;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct port_fixture *f = *state;
	void *world = f->world;
	custody_port_free(f->port);
	async_free(f->async);
	peer_stop(f->peer);
	free(f);
	return dep_fixture_teardown(&world);
}

static void
wait_for(struct port_fixture *f, uint64_t number)
{
	unsigned before = f->told;
	assert_true(number != 0);
	for (int i = 0; i < DEP_FIXTURE_TURNS && f->told == before; i++)
		loop_turn(f->world->loop, 5);
	assert_int_equal(f->told, before + 1);
}

static const char *
envelope_text(struct port_fixture *f, struct arena *arena)
{
	struct keytree_generation identity = {.organization = "contoso", .number = 1};
	return dep_fixture_generation(f->world, arena, &identity).envelope;
}

static void
unwrap(struct port_fixture *f)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct err err = {0};
	wait_for(f, custody_port_dual_unwrap(f->port, custody_port_as(DB_DEP_M365),
			    envelope_text(f, arena), bytes_of_text("c"), told, f, &err));
}

#define DENIED_BY(details)                                                                         \
	"{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":{\"code\":"           \
	"\"AccessDenied\"},\"details\":[" details "]}}"
#define WEST_SAID(outcome, code)                                                                   \
	"{\"kid\":\"" DEP_FIXTURE_WEST "\",\"token\":\"t\",\"outcome\":\"" outcome                 \
	"\",\"code\":\"" code "\"}"

static void
every_word_on_a_key_has_its_reason_G3_G4(void **state)
{
	static const struct {
		const char *outcome, *code;
		enum dep_reason reason;
		bool strange;
	} rows[] = {
		{"denied",      "Forbidden",             DEP_DENIED,      false},
		{"denied",      "AccessDenied",          DEP_DENIED,      false},
		{"denied",      "KeyDisabled",           DEP_DENIED,      false},
		{"denied",      "KeyDeleted",            DEP_DENIED,      false},
		{"denied",      "KeyPurged",             DEP_DENIED,      false},
		{"denied",      "KeyOperationForbidden", DEP_DENIED,      false},
		{"denied",      "KeyNotYetValid",        DEP_UNAVAILABLE, true },
		{"denied",      "KeyExpired",            DEP_UNAVAILABLE, true },
		{"denied",      "WhatIsThis",            DEP_UNAVAILABLE, true },
		{"denied",      "",                      DEP_UNAVAILABLE, true },
		{"denied",      "ServiceUnavailable",    DEP_UNAVAILABLE, true },
		{"bad",         "BadCiphertext",         DEP_UNAVAILABLE, true },
		{"bad",         "KeyDisabled",           DEP_UNAVAILABLE, true },
		{"integrity",   "KeyMissing",            DEP_UNAVAILABLE, true },
		{"unavailable", "ServiceUnavailable",    DEP_UNAVAILABLE, false},
		{"unavailable", "Timeout",               DEP_UNAVAILABLE, false},
		{"unavailable", "PinNeeded",             DEP_UNAVAILABLE, false},
		{"unavailable", "KeyDisabled",           DEP_UNAVAILABLE, true },
		{"unheard",     "KeyDisabled",           DEP_UNAVAILABLE, true },
		{"DENIED",      "KeyDisabled",           DEP_UNAVAILABLE, true },
		{"opened",      "",                      DEP_OPENED,      false},
	};
	struct port_fixture *f = *state;
	f->status = 403;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(f->body, sizeof(f->body), DENIED_BY(WEST_SAID("%s", "%s")),
			rows[i].outcome, rows[i].code);
		unwrap(f);
		const struct custody_attempt *attempt = &f->answer.attempts[0];
		if (f->answer.unreachable || f->answer.attempt_count != 1 || f->has_secret ||
			strcmp(attempt->kid, DEP_FIXTURE_WEST) != 0 ||
			attempt->reason != rows[i].reason || attempt->strange != rows[i].strange)
			fail_msg("%s %s: %s%s", rows[i].outcome, rows[i].code,
				dep_reason_name(attempt->reason),
				attempt->strange ? ", strange" : "");
	}
}

static void
damage_without_details_is_that_of_each_key_G3(void **state)
{
	struct port_fixture *f = *state;
	f->status = 400;
	(void)snprintf(f->body, sizeof(f->body),
		"{\"error\":{\"code\":\"BadParameter\",\"message\":\"m\"}}");
	unwrap(f);
	assert_false(f->answer.unreachable);
	assert_int_equal(f->answer.attempt_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->answer.attempts[i].reason, DEP_UNAVAILABLE);
		assert_true(f->answer.attempts[i].strange);
	}
	assert_string_equal(f->answer.attempts[1].kid, DEP_FIXTURE_EAST);
}

static void
answer_without_a_word_on_the_keys_is_none_G2(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{0,   ""							 },
		{200, ""							 },
		{200, "{\"value\":\"AAEC\"}"                                     },
		{302, ""							 },
		{401, "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"m\"}}"},
		{403, "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\"}}"   },
		{403, DENIED_BY("")					      },
		{403, DENIED_BY("7")					     },
		{429, DENIED_BY(WEST_SAID("denied",                                "KeyDisabled"))},
		{500,   "{\"error\":{\"code\":\"InternalError\",\"message\":\"m\"}}"                                                           },
		{503,   "not JSON"},
	};
	struct port_fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f->status = rows[i].status;
		(void)snprintf(f->body, sizeof(f->body), "%s", rows[i].body);
		unwrap(f);
		if (!f->answer.unreachable || f->answer.attempt_count != 0 || f->has_secret ||
			f->answer.err.code == ERR_NONE)
			fail_msg("%d %s", rows[i].status, rows[i].body);
	}
	peer_stop(f->peer);
	f->peer = NULL;
	unwrap(f);
	assert_true(f->answer.unreachable);
	assert_int_equal(f->answer.err.code, ERR_CLIENT_CONNECT);
}

static void
keys_of_the_service_are_made_and_used(void **state)
{
	struct port_fixture *f = *state;
	struct err err = {0};
	static const uint8_t digest[32] = {1};
	static const struct bytes wrapped = {digest, 8};
	(void)snprintf(f->body, sizeof(f->body),
		"{\"key\":{\"kid\":\"%s\",\"kty\":\"oct\",\"key_ops\":[\"wrapKey\"]},"
		"\"attributes\":{\"enabled\":true,\"recoveryLevel\":\"Recoverable\"}}",
		DEP_FIXTURE_AK);
	wait_for(f, custody_port_key_create(
			    f->port, "service.vault.test", "ak", KTY_OCT, told, f, &err));
	assert_string_equal(f->answer.key.kid, DEP_FIXTURE_AK);
	assert_int_equal(f->answer.key.expires, -1);
	assert_non_null(strstr(f->asked, "POST /keys/ak/create?api-version="));
	assert_non_null(strstr(f->asked, "Host: service.vault.test"));
	assert_null(strstr(f->asked, "x-custody-application"));
	assert_non_null(strstr(f->asked_body, "\"key_size\":256"));
	(void)snprintf(
		f->body, sizeof(f->body), "{\"kid\":\"%s\",\"value\":\"cnM\"}", DEP_FIXTURE_AK);
	wait_for(f, custody_port_sign(f->port, DEP_FIXTURE_AK, digest, told, f, &err));
	assert_string_equal(f->text, "rs");
	assert_non_null(strstr(f->asked_body, "\"ES256\""));
	wait_for(f,
		custody_port_unwrap(f->port, DB_DEP_M365, DEP_FIXTURE_AK, wrapped, told, f, &err));
	assert_true(f->has_secret);
	uint64_t number = custody_port_unwrap(
		f->port, DB_DEP_M365, "https://service.vault.test/keys/ak", wrapped, told, f, &err);
	assert_true(number == 0);
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
envelope_that_is_none_is_not_taken(void **state)
{
	static const char *const uris[2] = {
		"https://west.vault.test/keys/k", "https://east.vault.test/keys/k"};
	struct port_fixture *f = *state;
	struct err err = {0};
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct custody_as as = custody_port_as(DB_DEP_MAILBOX);
	(void)snprintf(f->body, sizeof(f->body), "{\"envelope\":%s,\"warnings\":[]}",
		envelope_text(f, arena));
	wait_for(f, custody_port_dual_wrap(f->port, as, uris, bytes_of_text("c"), f->world->dep_key,
			    told, f, &err));
	assert_int_equal(f->answer.err.code, ERR_NONE);
	assert_memory_equal(f->text, "{\"protected\":", 13);
	assert_non_null(strstr(f->asked, CUSTODY_APP_EXCHANGE));
	(void)snprintf(f->body, sizeof(f->body), "{\"envelope\":{}}");
	wait_for(f, custody_port_dual_wrap(f->port, as, uris, bytes_of_text("c"), f->world->dep_key,
			    told, f, &err));
	assert_int_equal(f->answer.err.code, ERR_CLIENT_ANSWER);
	assert_true(f->answer.unreachable);
}

static void
cancelled_call_is_not_answered(void **state)
{
	struct port_fixture *f = *state;
	struct err err = {0};
	uint64_t number = custody_port_vault_get(f->port, custody_service, "west", told, f, &err);
	assert_true(number != 0);
	custody_port_cancel(f->port, number);
	custody_port_cancel(f->port, number);
	custody_port_cancel(f->port, 0);
	for (int i = 0; i < 5; i++)
		loop_turn(f->world->loop, 1);
	assert_int_equal(f->told, 0);
	number = custody_port_vault_get(f->port, custody_service, "no vault", told, f, &err);
	assert_true(number == 0);
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	/* under way when all of it ends: no callback, no leak */
	number = custody_port_vault_get(f->port, custody_service, "west", told, f, &err);
	assert_true(number != 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_word_on_a_key_has_its_reason_G3_G4),
		TEST(damage_without_details_is_that_of_each_key_G3),
		TEST(answer_without_a_word_on_the_keys_is_none_G2),
		TEST(keys_of_the_service_are_made_and_used),
		TEST(envelope_that_is_none_is_not_taken),
		TEST(cancelled_call_is_not_answered),
	};
	return cmocka_run_group_tests_name("custody_port", tests, NULL, NULL);
}
