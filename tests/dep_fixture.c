#include "dep_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/b64.h"
#include "base/clock.h"
#include "crypto/random.h"

#define TURN_MS    5
#define START_US   INT64_C(1000000000)
#define WALL_US    INT64_C(1764115200000000)
#define TIMEOUT_MS 5000

static int64_t now_us; /* of the monotonic clock */

static int64_t
monotonic_us(void)
{
	return now_us;
}

static int64_t
wall_us(void)
{
	return WALL_US + now_us;
}

/* ---- the peers ---- */

static const char *const words[DEP_FIXTURE_KEYS][2] = {
	[DEP_FIXTURE_WORKS] = {"opened",      NULL                },
	[DEP_FIXTURE_DENIED] = {"denied",      "KeyDisabled"       },
	[DEP_FIXTURE_UNAVAILABLE] = {"unavailable", "ServiceUnavailable"},
	[DEP_FIXTURE_MISSING] = {"integrity",   "KeyMissing"        },
};

static int
put_attempts(char *out, size_t size, const struct dep_fixture_script *script)
{
	static const char *const kids[2] = {DEP_FIXTURE_WEST, DEP_FIXTURE_EAST};
	int len = 0;
	for (size_t i = 0; i < 2; i++) {
		const char *const *word = words[script->key[i]];
		len += snprintf(out + len, size - (size_t)len,
			"%s{\"kid\":\"%s\",\"token\":\"t\",\"outcome\":\"%s\",\"code\":%s%s%s}",
			i > 0 ? "," : "", kids[i], word[0], word[1] != NULL ? "\"" : "",
			word[1] != NULL ? word[1] : "null", word[1] != NULL ? "\"" : "");
	}
	return len;
}

static void
put_value(const struct dep_fixture *f, char text[static 64])
{
	uint8_t octets[KEYTREE_KEY_LEN];
	memcpy(octets, secret_peek(f->dep_key), sizeof(octets));
	octets[0] ^= f->script.other_key ? 1 : 0;
	b64_encode(octets, sizeof(octets), text);
}

static void
play_dual(struct dep_fixture *f, struct peer_reply *reply)
{
	const struct dep_fixture_script *script = &f->script;
	char attempts[DEP_FIXTURE_ANSWER], value[64];
	(void)put_attempts(attempts, sizeof(attempts), script);
	put_value(f, value);
	reply->delay_ms = script->delay_ms;
	bool opens = script->key[0] == DEP_FIXTURE_WORKS || script->key[1] == DEP_FIXTURE_WORKS;
	bool denied = script->key[0] == DEP_FIXTURE_DENIED && script->key[1] == DEP_FIXTURE_DENIED;
	if (script->silent) {
		reply->status = 0;
	} else if (script->status != 0) {
		reply->status = script->status;
		(void)snprintf(reply->body, sizeof(reply->body), "%s", script->body);
	} else if (opens) {
		(void)snprintf(reply->body, sizeof(reply->body),
			"{\"value\":\"%s\",\"kid\":\"%s\",\"degraded\":false,\"attempts\":[%s]}",
			value, DEP_FIXTURE_WEST, attempts);
	} else {
		reply->status = denied ? 403 : 503;
		(void)snprintf(reply->body, sizeof(reply->body),
			"{\"error\":{\"code\":\"%s\",\"message\":\"m\",%s\"details\":[%s]}}",
			denied ? "Forbidden" : "ServiceUnavailable",
			denied ? "\"innererror\":{\"code\":\"AccessDenied\"}," : "", attempts);
	}
}

static void
play_owners(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct dep_fixture *f = data;
	const char *application = strstr(request->head, "x-custody-application: ");
	f->owners_asked++;
	f->application[0] = '\0';
	if (application != NULL)
		(void)sscanf(application, "x-custody-application: %63s", f->application);
	play_dual(f, reply);
}

static void
play_service(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct dep_fixture *f = data;
	char value[64];
	if (strcmp(request->target, "/dual/unwrapkey") == 0) {
		f->service_dual_asked++;
		play_dual(f, reply);
		return;
	}
	if (f->availability_fails) {
		reply->status = 503;
		(void)snprintf(reply->body, sizeof(reply->body),
			"{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\"}}");
		return;
	}
	f->availability_used++;
	put_value(f, value);
	(void)snprintf(reply->body, sizeof(reply->body), "{\"kid\":\"%s\",\"value\":\"%s\"}",
		DEP_FIXTURE_AK, value);
}

/* ---- records ---- */

void
dep_fixture_sign(
	struct dep_fixture *f, const uint8_t digest[static 32], uint8_t signature[static 64])
{
	uint8_t der[128];
	size_t len = sizeof(der);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->signer, NULL);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, der, &len, digest, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	const uint8_t *at = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(pair);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32), 32);
	ECDSA_SIG_free(pair);
}

static const char *
make_envelope(
	struct arena *arena, const struct keytree_generation *identity, const struct secret *key)
{
	static const struct envelope_key keys[2] = {
		{DEP_FIXTURE_WEST, ALG_A256KW},
                {DEP_FIXTURE_EAST, ALG_A256KW}
        };
	static const uint8_t wrapped[ENVELOPE_KW_LEN] = {1};
	struct err err = {0};
	CLEAN(buf)
	struct buf context;
	CLEAN(buf)
	struct buf text;
	CLEAN(secret)
	struct secret *cek = NULL;
	buf_init(&context, ENVELOPE_CONTEXT_MAX);
	buf_init(&text, ENVELOPE_TEXT_MAX);
	keytree_envelope_context(identity, &context);
	CLEAN(envelope)
	struct envelope *envelope = envelope_make(keys, 2, buf_bytes(&context), key, &cek, &err);
	assert_non_null(envelope);
	for (size_t i = 0; i < 2; i++)
		assert_true(envelope_set_key(
			envelope, i, (struct bytes){wrapped, sizeof(wrapped)}, &err));
	assert_true(envelope_format(envelope, &text, &err));
	return arena_strdup(arena, buf_peek(&text));
}

struct db_dep_generation
dep_fixture_generation(
	struct dep_fixture *f, struct arena *arena, const struct keytree_generation *identity)
{
	static const uint8_t wrap[40] = {9};
	uint8_t digest[32], *signature = arena_alloc(arena, 64);
	struct err err = {0};
	struct db_dep_generation row = {
		.number = (int64_t)identity->number,
		.kid = {DEP_FIXTURE_WEST, DEP_FIXTURE_EAST},
		.envelope = make_envelope(arena, identity, f->dep_key),
		.availability_kid = DEP_FIXTURE_AK,
		.availability_wrap = {wrap,             sizeof(wrap)    },
		.signature = {signature,        64              },
		.created = 1000,
		.redundancy = 2
        };
	memcpy(row.guid, identity->generation, sizeof(row.guid));
	assert_true(keytree_check_value(f->dep_key, identity, row.check, &err));
	generation_record_seal(&row);
	generation_record_digest(identity->organization, identity->policy, &row, digest);
	dep_fixture_sign(f, digest, signature);
	return row;
}

static void
make_policy(struct dep_fixture *f, struct arena *arena, enum db_dep_policy_kind kind)
{
	struct err err = {0};
	struct keytree_generation identity = {
		.organization = "contoso", .policy = {(uint8_t)kind}, .number = 1};
	identity.generation[0] = (uint8_t)(0x80 + kind);
	struct db_dep_policy policy = {
		.kind = kind,
		.name = "policy",
		.description = "",
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = DB_DEP_OUTAGE_UNLIMITED,
		.uri = {DEP_FIXTURE_WEST, DEP_FIXTURE_EAST},
		.availability_kid = DEP_FIXTURE_AK,
		.created = 1000
        };
	struct db_dep_generation row = dep_fixture_generation(f, arena, &identity);
	memcpy(policy.guid, identity.policy, sizeof(policy.guid));
	if (!db_dep_policy_insert(f->db, &policy, &row, &f->policy[kind], &err))
		fail_msg("%s (%s)", err.message, err.origin);
	assert_true(db_dep_policy_get(f->db, f->policy[kind], arena, &policy, &err));
	f->generation[kind] = policy.current;
}

static void
make_catalog(struct dep_fixture *f)
{
	static const char *const slots[] = {"mailbox/default", "geo/policy"};
	struct err err = {0};
	CLEAN(arena)
	struct arena *arena = arena_new();
	uint8_t *spki = NULL;
	int len = i2d_PUBKEY(f->signer, &spki);
	assert_true(len > 0);
	make_policy(f, arena, DB_DEP_SERVICE);
	struct db_dep_organization contoso = {
		.name = "contoso",
		.signing_kid = "https://service.vault.test/keys/s/1",
		.signing_spki = {spki, (size_t)len},
		.created = 1000
        };
	assert_true(db_dep_organization_insert(
		f->db, &contoso, f->policy[DB_DEP_SERVICE], slots, 2, &err));
	OPENSSL_free(spki);
	make_policy(f, arena, DB_DEP_M365);
	make_policy(f, arena, DB_DEP_MAILBOX);
	make_policy(f, arena, DB_DEP_GEO);
}

/* ---- the whole ---- */

static struct async *
open_async(struct dep_fixture *f, struct client_config *config, const char *path)
{
	struct err err = {0};
	*config = (struct client_config){.socket_path = path, .timeout_ms = TIMEOUT_MS};
	uds_trust_add(&config->trust, geteuid());
	struct async *async = async_new(f->loop, config, CUSTODY_PORT_ANSWER_MAX, &err);
	assert_non_null(async);
	return async;
}

static void
open_opener(struct dep_fixture *f)
{
	struct err err = {0};
	f->config = (struct dep_opener_config){
		.loop = f->loop,
		.ops = f->ops,
		.db = f->db,
		.audit = f->audit,
		.custody = f->port,
		.calendar = f->calendar,
		.cache_ttl_ms = DEP_OPENING_TTL_MS,
		.geo_cache_ttl_ms = DEP_OPENING_GEO_TTL_MS,
		.blind_fallback_ms = BLIND_FALLBACK_MS,
	};
	f->opener = dep_opener_new(&f->config, &err);
	assert_non_null(f->opener);
}

static void
name_files(struct dep_fixture *f)
{
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-dep-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->catalog, sizeof(f->catalog), "%s/dep.db", f->directory);
	(void)snprintf(f->audit_path, sizeof(f->audit_path), "%s/audit", f->directory);
	(void)snprintf(f->owners_path, sizeof(f->owners_path), "%s/o", f->directory);
	(void)snprintf(f->service_path, sizeof(f->service_path), "%s/s", f->directory);
}

int
dep_fixture_setup(void **state)
{
	struct dep_fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	assert_non_null(f);
	now_us = START_US;
	clock_override(wall_us, monotonic_us);
	name_files(f);
	f->loop = loop_new(&err);
	f->ops = ops_new(f->loop);
	struct db_settings settings = {.kind = &dep_catalog, .path = f->catalog};
	f->db = db_open(&settings, &err);
	assert_non_null(f->db);
	f->audit = audit_open(f->audit_path, "depd", &err);
	assert_non_null(f->audit);
	f->calendar = calendar_new(f->db, INT64_MAX);
	f->dep_key = random_secret(KEYTREE_KEY_LEN);
	f->signer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(f->signer);
	make_catalog(f);
	f->owners = peer_start(f->owners_path, play_owners, f);
	f->service = peer_start(f->service_path, play_service, f);
	f->owners_async = open_async(f, &f->owners_config, f->owners_path);
	f->service_async = open_async(f, &f->service_config, f->service_path);
	f->port = custody_port_new(f->owners_async, f->service_async);
	open_opener(f);
	*state = f;
	return 0;
}

static void
remove_files(const struct dep_fixture *f)
{
	DIR *directory = opendir(f->directory);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)closedir(directory);
	(void)rmdir(f->directory);
}

static void
close_opener(struct dep_fixture *f)
{
	ops_cancel_all(f->ops);
	loop_turn(f->loop, 0);
	assert_int_equal(ops_stats(f->ops).in_flight, 0);
	dep_opener_free(f->opener);
}

int
dep_fixture_teardown(void **state)
{
	struct dep_fixture *f = *state;
	dep_fixture_drop(f);
	close_opener(f);
	custody_port_free(f->port);
	async_free(f->owners_async);
	async_free(f->service_async);
	peer_stop(f->owners);
	peer_stop(f->service);
	ops_free(f->ops);
	audit_close(f->audit);
	calendar_free(f->calendar);
	db_close(f->db);
	loop_free(f->loop);
	EVP_PKEY_free(f->signer);
	secret_free(f->dep_key);
	remove_files(f);
	clock_override(NULL, NULL);
	free(f);
	return 0;
}

void
dep_fixture_restart(struct dep_fixture *f)
{
	dep_fixture_drop(f);
	close_opener(f);
	open_opener(f);
}

void
dep_fixture_pass(struct dep_fixture *f, int64_t ms)
{
	now_us += ms * 1000;
	dep_opener_tick(f->opener);
}

void
dep_fixture_settle(struct dep_fixture *f)
{
	for (int i = 0; i < DEP_FIXTURE_TURNS && dep_opener_stats(f->opener).opening > 0; i++)
		loop_turn(f->loop, TURN_MS);
	assert_int_equal(dep_opener_stats(f->opener).opening, 0);
}

void
dep_fixture_wait(struct dep_fixture *f, unsigned count)
{
	for (int i = 0; i < DEP_FIXTURE_TURNS && f->told < count; i++)
		loop_turn(f->loop, TURN_MS);
	assert_int_equal(f->told, count);
}

void
dep_fixture_drop(struct dep_fixture *f)
{
	f->key = dep_key_unref(f->key);
}

static void
told(void *ctx, struct dep_key *key, const struct err *err)
{
	struct dep_fixture *f = ctx;
	dep_fixture_drop(f);
	f->told++;
	f->key = key != NULL ? dep_key_ref(key) : NULL;
	f->code = key != NULL ? ERR_NONE : err->code;
}

uint64_t
dep_fixture_start(struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action)
{
	static const uint8_t scope_key[KEYTREE_GUID_LEN] = {0x77};
	struct dep_opening_for why = {.action = action,
		.request = "01234567-89ab-4def-8123-456789abcdef",
		.scope_key = scope_key};
	return dep_opener_start(f->opener, f->generation[kind], &why, told, f);
}

void
dep_fixture_open(struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action)
{
	unsigned before = f->told;
	uint64_t number = dep_fixture_start(f, kind, action);
	assert_true(number != 0);
	assert_int_equal(f->told, before); /* never from within the call */
	dep_fixture_wait(f, before + 1);
	dep_fixture_settle(f);
}

unsigned
dep_fixture_audited(struct dep_fixture *f, const char *text)
{
	char line[AUDIT_LINE_MAX + 1];
	unsigned count = 0;
	FILE *file = fopen(f->audit_path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, text) != NULL ? 1 : 0;
	(void)fclose(file);
	return count;
}
