#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/status.h"

static int
setup(void **state)
{
	static struct buf out;
	buf_init(&out, 65536);
	*state = &out;
	return 0;
}

static int
teardown(void **state)
{
	buf_clear(*state);
	return 0;
}

static void
health_without_reasons_is_ok(void **state)
{
	struct buf *out = *state;

	api_health_format(NULL, 0, out);

	assert_string_equal(buf_peek(out), "{\"status\":\"ok\"}");
}

static void
health_with_reasons_is_degraded(void **state)
{
	static const char *const reasons[] = {"token west: unavailable", "audit"};
	struct buf *out = *state;

	api_health_format(reasons, 2, out);

	assert_string_equal(buf_peek(out),
		"{\"status\":\"degraded\",\"reasons\":[\"token west: unavailable\",\"audit\"]}");
}

static const char *const reduced[] = {"CKA_COPYABLE"};

static const struct err last_error = {
	.code = ERR_PIN_NEEDED, .message = "PIN wanted", .origin = "C_Login: CKR_SECRET"};

static const struct api_token_algorithm algorithms[] = {
	{"RSA-OAEP-256", "decrypt unwrapKey", "native"     },
	{"A256KW",       "",                  "C_UnwrapKey"},
};

static const struct api_token_attribute attributes[] = {
	{"CKA_SENSITIVE", true,  true },
	{"CKA_COPYABLE",  false, false},
};

static const struct api_token token = {
	.name = "west",
	.region = "westus",
	.state = "ready",
	.detail = "",
	.label = "west",
	.serial = "1",
	.manufacturer = "m",
	.model = "o",
	.firmware = "2.6",
	.enrolled = true,
	.identity = "ab",
	.lease = {"ours",    "cd",          7,                        "host file"      },
	.worker = {.pid = 42, .restarts = 1, .started_at = 1700000000, .step = "serving"},
	.sessions = 2,
	.in_flight = 3,
	.queued = 4,
	.breaker = "closed",
	.flapping = true,
	.objects_ours = 5,
	.objects_foreign = 6,
	.decrypt_us = 700,
	.reduced = reduced,
	.reduced_count = 1,
	.last_error = &last_error,
	.last_error_at = 1700000001,
	.algorithms = algorithms,
	.algorithm_count = 2,
	.attributes = attributes,
	.attribute_count = 2,
};

#define TOKEN                                                                                      \
	"{\"name\":\"west\",\"region\":\"westus\",\"state\":\"ready\",\"detail\":\"\","            \
	"\"label\":\"west\",\"serial\":\"1\",\"manufacturer\":\"m\",\"model\":\"o\","              \
	"\"firmware\":\"2.6\",\"enrolled\":true,\"identity\":\"ab\","                              \
	"\"lease\":{\"state\":\"ours\",\"owner\":\"cd\",\"counter\":7,"                            \
	"\"counterIn\":\"host file\"},"                                                            \
	"\"worker\":{\"pid\":42,\"restarts\":1,\"startedAt\":1700000000,\"step\":\"serving\"},"    \
	"\"sessions\":2,\"inFlight\":3,\"queued\":4,\"breaker\":\"closed\",\"flapping\":true,"     \
	"\"objects\":{\"ours\":5,\"foreign\":6},\"latency\":{\"decryptMicroseconds\":700},"        \
	"\"reduced\":[\"CKA_COPYABLE\"],"                                                          \
	"\"lastError\":{\"code\":\"PinNeeded\",\"message\":\"PIN wanted\",\"time\":1700000001}"

static void
token_alone_shows_capabilities(void **state)
{
	struct buf *out = *state;

	api_token_format(&token, out);

	assert_string_equal(buf_peek(out),
		TOKEN ",\"algorithms\":["
		      "{\"alg\":\"RSA-OAEP-256\",\"operations\":[\"decrypt\",\"unwrapKey\"],"
		      "\"how\":\"native\"},"
		      "{\"alg\":\"A256KW\",\"operations\":[],\"how\":\"C_UnwrapKey\"}],"
		      "\"attributes\":["
		      "{\"name\":\"CKA_SENSITIVE\",\"kind\":\"required\",\"honoured\":true},"
		      "{\"name\":\"CKA_COPYABLE\",\"kind\":\"hardening\",\"honoured\":false}]}");
}

static void
token_list_shows_none(void **state)
{
	struct buf *out = *state;

	api_token_list_format(&token, 1, out);

	assert_string_equal(buf_peek(out), "{\"value\":[" TOKEN "}]}");
}

static void
token_unknown_values_are_null(void **state)
{
	struct buf *out = *state;
	static const struct err none = {.code = ERR_NONE};
	struct api_token bare = token;
	bare.enrolled = false;
	bare.identity = "";
	bare.lease.state = bare.lease.counter_in = NULL;
	bare.lease.owner = "";
	bare.lease.counter = -1;
	bare.worker.pid = 0;
	bare.worker.started_at = 0;
	bare.decrypt_us = 0;
	bare.last_error = &none;

	api_token_format(&bare, out);

	assert_non_null(strstr(buf_peek(out), "\"enrolled\":false,\"identity\":null"));
	assert_non_null(strstr(buf_peek(out),
		"\"lease\":{\"state\":null,\"owner\":null,\"counter\":null,\"counterIn\":null}"));
	assert_non_null(strstr(buf_peek(out), "\"pid\":null,\"restarts\":1,\"startedAt\":null"));
	assert_non_null(strstr(buf_peek(out), "\"decryptMicroseconds\":null"));
	assert_non_null(strstr(buf_peek(out), "\"lastError\":null"));
}

static void
token_error_keeps_its_origin(void **state)
{
	struct buf *out = *state;

	api_token_format(&token, out);

	assert_null(strstr(buf_peek(out), "CKR_"));
}

static void
status_shows_everything(void **state)
{
	static const struct api_status_vault vaults[] = {
		{
                 .vault =
				{
					.name = "v",
					.uri = "https://v.vault.test/",
					.token = "west",
					.retention_days = 7,
					.backup = API_BACKUP_TRUSTED,
					.created = 1,
					.updated = 2,
					.tags = "{}",
				}, .keys = 8,
                 .deleted_keys = 9,
		 },
	};
	const struct api_status status = {
		.version = "0.1.0",
		.uptime_s = 10,
		.in_flight = 1,
		.requests = 20,
		.refused = 3,
		.connections = 4,
		.tokens = &token,
		.token_count = 1,
		.vaults = vaults,
		.vault_count = 1,
		.audit_records = 30,
		.audit_head = "cd",
		.intents = 5,
	};
	struct buf *out = *state;

	api_status_format(&status, out);

	assert_string_equal(buf_peek(out),
		"{\"version\":\"0.1.0\",\"uptime\":10,\"readOnly\":false,\"rolledBack\":null,"
		"\"requests\":{\"inFlight\":1,\"total\":20,\"refused\":3},\"connections\":4,"
		"\"tokens\":[" TOKEN "}],"
		"\"vaults\":[{\"name\":\"v\",\"uri\":\"https://v.vault.test/\",\"token\":\"west\","
		"\"region\":null,\"retentionDays\":7,\"enablePurgeProtection\":false,"
		"\"backup\":\"trusted\",\"created\":1,\"updated\":2,\"tags\":{},\"keys\":8,"
		"\"deletedKeys\":9}],"
		"\"audit\":{\"records\":30,\"head\":\"cd\"},\"intents\":5,\"lastError\":null}");
}

static void
doctor_lists_findings(void **state)
{
	static const struct api_finding findings[] = {
		{"orphan", "west 01\n", "an object without a row"},
	};
	struct buf *out = *state;

	api_doctor_format(NULL, 0, out);
	api_doctor_format(findings, 1, out);

	assert_string_equal(buf_peek(out),
		"{\"findings\":[]}{\"findings\":[{\"kind\":\"orphan\",\"subject\":\"west 01\\n\","
		"\"message\":\"an object without a row\"}]}");
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(health_without_reasons_is_ok),
		TEST(health_with_reasons_is_degraded),
		TEST(token_alone_shows_capabilities),
		TEST(token_list_shows_none),
		TEST(token_unknown_values_are_null),
		TEST(token_error_keeps_its_origin),
		TEST(status_shows_everything),
		TEST(doctor_lists_findings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
