/* POST /approvers, PUT /approvers/{name}, GET /approvers: who may approve purges. */
#include <string.h>
#include <strings.h>

#include "depd/approvers.h"
#include "depd/dep_operations.h"

static bool
check_certificate(const struct depd *depd, const struct certificate *certificate, struct err *err)
{
	CLEAN(buf)
	struct buf authorities;
	buf_init(&authorities, APPROVERS_AUTHORITIES_MAX);
	return approvers_authorities(depd, &authorities, err) &&
	       certificate_check(
		       certificate, buf_bytes(&authorities), calendar_now_s(depd->calendar), err);
}

/* The name is free, or taken if he is to be replaced; and nobody has the certificate. */
static bool
check_place(struct dep_call *call, const struct approvers *approvers, const char *name,
	const struct certificate *certificate, bool replace)
{
	bool taken = false;
	for (size_t i = 0; i < approvers->count; i++) {
		taken = taken || strcasecmp(approvers->rows[i].name, name) == 0;
		if (bytes_equal(certificate_get_der(approvers->certificates[i]),
			    certificate_get_der(certificate)))
			return err_set(&call->err, ERR_APPROVER_EXISTS,
				"Approver %s has this certificate.", approvers->rows[i].name);
	}
	if (replace)
		return taken || err_set(&call->err, ERR_APPROVER_NOT_FOUND, NULL);
	if (taken)
		return err_set(&call->err, ERR_APPROVER_EXISTS,
			"There is an approver %s; replace him if that is meant.", name);
	return approvers->count < DB_DEP_APPROVERS_MAX ||
	       err_set(&call->err, ERR_CONFLICT, "There are %d approvers already.",
		       DB_DEP_APPROVERS_MAX);
}

static bool
put(struct dep_call *call, bool replace, struct certificate **ret_certificate)
{
	struct depd *depd = call->depd;
	struct api_dep_approver_body body;
	CLEAN(approvers)
	struct approvers approvers = {NULL};
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dep_approver_decode(
			http_request_body(call->http), !replace, call->arena, &body, &call->err))
		return false;
	const char *name = replace ? call->names[0] : body.name;
	call->audit_subject = name;
	struct certificate *certificate =
		certificate_parse(bytes_of_text(body.certificate), &call->err);
	*ret_certificate = certificate;
	if (certificate == NULL)
		return false;
	int64_t now_s = calendar_now_s(depd->calendar);
	struct api_dep_approver view = approvers_view(depd, name, certificate, now_s, call->arena);
	call->audit_detail =
		arena_printf(call->arena, "%s sha256 %s", view.subject, view.fingerprint);
	if (!check_certificate(depd, certificate, &call->err) ||
		!approvers_load(depd, call->arena, &approvers, &call->err) ||
		!check_place(call, &approvers, name, certificate, replace) ||
		!db_dep_approver_insert(depd->db, name, certificate_get_der(certificate), now_s,
			replace, &call->err))
		return false;
	api_dep_approver_format(&view, &call->body);
	return true;
}

static enum op_result
step_put(struct op *op, bool replace)
{
	struct dep_call *call = (struct dep_call *)op;
	CLEAN(certificate)
	struct certificate *certificate = NULL;
	return put(call, replace, &certificate) ? dep_call_finish(call, replace ? 200 : 201)
						: dep_call_fail(call);
}

static enum op_result
step_add(struct op *op)
{
	return step_put(op, false);
}

static const struct op_step add_steps[] = {
	{"admit", dep_call_admit},
	{"add",   step_add      },
};

const struct dep_call_type approver_add_type = {
	.op = DEP_CALL_OP_TYPE("approver.add", add_steps),
	.size = sizeof(struct dep_call),
};

static enum op_result
step_replace(struct op *op)
{
	return step_put(op, true);
}

static const struct op_step replace_steps[] = {
	{"admit",   dep_call_admit},
	{"replace", step_replace  },
};

const struct dep_call_type approver_replace_type = {
	.op = DEP_CALL_OP_TYPE("approver.replace", replace_steps),
	.size = sizeof(struct dep_call),
};

static enum op_result
step_list(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	struct depd *depd = call->depd;
	CLEAN(approvers)
	struct approvers approvers = {NULL};
	if (!approvers_load(depd, call->arena, &approvers, &call->err))
		return dep_call_fail(call);
	struct api_dep_approver *views = arena_array(call->arena, approvers.count, sizeof(*views));
	for (size_t i = 0; i < approvers.count; i++)
		views[i] = approvers_view(depd, approvers.rows[i].name, approvers.certificates[i],
			approvers.rows[i].added, call->arena);
	api_dep_approver_list_format(
		depd->options->daemon.approvers_needed, views, approvers.count, &call->body);
	return dep_call_finish(call, 200);
}

static const struct op_step list_steps[] = {
	{"admit", dep_call_admit},
	{"list",  step_list     },
};

const struct dep_call_type approver_list_type = {
	.op = DEP_CALL_OP_TYPE("approver.list", list_steps),
	.size = sizeof(struct dep_call),
};
