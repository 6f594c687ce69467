/* What is shown of a token. */
#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/clock.h"
#include "custodyd/token_priv.h"

static void
copy(char *target, size_t size, const char *source)
{
	(void)snprintf(target, size, "%s", source);
}

static void
show_device(const struct device *device, struct token_status *status)
{
	memcpy(status->label, device->label, sizeof(status->label));
	memcpy(status->serial, device->serial, sizeof(status->serial));
	memcpy(status->manufacturer, device->manufacturer, sizeof(status->manufacturer));
	memcpy(status->model, device->model, sizeof(status->model));
	memcpy(status->firmware, device->firmware, sizeof(status->firmware));
	memcpy(status->reduced, device->reduced, sizeof(status->reduced));
	status->reduced_count = device->reduced_count;
	memcpy(status->algorithms, device->algorithms, sizeof(status->algorithms));
	status->algorithm_count = device->algorithm_count;
	memcpy(status->attributes, device->attributes, sizeof(status->attributes));
	status->attribute_count = device->attribute_count;
	status->objects_ours = device->objects_ours;
	status->objects_foreign = device->objects_foreign;
}

/* Whether it is a file or a device only the module can say; a file is only as safe as its host. */
static void
show_lease(const struct device *device, struct token_status *status)
{
	static const char *const NAMES[] = {
		[WIRE_LEASE_NONE] = "none",
		[WIRE_LEASE_OURS] = "ours",
		[WIRE_LEASE_OTHER] = "other",
		[WIRE_LEASE_UNSUPPORTED] = "unsupported",
	};
	status->lease = NAMES[device->lease];
	copy(status->owner, sizeof(status->owner), device->owner);
	if (device->lease != WIRE_LEASE_OURS && device->lease != WIRE_LEASE_OTHER)
		return;
	status->counter = device->counter <= INT64_MAX ? (int64_t)device->counter : INT64_MAX;
	status->counter_in = (device->flags & WIRE_TOKEN_HARDWARE) != 0 ? "device" : "host file";
}

static void
show_worker(const struct token *token, struct token_status *status)
{
	const struct worker *worker = token->current;
	const char *step = token->launch != NULL ? token->launch->step : "";
	if (worker == NULL && token->launch != NULL)
		worker = token->launch->worker;
	if (worker != NULL) {
		status->worker.pid = worker_pid(worker);
		status->worker.started_at = worker_started_at(worker);
	}
	if (token->dying_count > 0 && step[0] == '\0' && token->current == NULL)
		step = "wait for the old worker to end";
	status->worker.restarts = token->starts > 0 ? token->starts - 1 : 0;
	copy(status->worker.step, sizeof(status->worker.step), step);
}

static void
show_work(const struct token *token, struct token_status *status)
{
	if (token->current != NULL) {
		status->in_flight = worker_running(token->current)->count;
		status->sessions = token->device->sessions;
	}
	if (token->retiring != NULL)
		status->in_flight += worker_running(token->retiring)->count;
	status->queued = queue_count(token->queue) + (token->held != NULL ? 1 : 0);
	status->late_answers = token->late_answers;
	/* The slowest kind in use: what a person calls "the" latency of an HSM is that of its RSA. */
	static const enum latency_kind KINDS[] = {
		LATENCY_RSA_4096, LATENCY_RSA_3072, LATENCY_RSA_2048, LATENCY_EC, LATENCY_AES};
	for (size_t i = 0; i < ARRAY_LEN(KINDS) && status->decrypt_us == 0; i++)
		status->decrypt_us = latency_quantile_us(&token->latencies[KINDS[i]], 50);
}

void
token_status_get(const struct token *token, struct token_status *ret_status)
{
	memset(ret_status, 0, sizeof(*ret_status));
	ret_status->counter = -1;
	copy(ret_status->name, sizeof(ret_status->name), token->name);
	copy(ret_status->region, sizeof(ret_status->region), token->region);
	ret_status->state = token_state_name(token->state);
	copy(ret_status->detail, sizeof(ret_status->detail), token->reason.message);
	struct err held;
	if (ret_status->detail[0] == '\0' && token_holds_creation(token, &held))
		copy(ret_status->detail, sizeof(ret_status->detail), held.message);
	ret_status->enrolled = token->record.spki_len > 0;
	if (ret_status->enrolled) {
		uint8_t digest[HASH_SHA256_LEN];
		hash_sha256(token->record.spki, token->record.spki_len, digest);
		hex_encode(digest, sizeof(digest), ret_status->identity);
	}
	if (token->device != NULL) {
		show_device(token->device, ret_status);
		show_lease(token->device, ret_status);
	}
	show_worker(token, ret_status);
	show_work(token, ret_status);
	ret_status->breaker = breaker_state_name(token->breaker.state);
	ret_status->flapping = backoff_flaps(&token->backoff, clock_monotonic_ms());
	ret_status->last_error = token->last_error;
	ret_status->last_error_at = token->last_error_at;
}
