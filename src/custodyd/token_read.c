/* GET /tokens, GET /tokens/{name}. */
#include "custodyd/operations.h"
#include "custodyd/token_view.h"

static void
view_capabilities(struct call *call, const struct token_status *status, struct api_token *view)
{
	struct api_token_algorithm *algorithms =
		arena_array(call->arena, status->algorithm_count, sizeof(*algorithms));
	for (size_t i = 0; i < status->algorithm_count; i++)
		algorithms[i] = (struct api_token_algorithm){status->algorithms[i].alg,
			status->algorithms[i].operations, status->algorithms[i].how};
	struct api_token_attribute *attributes =
		arena_array(call->arena, status->attribute_count, sizeof(*attributes));
	for (size_t i = 0; i < status->attribute_count; i++)
		attributes[i] = (struct api_token_attribute){status->attributes[i].name,
			status->attributes[i].required, status->attributes[i].honoured};
	const char **reduced = arena_array(call->arena, status->reduced_count, sizeof(*reduced));
	for (size_t i = 0; i < status->reduced_count; i++)
		reduced[i] = status->reduced[i];
	view->algorithms = algorithms;
	view->algorithm_count = status->algorithm_count;
	view->attributes = attributes;
	view->attribute_count = status->attribute_count;
	view->reduced = reduced;
	view->reduced_count = status->reduced_count;
}

void
token_view(struct call *call, const struct token *token, struct api_token *ret_view)
{
	struct token_status *status = arena_alloc(call->arena, sizeof(*status));
	token_status_get(token, status);
	*ret_view = (struct api_token){
		.name = status->name,
		.region = status->region,
		.state = status->state,
		.detail = status->detail,
		.label = status->label,
		.serial = status->serial,
		.manufacturer = status->manufacturer,
		.model = status->model,
		.firmware = status->firmware,
		.enrolled = status->enrolled,
		.identity = status->identity,
		.lease = {status->lease,      status->owner,           status->counter,           status->counter_in},
		.worker = {status->worker.pid, status->worker.restarts, status->worker.started_at,
			  status->worker.step								       },
		.sessions = status->sessions,
		.in_flight = status->in_flight,
		.queued = status->queued,
		.breaker = status->breaker,
		.flapping = status->flapping,
		.objects_ours = status->objects_ours,
		.objects_foreign = status->objects_foreign,
		.decrypt_us = status->decrypt_us,
		.last_error = &status->last_error,
		.last_error_at = status->last_error_at,
	};
	view_capabilities(call, status, ret_view);
}

static enum op_result
step_list(struct op *op)
{
	struct call *call = (struct call *)op;
	struct tokens *tokens = call->task.daemon->tokens;
	size_t count = tokens_count(tokens);
	struct api_token *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++)
		token_view(call, tokens_get(tokens, i), &views[i]);
	api_token_list_format(views, count, &call->body);
	return call_finish(call, 200);
}

static const struct op_step list_steps[] = {
	{"admit", call_admit},
	{"list",  step_list },
};

const struct call_type token_list_type = {
	.op = CALL_OP_TYPE("token.list", list_steps),
	.size = sizeof(struct call),
};

static enum op_result
step_get(struct op *op)
{
	struct call *call = (struct call *)op;
	const struct token *token = tokens_find(call->task.daemon->tokens, call->names[0]);
	if (token == NULL) {
		(void)err_set(&call->err, ERR_TOKEN_NOT_FOUND, NULL);
		return call_fail(call);
	}
	struct api_token view;
	token_view(call, token, &view);
	api_token_format(&view, &call->body);
	return call_finish(call, 200);
}

static const struct op_step get_steps[] = {
	{"admit", call_admit},
	{"get",   step_get  },
};

const struct call_type token_get_type = {
	.op = CALL_OP_TYPE("token.get", get_steps),
	.size = sizeof(struct call),
};
