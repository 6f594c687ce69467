/* libcustody as a program sees it: the shared library and its public header, against a scripted daemon. */
#include "lib/custody/custody.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_server.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KID_WEST     "https://west.vault.test/keys/k1/0123456789abcdef0123456789abcdef"
#define KID_EAST     "https://east.vault.test/keys/k2/fedcba9876543210fedcba9876543210"

struct fixture {
	char directory[64];
	char path[96];
	struct peer *peer;
	struct custody_client *client;
	struct custody_error error;
	/* what the peer answers and saw */
	int status;
	const char *headers;
	unsigned delay_ms;
	const char *bodies[4]; /* the last one is repeated */
	unsigned served;
	char target[512];
	char head[2048];
	char sent[8192];
};

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	const char *body = f->bodies[0];
	for (unsigned i = 0; i <= f->served && i < COUNT(f->bodies) && f->bodies[i] != NULL; i++)
		body = f->bodies[i];
	f->served++;
	reply->status = f->status;
	reply->delay_ms = f->delay_ms;
	(void)snprintf(reply->headers, sizeof(reply->headers), "%s", f->headers);
	(void)snprintf(reply->body, sizeof(reply->body), "%s", body);
	(void)snprintf(f->target, sizeof(f->target), "%s %s", request->method, request->target);
	(void)snprintf(f->head, sizeof(f->head), "%s", request->head);
	(void)snprintf(f->sent, sizeof(f->sent), "%s", request->body);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-lib-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	f->status = 200;
	f->headers = "x-ms-request-id: r-1\r\n";
	f->bodies[0] = "{}";
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

static struct custody_bytes
octets(const char *text)
{
	return (struct custody_bytes){(const uint8_t *)text, strlen(text)};
}

/* ---- client ---- */

static void
options_of_an_unknown_size_or_kind_are_refused(void **state)
{
	struct fixture *f = *state;
	struct custody_client *client = NULL;
	struct custody_options options = CUSTODY_OPTIONS_INIT;

	options.size = sizeof(options) + 8;
	assert_false(custody_client_new(&options, &client, &f->error));
	assert_string_equal(f->error.name, "BadParameter");
	options.size = sizeof(options);
	options.application = "not a guid";
	assert_false(custody_client_new(&options, &client, &f->error));
	assert_string_equal(f->error.name, "BadParameter");
	assert_null(client);
}

static void
older_options_are_taken(void **state)
{
	struct fixture *f = *state;
	struct custody_client *client = NULL;
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	options.size = offsetof(struct custody_options, application);
	options.socket_path = f->path;
	options.application = "not looked at";

	assert_true(custody_client_new(&options, &client, &f->error));
	assert_true(custody_request(client, "GET", NULL, "/health", NULL, NULL, &f->error));

	custody_client_free(client);
}

static void
socket_of_the_environment_is_used(void **state)
{
	struct fixture *f = *state;
	struct custody_client *client = NULL;
	(void)setenv("CUSTODY_SOCKET", f->path, 1);
	assert_true(custody_client_new(NULL, &client, &f->error));
	(void)unsetenv("CUSTODY_SOCKET");

	assert_true(custody_request(client, "GET", NULL, "/health", NULL, NULL, &f->error));

	custody_client_free(client);
}

static void
server_uid_of_the_environment_must_be_a_number(void **state)
{
	struct fixture *f = *state;
	struct custody_client *client = NULL;
	(void)setenv("CUSTODY_SERVER_UID", "alice", 1);
	bool made = custody_client_new(NULL, &client, &f->error);
	(void)unsetenv("CUSTODY_SERVER_UID");

	assert_false(made);
	assert_string_equal(f->error.name, "BadParameter");
}

static void
request_on_a_vault_speaks_the_dialect(void **state)
{
	struct fixture *f = *state;
	char *answer = NULL;
	f->bodies[0] = "{\"value\":[]}";

	assert_true(custody_request(f->client, "GET", "west.vault.test", "/keys?maxresults=5", NULL,
		&answer, &f->error));

	assert_string_equal(answer, "{\"value\":[]}");
	assert_string_equal(f->target, "GET /keys?maxresults=5&api-version=7.4");
	assert_non_null(strstr(f->head, "Host: west.vault.test\r\n"));
	assert_non_null(strstr(f->head, "Authorization: Bearer"));
	custody_text_free(answer);
}

static void
request_beside_the_dialect_has_no_version_and_no_bearer(void **state)
{
	struct fixture *f = *state;

	assert_true(custody_request(
		f->client, "PUT", NULL, "/vaults/west", "{\"token\":\"west\"}", NULL, &f->error));

	assert_string_equal(f->target, "PUT /vaults/west");
	assert_string_equal(f->sent, "{\"token\":\"west\"}");
	assert_null(strstr(f->head, "Authorization"));
}

static void
request_of_a_bad_shape_is_not_sent(void **state)
{
	struct fixture *f = *state;

	assert_false(custody_request(f->client, "BREW", NULL, "/", NULL, NULL, &f->error));
	assert_false(custody_request(f->client, "GET", NULL, "status", NULL, NULL, &f->error));
	assert_false(custody_request(f->client, "GET", "a b", "/keys", NULL, NULL, &f->error));
	assert_false(
		custody_request(f->client, "GET", "a\r\nX: y", "/keys", NULL, NULL, &f->error));
	assert_false(custody_request(f->client, "GET", NULL, "/a b", NULL, NULL, &f->error));

	assert_int_equal(peer_requests(f->peer), 0);
}

/* ---- errors ---- */

struct error_case {
	int status;
	const char *body;
	const char *name;
	enum custody_class error_class;
	bool retryable;
	const char *message;
};

static void
errors_have_name_class_and_sentence(void **state)
{
	static const struct error_case cases[] = {
		{403,
                 "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{"
			"\"code\":"
			"\"KeyDisabled\"}}}",						 "KeyDisabled",        CUSTODY_CLASS_DENIED,      false, "no"                        },
		{403,
                 "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{"
			"\"code\":"
			"\"ForbiddenByPolicy\"}}}",					   "Forbidden",          CUSTODY_CLASS_DENIED,      false, "no"                        },
		{404, "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"gone\"}}",          "KeyNotFound",
                 CUSTODY_CLASS_BAD,													    false, "gone"                      },
		{400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"x\"}}",            "BadParameter",
                 CUSTODY_CLASS_BAD,													    false, "x"                         },
		{503, "{\"error\":{\"code\":\"ServiceUnavailable\"}}",                        "ServiceUnavailable",
                 CUSTODY_CLASS_UNAVAILABLE,												    true,
                 "The token is not available; try again later."														   },
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\","
			"\"innererror\":{"
			"\"code\":\"KeyIntegrity\"}}}",				       "KeyIntegrity",       CUSTODY_CLASS_INTEGRITY,   false, "m"                         },
		{429, "{\"error\":{\"code\":\"Throttled\",\"message\":\"slow\"}}",            "Throttled",
                 CUSTODY_CLASS_UNAVAILABLE,												    true,  "slow"                      },
		{403, "{\"error\":{\"code\":\"Future\",\"message\":\"new\"}}",                "Future",
                 CUSTODY_CLASS_DENIED,													 false, "new"                       },
		{500, "<html>",							       "BadAnswer",          CUSTODY_CLASS_UNAVAILABLE, false,
                 "The daemon gave no reason."																     },
		{400, "",								     "BadAnswer",          CUSTODY_CLASS_BAD,         false, "The daemon gave no reason."},
		{400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"a\\u001b[2Jb\"}}",
                 "BadParameter",										    CUSTODY_CLASS_BAD,         false, "a?[2Jb"                    },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct error_case *row = &cases[i];
		print_message("%d %s\n", row->status, row->name);
		f->status = row->status;
		f->bodies[0] = row->body;
		char *answer = NULL;

		assert_false(custody_request(
			f->client, "GET", NULL, "/status", NULL, &answer, &f->error));

		assert_null(answer);
		assert_int_equal(f->error.status, row->status);
		assert_string_equal(f->error.name, row->name);
		assert_int_equal(f->error.error_class, row->error_class);
		assert_int_equal(f->error.retryable, row->retryable);
		assert_string_equal(f->error.message, row->message);
		assert_string_equal(f->error.request_id, "r-1");
	}
}

static void
error_of_a_dual_operation_has_each_keys_reason(void **state)
{
	struct fixture *f = *state;
	struct custody_secret plaintext = {NULL, 0};
	f->status = 503;
	f->bodies[0] = "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\",\"details\":["
		       "{\"kid\":\"" KID_WEST "\",\"token\":\"west\",\"outcome\":\"unavailable\","
		       "\"code\":\"ServiceUnavailable\"},"
		       "{\"kid\":\"" KID_EAST "\",\"token\":null,\"outcome\":\"denied\","
		       "\"code\":\"Forbidden\"},"
		       "{\"kid\":7}]}}";

	assert_false(custody_dual_unwrap(f->client, "{}", octets(""), &plaintext, NULL, &f->error));

	assert_int_equal(f->error.attempt_count, 2); /* what cannot be read is left out */
	assert_string_equal(f->error.attempts[0].key_id, KID_WEST);
	assert_string_equal(f->error.attempts[0].token, "west");
	assert_string_equal(f->error.attempts[0].outcome, "unavailable");
	assert_string_equal(f->error.attempts[0].name, "ServiceUnavailable");
	assert_string_equal(f->error.attempts[1].key_id, KID_EAST);
	assert_string_equal(f->error.attempts[1].token, "");
	assert_string_equal(f->error.attempts[1].outcome, "denied");
	assert_string_equal(f->error.attempts[1].name, "Forbidden");
	assert_string_equal(f->error.name, "ServiceUnavailable");

	f->bodies[0] = "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\"}}";
	assert_false(custody_dual_unwrap(f->client, "{}", octets(""), &plaintext, NULL, &f->error));
	assert_int_equal(f->error.attempt_count, 0);
}

static void
long_message_is_cut(void **state)
{
	struct fixture *f = *state;
	char body[1024];
	int len = snprintf(body, sizeof(body),
		"{\"error\":{\"code\":\"NotFound\",\"message\":\"%0500d\"}}", 0);
	assert_true(len > 0);
	f->status = 404;
	f->bodies[0] = body;

	assert_false(custody_request(f->client, "GET", NULL, "/x", NULL, NULL, &f->error));

	assert_int_equal(strlen(f->error.message), sizeof(f->error.message) - 1);
}

static void
answer_that_is_no_json_is_told(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"value\":";

	assert_false(custody_request(f->client, "GET", NULL, "/x", NULL, NULL, &f->error));

	assert_string_equal(f->error.name, "BadAnswer");
	assert_int_equal(f->error.status, 200);
}

static void
class_names_are_words(void **state)
{
	(void)state;
	assert_string_equal(custody_class_name(CUSTODY_CLASS_BAD), "bad");
	assert_string_equal(custody_class_name(CUSTODY_CLASS_INTEGRITY), "integrity");
	assert_string_equal(custody_class_name((enum custody_class)99), "");
}

/* ---- keys ---- */

static const char bundle[] =
	"{\"key\":{\"kid\":\"" KID_WEST
	"\",\"kty\":\"RSA\",\"key_ops\":[\"wrapKey\",\"unwrapKey\"],"
	"\"n\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"e\":\"AQAB\"},"
	"\"attributes\":{\"enabled\":true,\"created\":100,\"updated\":200,\"exp\":300,"
	"\"recoveryLevel\":\"Recoverable+Purgeable\"},\"tags\":{\"a\":\"b\"}}";

static void
create_sends_the_default_and_reads_the_key(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = bundle;

	assert_true(custody_key_create(f->client, "west", "k1", NULL, &key, &f->error));

	assert_string_equal(f->target, "POST /keys/k1/create?api-version=7.4");
	assert_string_equal(
		f->sent, "{\"kty\":\"RSA\",\"key_size\":3072,\"attributes\":{\"enabled\":true}}");
	assert_string_equal(key->id, KID_WEST);
	assert_string_equal(key->vault, "west");
	assert_string_equal(key->name, "k1");
	assert_string_equal(key->version, "0123456789abcdef0123456789abcdef");
	assert_string_equal(key->type, "RSA");
	assert_int_equal(key->size_bits, 256);
	assert_int_equal(key->operations, CUSTODY_OP_WRAP | CUSTODY_OP_UNWRAP);
	assert_true(key->enabled);
	assert_int_equal(key->created, 100);
	assert_int_equal(key->expires, 300);
	assert_int_equal(key->not_before, 0);
	assert_string_equal(key->recovery_level, "Recoverable+Purgeable");
	custody_key_free(key);
}

static void
create_sends_what_is_asked(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = bundle;
	struct custody_key_new what = {.size = sizeof(what),
		.type = "EC",
		.curve = "P-384",
		.operations = CUSTODY_OP_SIGN | CUSTODY_OP_VERIFY,
		.disabled = true,
		.not_before = 5,
		.expires = 9};

	assert_true(custody_key_create(f->client, "west", "k1", &what, &key, &f->error));

	assert_string_equal(f->sent,
		"{\"kty\":\"EC\",\"crv\":\"P-384\",\"key_ops\":[\"sign\",\"verify\"],"
		"\"attributes\":{\"enabled\":false,\"nbf\":5,\"exp\":9}}");
	custody_key_free(key);
}

static void
update_sends_only_changes(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = bundle;
	struct custody_key_change change = {.size = sizeof(change), .enabled = 0};

	assert_true(custody_key_update(f->client, "west", "k1", NULL, &change, &key, &f->error));

	assert_string_equal(f->target, "PATCH /keys/k1/?api-version=7.4");
	assert_string_equal(f->sent, "{\"attributes\":{\"enabled\":false}}");
	custody_key_free(key);
}

static void
delete_recover_purge_take_their_routes(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;

	assert_true(custody_key_delete(f->client, "west", "k1", NULL, &f->error));
	assert_string_equal(f->target, "DELETE /keys/k1?api-version=7.4");
	struct custody_key *key = NULL;
	assert_true(custody_key_get_deleted(f->client, "west", "k1", &key, &f->error));
	assert_string_equal(f->target, "GET /deletedkeys/k1?api-version=7.4");
	custody_key_free(key);
	assert_true(custody_key_recover(f->client, "west", "k1", NULL, &f->error));
	assert_string_equal(f->target, "POST /deletedkeys/k1/recover?api-version=7.4");
	f->status = 204;
	f->bodies[0] = "";
	assert_true(custody_key_purge(f->client, "west", "k1", &f->error));
	assert_string_equal(f->target, "DELETE /deletedkeys/k1?api-version=7.4");
}

static void
bad_names_and_versions_are_not_sent(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	static const char *const names[] = {"", "a/b", "a b", "a_b", "..", "k?x=1"};
	for (size_t i = 0; i < COUNT(names); i++)
		assert_false(custody_key_get(f->client, "west", names[i], NULL, &key, &f->error));
	assert_false(custody_key_get(f->client, "west", "k", "../x", &key, &f->error));
	assert_false(custody_key_get(f->client, NULL, "k", NULL, &key, &f->error));

	assert_int_equal(peer_requests(f->peer), 0);
	assert_null(key);
}

static void
key_answer_without_id_is_told(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = "{\"key\":{},\"attributes\":{\"enabled\":true}}";

	assert_false(custody_key_get(f->client, "west", "k", NULL, &key, &f->error));

	assert_string_equal(f->error.name, "BadAnswer");
	assert_null(key);
}

static void
list_follows_its_pages(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] =
		"{\"value\":[{\"kid\":\"https://west.vault.test/keys/"
		"a\",\"attributes\":{\"enabled\":true}},"
		"{\"kid\":\"https://west.vault.test/keys/b\",\"attributes\":{\"enabled\":false}}],"
		"\"nextLink\":\"https://west.vault.test:443/keys?api-version=7.4&$skiptoken=x\"}";
	f->bodies[1] = "{\"value\":[],\"nextLink\":\"/keys?api-version=7.4&$skiptoken=y\"}";
	f->bodies[2] = "{\"value\":[{\"kid\":\"https://west.vault.test/keys/"
		       "c\",\"attributes\":{\"enabled\":true}}],"
		       "\"nextLink\":null}";
	struct custody_key_list *list = NULL;
	assert_true(
		custody_key_list_new(f->client, CUSTODY_LIST_KEYS, "west", NULL, &list, &f->error));
	char names[8] = "";
	const struct custody_key *key = NULL;
	do {
		assert_true(custody_key_list_next(list, &key, &f->error));
		if (key != NULL)
			names[strlen(names)] = key->name[0];
	} while (key != NULL);

	assert_string_equal(names, "abc");
	assert_string_equal(f->target, "GET /keys?api-version=7.4&$skiptoken=y");
	assert_true(custody_key_list_next(list, &key, &f->error));
	assert_null(key);
	custody_key_list_free(list);
}

/* ---- operations ---- */

static void
wrap_and_unwrap_move_octets(void **state)
{
	struct fixture *f = *state;
	struct custody_result *result = NULL;
	struct custody_secret key = {NULL, 0};
	f->bodies[0] = "{\"kid\":\"" KID_WEST "\",\"value\":\"_-8\"}";

	assert_true(custody_wrap(f->client, "https://west.vault.test/keys/k1", "RSA-OAEP-256",
		octets("secret"), &result, &f->error));
	assert_string_equal(f->target, "POST /keys/k1//wrapkey?api-version=7.4");
	assert_string_equal(f->sent, "{\"alg\":\"RSA-OAEP-256\",\"value\":\"c2VjcmV0\"}");
	assert_string_equal(result->key_id, KID_WEST);
	assert_int_equal(result->value.len, 2);
	assert_true(custody_unwrap(f->client, result->key_id, "RSA-OAEP-256",
		(struct custody_bytes){result->value.data, result->value.len}, &key, &f->error));
	assert_string_equal(f->target,
		"POST /keys/k1/0123456789abcdef0123456789abcdef/unwrapkey?api-version=7.4");
	assert_memory_equal(key.data, "\xff\xef", 2);

	custody_result_free(result);
	custody_secret_free(&key);
	assert_null(key.data);
}

static void
encrypt_and_decrypt_carry_iv_tag_and_aad(void **state)
{
	struct fixture *f = *state;
	struct custody_result *result = NULL;
	struct custody_secret plaintext = {NULL, 0};
	f->bodies[0] = "{\"kid\":\"" KID_WEST "\",\"value\":\"AQ\",\"iv\":\"Ag\",\"tag\":\"Aw\"}";

	assert_true(custody_encrypt(
		f->client, KID_WEST, "A256GCM", octets("x"), octets("a"), &result, &f->error));
	assert_int_equal(result->iv.data[0], 2);
	assert_int_equal(result->tag.data[0], 3);
	assert_true(custody_decrypt(f->client, KID_WEST, "A256GCM", octets("c"), octets("i"),
		octets("t"), octets("a"), &plaintext, &f->error));

	assert_string_equal(f->sent, "{\"alg\":\"A256GCM\",\"value\":\"Yw\",\"iv\":\"aQ\",\"tag\":"
				     "\"dA\",\"aad\":\"YQ\"}");
	custody_result_free(result);
	custody_secret_free(&plaintext);
}

static void
sign_and_verify(void **state)
{
	struct fixture *f = *state;
	struct custody_result *result = NULL;
	bool valid = true;
	f->bodies[0] = "{\"kid\":\"" KID_WEST "\",\"value\":\"AQ\"}";
	assert_true(custody_sign(f->client, KID_WEST, "RS256", octets("d"), &result, &f->error));
	f->bodies[0] = "{\"value\":false}";
	assert_true(custody_verify(
		f->client, KID_WEST, "RS256", octets("d"), octets("s"), &valid, &f->error));

	assert_false(valid);
	assert_string_equal(f->sent, "{\"alg\":\"RS256\",\"digest\":\"ZA\",\"value\":\"cw\"}");
	custody_result_free(result);
}

static void
operations_refuse_what_is_no_key_id(void **state)
{
	struct fixture *f = *state;
	static const char *const ids[] = {NULL, "", "k1", "http://west.vault.test/keys/k1",
		"https://west.vault.test/secrets/k1", "https://west.vault.test/keys/k1/short",
		"https://west.vault.test/keys/k1/"};
	struct custody_secret key = {NULL, 0};
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_false(custody_unwrap(
			f->client, ids[i], "RSA-OAEP", octets("x"), &key, &f->error));
		assert_string_equal(f->error.name, "BadParameter");
	}
	assert_int_equal(peer_requests(f->peer), 0);
}

/* ---- dual ---- */

static const char *const two_keys[2] = {KID_WEST, KID_EAST};

static void
dual_wrap_gives_the_envelope_as_it_came(void **state)
{
	struct fixture *f = *state;
	char *envelope = NULL;
	f->bodies[0] = "{\"envelope\": {\"protected\":\"x\", \"a\":[1]} ,\"warnings\":[]}";

	assert_true(custody_dual_wrap(
		f->client, two_keys, octets(""), octets("p"), &envelope, &f->error));

	assert_string_equal(f->target, "POST /dual/wrapkey");
	assert_string_equal(f->sent,
		"{\"keys\":[\"" KID_WEST "\",\"" KID_EAST "\"],\"context\":\"\",\"value\":\"cA\"}");
	assert_string_equal(envelope, "{\"protected\":\"x\", \"a\":[1]}");
	custody_text_free(envelope);
}

static void
dual_generate_checks_the_length(void **state)
{
	struct fixture *f = *state;
	struct custody_secret key = {NULL, 0};
	char *envelope = NULL;
	f->bodies[0] = "{\"value\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"envelope\":{},\"warnings\":[]}";

	assert_true(custody_dual_generate(
		f->client, two_keys, octets("c"), 16, &key, &envelope, &f->error));
	assert_int_equal(key.len, 16);
	custody_secret_free(&key);
	custody_text_free(envelope);
	envelope = NULL;
	assert_false(custody_dual_generate(
		f->client, two_keys, octets("c"), 32, &key, &envelope, &f->error));

	assert_string_equal(f->error.name, "BadAnswer");
	assert_null(key.data);
	assert_null(envelope);
}

static void
dual_unwrap_tells_degraded(void **state)
{
	struct fixture *f = *state;
	struct custody_secret plaintext = {NULL, 0};
	struct custody_opened opened;
	f->bodies[0] =
		"{\"value\":\"cA\",\"kid\":\"" KID_EAST "\",\"degraded\":true,\"attempts\":[]}";

	assert_true(custody_dual_unwrap(
		f->client, " {\"e\":1} ", octets("c"), &plaintext, &opened, &f->error));

	assert_string_equal(f->sent, "{\"envelope\":{\"e\":1},\"context\":\"Yw\"}");
	assert_true(opened.degraded);
	assert_string_equal(opened.key_id, KID_EAST);
	assert_memory_equal(plaintext.data, "p", 1);
	custody_secret_free(&plaintext);
}

static void
dual_refuses_an_envelope_that_is_no_object(void **state)
{
	struct fixture *f = *state;
	static const char *const envelopes[] = {
		NULL, "", "[]", "{", "{} {}", "\"x\"", "{},\"keys\":[\"a\"]", "{}}"};
	struct custody_secret plaintext = {NULL, 0};
	for (size_t i = 0; i < COUNT(envelopes); i++) {
		assert_false(custody_dual_unwrap(
			f->client, envelopes[i], octets(""), &plaintext, NULL, &f->error));
		assert_string_equal(f->error.name, "BadParameter");
	}
	assert_int_equal(peer_requests(f->peer), 0);
}

static void
dual_rewrap_takes_new_keys_or_none(void **state)
{
	struct fixture *f = *state;
	char *envelope = NULL;
	f->bodies[0] = "{\"envelope\":{\"n\":1}}";

	assert_true(custody_dual_rewrap(f->client, "{}", octets(""), NULL, &envelope, &f->error));
	assert_string_equal(f->sent, "{\"envelope\":{},\"context\":\"\"}");
	custody_text_free(envelope);
	assert_true(
		custody_dual_rewrap(f->client, "{}", octets(""), two_keys, &envelope, &f->error));
	assert_non_null(strstr(f->sent, "\"keys\":[\"" KID_WEST "\""));
	custody_text_free(envelope);
}

static void
dual_check_reports_each_recipient(void **state)
{
	struct fixture *f = *state;
	struct custody_check *check = NULL;
	f->bodies[0] = "{\"recipients\":[{\"kid\":\"" KID_WEST
		       "\",\"token\":\"west\",\"outcome\":\"opened\",\"code\":null},"
		       "{\"kid\":\"" KID_EAST
		       "\",\"token\":\"east\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"}],"
		       "\"redundancy\":1}";

	assert_true(custody_dual_check(f->client, "{}", octets(""), &check, &f->error));

	assert_int_equal(check->redundancy, 1);
	assert_int_equal(check->attempt_count, 2);
	assert_string_equal(check->attempts[0].name, "");
	assert_string_equal(check->attempts[1].token, "east");
	assert_string_equal(check->attempts[1].name, "KeyDisabled");
	custody_check_free(check);
}

/* ---- the daemon's comings and goings ---- */

static void
daemon_that_restarts_between_calls_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = bundle;
	assert_true(custody_key_get(f->client, "west", "k1", NULL, &key, &f->error));
	custody_key_free(key);

	peer_stop(f->peer);
	f->peer = peer_start(f->path, play, f);

	assert_true(custody_key_get(f->client, "west", "k1", NULL, &key, &f->error));
	custody_key_free(key);
	assert_true(custody_key_purge(f->client, "west", "k1", &f->error));
	assert_int_equal(peer_requests(f->peer), 2);
}

static void
daemon_that_is_gone_is_told_and_found_when_it_returns(void **state)
{
	struct fixture *f = *state;
	struct custody_key *key = NULL;
	f->bodies[0] = bundle;
	assert_true(custody_key_get(f->client, "west", "k1", NULL, &key, &f->error));
	custody_key_free(key);
	key = NULL;
	peer_stop(f->peer);
	f->peer = NULL;

	assert_false(custody_key_get(f->client, "west", "k1", NULL, &key, &f->error));
	assert_null(key);
	assert_string_equal(f->error.name, "ConnectionFailed");
	assert_int_equal(f->error.error_class, CUSTODY_CLASS_UNAVAILABLE);
	assert_true(f->error.retryable);
	assert_int_equal(f->error.status, 0);
	assert_non_null(strstr(f->error.message, f->path));
	assert_false(custody_key_purge(f->client, "west", "k1", &f->error));
	assert_string_equal(f->error.name, "ConnectionFailed"); /* known not to have happened */

	f->peer = peer_start(f->path, play, f);
	assert_true(custody_key_get(f->client, "west", "k1", NULL, &key, &f->error));
	custody_key_free(key);
}

static void
slow_daemon_is_a_timeout(void **state)
{
	struct fixture *f = *state;
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	struct custody_client *client = NULL;
	struct custody_key *key = NULL;
	options.socket_path = f->path;
	options.retries = 0;
	options.timeout_ms = 1;
	f->delay_ms = 200;
	f->bodies[0] = bundle;
	assert_true(custody_client_new(&options, &client, &f->error));

	assert_false(custody_key_get(client, "west", "k1", NULL, &key, &f->error));
	assert_string_equal(f->error.name, "Timeout");
	assert_false(custody_key_purge(client, "west", "k1", &f->error));
	/* before it was sent, or after */
	assert_true(strcmp(f->error.name, "OutcomeUnknown") == 0 ||
		    strcmp(f->error.name, "ConnectionFailed") == 0);
	custody_client_free(client);
}

/* ---- threads ---- */

struct worker {
	struct custody_client *client;
	struct custody_options options;
	bool failed;
};

static void *
work(void *data)
{
	struct worker *worker = data;
	for (int i = 0; i < 50; i++) {
		struct custody_key *key = NULL;
		struct custody_error error;
		if (!custody_key_get(worker->client, "west", "k1", NULL, &key, &error))
			worker->failed = true;
		custody_key_free(key);
	}
	return NULL;
}

static void
one_client_serves_many_threads(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;
	pthread_t threads[24]; /* more than connections are kept */
	struct worker workers[COUNT(threads)];
	for (size_t i = 0; i < COUNT(threads); i++) {
		workers[i] = (struct worker){.client = f->client};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(workers[i].failed);
	}
	assert_int_equal(peer_requests(f->peer), 50 * COUNT(threads));
}

/* A client each: what libcurl and the library set up once is shared. */
static void *
work_alone(void *data)
{
	struct worker *worker = data;
	for (int i = 0; i < 20 && !worker->failed; i++) {
		struct custody_error error;
		worker->failed = !custody_client_new(&worker->options, &worker->client, &error);
		if (worker->failed)
			break;
		struct custody_result *result = NULL;
		worker->failed = !custody_wrap(worker->client, KID_WEST, "A256KW",
			octets("0123456789abcdef"), &result, &error);
		custody_result_free(result);
		custody_client_free(worker->client);
	}
	return NULL;
}

static void
clients_of_many_threads_do_not_meet(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"kid\":\"" KID_WEST "\",\"value\":\"AQ\"}";
	pthread_t threads[16];
	struct worker workers[COUNT(threads)];
	for (size_t i = 0; i < COUNT(threads); i++) {
		struct custody_options options = CUSTODY_OPTIONS_INIT;
		options.socket_path = f->path;
		workers[i] = (struct worker){.options = options};
		assert_int_equal(pthread_create(&threads[i], NULL, work_alone, &workers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(workers[i].failed);
	}
	assert_int_equal(peer_requests(f->peer), 20 * COUNT(threads));
}

/* ---- login ---- */

struct desk {
	int listener;
	const char *answer;
	char line[300];
};

static void *
serve_login(void *data)
{
	struct desk *desk = data;
	int fd = accept(desk->listener, NULL, NULL);
	size_t len = 0;
	while (len + 1 < sizeof(desk->line) && memchr(desk->line, '\n', len) == NULL) {
		ssize_t got = recv(fd, desk->line + len, sizeof(desk->line) - 1 - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	(void)send(fd, desk->answer, strlen(desk->answer), MSG_NOSIGNAL);
	(void)close(fd);
	return NULL;
}

struct login_case {
	const char *answer;
	const char *name; /* NULL: success */
};

static void
login_hands_over_one_line(void **state)
{
	static const struct login_case cases[] = {
		{"ok\n",				 NULL              },
		{"error PinRefused The PIN is wrong.\n", "PinRefused"      },
		{"error Strange news\n",                 "InternalError"   },
		{"what\n",			       "BadAnswer"       },
		{"",				     "ConnectionFailed"},
		{"ok",				   "ConnectionFailed"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s", cases[i].answer);
		struct desk desk = {.answer = cases[i].answer};
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		(void)snprintf(
			address.sun_path, sizeof(address.sun_path), "%s.login-west", f->path);
		desk.listener = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_return_code(
			bind(desk.listener, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_return_code(listen(desk.listener, 1), 0);
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, serve_login, &desk), 0);

		bool done = custody_token_login(f->client, "west", octets("1234"), &f->error);

		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_string_equal(desk.line, "1234\n");
		assert_int_equal(done, cases[i].name == NULL);
		if (!done)
			assert_string_equal(f->error.name, cases[i].name);
		(void)close(desk.listener);
		(void)unlink(address.sun_path);
	}
}

static void
login_refuses_a_bad_pin_or_token(void **state)
{
	struct fixture *f = *state;
	char pin[257];
	memset(pin, '1', sizeof(pin));
	pin[256] = '\0';

	assert_false(custody_token_login(f->client, "west", octets(pin), &f->error));
	assert_string_equal(f->error.name, "BadParameter");
	assert_false(custody_token_login(f->client, "west", octets(""), &f->error));
	assert_false(custody_token_login(f->client, "west", octets("1\n2"), &f->error));
	assert_false(custody_token_login(f->client, "../x", octets("1"), &f->error));
	assert_string_equal(f->error.name, "TokenNotFound");
}

static void
free_functions_take_null(void **state)
{
	(void)state;
	custody_client_free(NULL);
	custody_key_free(NULL);
	custody_key_list_free(NULL);
	custody_result_free(NULL);
	custody_check_free(NULL);
	custody_text_free(NULL);
	custody_secret_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_of_an_unknown_size_or_kind_are_refused),
		TEST(older_options_are_taken),
		TEST(socket_of_the_environment_is_used),
		TEST(server_uid_of_the_environment_must_be_a_number),
		TEST(request_on_a_vault_speaks_the_dialect),
		TEST(request_beside_the_dialect_has_no_version_and_no_bearer),
		TEST(request_of_a_bad_shape_is_not_sent),
		TEST(errors_have_name_class_and_sentence),
		TEST(error_of_a_dual_operation_has_each_keys_reason),
		TEST(long_message_is_cut),
		TEST(answer_that_is_no_json_is_told),
		TEST(class_names_are_words),
		TEST(create_sends_the_default_and_reads_the_key),
		TEST(create_sends_what_is_asked),
		TEST(update_sends_only_changes),
		TEST(delete_recover_purge_take_their_routes),
		TEST(bad_names_and_versions_are_not_sent),
		TEST(key_answer_without_id_is_told),
		TEST(list_follows_its_pages),
		TEST(wrap_and_unwrap_move_octets),
		TEST(encrypt_and_decrypt_carry_iv_tag_and_aad),
		TEST(sign_and_verify),
		TEST(operations_refuse_what_is_no_key_id),
		TEST(dual_wrap_gives_the_envelope_as_it_came),
		TEST(dual_generate_checks_the_length),
		TEST(dual_unwrap_tells_degraded),
		TEST(dual_refuses_an_envelope_that_is_no_object),
		TEST(dual_rewrap_takes_new_keys_or_none),
		TEST(dual_check_reports_each_recipient),
		TEST(daemon_that_restarts_between_calls_is_found_again),
		TEST(daemon_that_is_gone_is_told_and_found_when_it_returns),
		TEST(slow_daemon_is_a_timeout),
		TEST(one_client_serves_many_threads),
		TEST(clients_of_many_threads_do_not_meet),
		TEST(login_hands_over_one_line),
		TEST(login_refuses_a_bad_pin_or_token),
		TEST(free_functions_take_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
