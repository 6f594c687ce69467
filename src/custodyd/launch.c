#include "custodyd/launch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/random.h"

#define TOLD_MAX 256             /* progress messages that may prolong a start */
#define TYPE_MS  INT64_C(300000) /* a person finds and types a PIN */

static void
begin_step(struct launch *launch, const char *step, int64_t limit_ms)
{
	device_copy_text(launch->step, sizeof(launch->step), step);
	launch->deadline_ms = clock_monotonic_ms() + limit_ms;
}

/* Sends the request that begins a phase. */
static bool
ask(struct launch *launch, enum launch_phase phase, enum wire_type type, const void *fields,
	int attach)
{
	struct request *request = request_new(REQUEST_LAUNCH, type, (*launch->ids)++, fields);
	if (request == NULL)
		return err_set(
			&launch->err, ERR_CONFIG, "The token's section does not fit a message.");
	request->attach = attach;
	request->hard_ms = INT64_MAX; /* the launch has its own deadline */
	launch->phase = phase;
	worker_send(launch->worker, request);
	return true;
}

struct launch *
launch_new(struct worker *take_worker, const struct wire_start_request *start,
	struct bytes identity, uint64_t *ids, int64_t step_ms, struct err *err)
{
	CLEAN(launch)
	struct launch *launch = calloc(1, sizeof(*launch));
	if (launch == NULL)
		abort();
	launch->worker = take_worker;
	launch->device = device_new();
	launch->ids = ids;
	launch->identity = identity;
	launch->step_ms = step_ms;
	begin_step(launch, "start", step_ms);
	if (!ask(launch, LAUNCH_START, WIRE_START, start, -1)) {
		*err = launch->err;
		return NULL;
	}
	struct launch *made = launch;
	launch = NULL;
	return made;
}

void
launch_free(struct launch *launch)
{
	if (launch == NULL)
		return;
	worker_free(launch->worker);
	device_free(launch->device);
	free(launch);
}

static enum launch_result
waits_if(bool sent)
{
	return sent ? LAUNCH_WAITS : LAUNCH_FAILED;
}

static enum launch_result
ask_capabilities(struct launch *launch)
{
	struct wire_empty empty = {};
	begin_step(launch, "capabilities", launch->step_ms);
	return waits_if(ask(launch, LAUNCH_CAPABILITIES, WIRE_CAPABILITIES, &empty, -1));
}

static enum launch_result
ask_proof(struct launch *launch)
{
	struct wire_prove_request prove;
	random_bytes(launch->challenge, sizeof(launch->challenge));
	memcpy(prove.challenge, launch->challenge, sizeof(prove.challenge));
	begin_step(launch, "prove identity", launch->step_ms);
	return waits_if(ask(launch, LAUNCH_PROVE, WIRE_PROVE, &prove, -1));
}

static enum launch_result
need_login(struct launch *launch)
{
	launch->phase = LAUNCH_ASKS;
	device_copy_text(launch->step, sizeof(launch->step), "wait for login");
	launch->deadline_ms = INT64_MAX;
	return LAUNCH_NEEDS_LOGIN;
}

static enum launch_result
started(struct launch *launch, const struct wire_start_answer *answer)
{
	device_started(launch->device, answer);
	if (answer->state == WIRE_STATE_LOGIN_NEEDED && launch->phase == LAUNCH_START)
		return need_login(launch);
	if (answer->state == WIRE_STATE_READY && launch->identity.len > 0)
		return ask_proof(launch);
	if (answer->state == WIRE_STATE_NOT_ENROLLED && launch->identity.len == 0)
		return ask_capabilities(launch);
	if (answer->state == WIRE_STATE_NOT_ENROLLED)
		(void)err_set(&launch->err, ERR_TOKEN_IMPOSTOR,
			"The enrolled identity is not on the token: it was reinitialised or is "
			"another one.");
	else
		(void)err_set(&launch->err, ERR_INTERNAL,
			"The token's worker started into no known state.");
	return LAUNCH_FAILED;
}

static enum launch_result
listed(struct launch *launch, const struct wire_list_answer *answer)
{
	device_listed(launch->device, answer);
	launch->deadline_ms = INT64_MAX;
	return LAUNCH_DONE;
}

/* The step failed. A PIN that a person typed wrong may be typed again; everything else ends the launch. */
static enum launch_result
failed(struct launch *launch, struct bytes detail)
{
	launch->pin_digest_known =
		launch->err.code == ERR_PIN_REFUSED && detail.len == sizeof(launch->pin_digest);
	if (launch->pin_digest_known)
		memcpy(launch->pin_digest, detail.data, detail.len);
	bool again = launch->err.code == ERR_PIN_REFUSED || launch->err.code == ERR_TIMEOUT ||
		     err_class(launch->err.code) == ERR_CLASS_BAD;
	return launch->phase == LAUNCH_LOGIN && again ? need_login(launch) : LAUNCH_FAILED;
}

enum launch_result
launch_answer(struct launch *launch, const struct wire_message *message)
{
	union {
		struct wire_start_answer start;
		struct wire_prove_answer prove;
		struct wire_capabilities_answer capabilities;
		struct wire_list_answer list;
	} answer;
	struct bytes detail;
	launch->pin_digest_known = false;
	if (!wire_decode_answer(message, &answer, &detail, &launch->err))
		return failed(launch, detail);

	struct wire_list_request list = {0};
	switch (launch->phase) {
	case LAUNCH_START:
	case LAUNCH_LOGIN:
		return started(launch, &answer.start);
	case LAUNCH_PROVE:
		if (!proof_check(launch->identity, launch->challenge, &answer.prove, &launch->err))
			return LAUNCH_FAILED;
		return ask_capabilities(launch);
	case LAUNCH_CAPABILITIES:
		if (!device_capable(launch->device, &answer.capabilities, &launch->err))
			return LAUNCH_FAILED;
		begin_step(launch, "list objects", launch->step_ms);
		return waits_if(ask(launch, LAUNCH_LIST, WIRE_LIST, &list, -1));
	case LAUNCH_LIST:
		return listed(launch, &answer.list);
	case LAUNCH_ASKS: /* nothing was asked: the worker's table has no such request */
		break;
	}
	assert(false);
	return LAUNCH_FAILED;
}

void
launch_told(struct launch *launch, const struct wire_message *message)
{
	struct wire_progress_request progress;
	struct err err = {0};
	if (launch->phase == LAUNCH_ASKS || !wire_decode_request(message, &progress, &err))
		return;
	if (launch->told++ >= TOLD_MAX)
		return;
	/* The first that a worker tells of a login is that it waits for the person. */
	begin_step(launch, progress.step, launch->typing ? TYPE_MS : launch->step_ms);
	launch->typing = false;
}

void
launch_login(struct launch *launch, int take_fd)
{
	assert(launch->phase == LAUNCH_ASKS);
	struct wire_empty empty = {};
	begin_step(launch, "login", TYPE_MS);
	launch->typing = true;
	bool sent = ask(launch, LAUNCH_LOGIN, WIRE_LOGIN, &empty, take_fd);
	assert(sent); /* an empty record always fits */
}

enum launch_result
launch_tick(struct launch *launch, int64_t now_ms)
{
	if (now_ms < launch->deadline_ms)
		return LAUNCH_WAITS;
	(void)err_set(&launch->err, ERR_TIMEOUT,
		"The token did not start: \"%s\" did not end in time.", launch->step);
	return LAUNCH_FAILED;
}
