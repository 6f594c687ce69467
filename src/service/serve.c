/* Invariant: what is answered was recorded before. */
#include "serve.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FIELDS_MAX (4 + SERVE_ABOUT_MAX + 3)

void
serve_caller(struct caller *caller, const struct peer *peer)
{
	*caller = (struct caller){
		.uid = peer->uid,
		.gid = peer->gid,
		.groups = peer->groups,
		.group_count = peer->group_count,
		.pid = peer->pid,
		.pid_start = peer->pid_start,
	};
}

bool
serve_record(struct audit *audit, struct db *db, const struct http_request *http,
	const struct caller *caller, struct audit_record *record, bool changed, struct err *err)
{
	record->request = http_request_id(http);
	record->uid = caller->uid;
	record->gid = caller->gid;
	record->pid = caller->pid;
	record->pid_start = caller->pid_start;
	record->application = caller->application;
	record->catalog = db_generation(db);
	bool durable = changed && record->code == ERR_NONE;
	if (!audit_append(audit, record, durable, err))
		return false;
	if (durable)
		serve_tell_head(audit, db);
	return true;
}

/* Never more than what is on the disk: the catalog must not remember a record that a power cut takes. */
void
serve_tell_head(const struct audit *audit, struct db *db)
{
	struct audit_head head = audit_synced(audit);
	struct db_audit_head told = {.records = head.records, .offset = head.offset};
	memcpy(told.hash, head.hash, sizeof(told.hash));
	db_set_audit_head(db, &told);
}

static void
add(struct log_field *fields, size_t *count, struct log_field field)
{
	fields[(*count)++] = field;
}

void
serve_log(const struct http_request *http, const char *operation, int status, uid_t uid,
	const struct log_field *about, size_t about_count, const struct err *err)
{
	struct log_field fields[FIELDS_MAX];
	size_t count = 0;
	bool failed = err->code != ERR_NONE;
	bool ours = failed && err_class(err->code) >= ERR_CLASS_UNAVAILABLE;
	assert(about_count <= SERVE_ABOUT_MAX);
	add(fields, &count, LOG_TEXT("op", operation));
	add(fields, &count, LOG_INT("status", status));
	add(fields, &count, LOG_INT("us", clock_monotonic_us() - http_request_start_us(http)));
	add(fields, &count, LOG_INT("uid", uid));
	for (size_t i = 0; i < about_count; i++)
		add(fields, &count, about[i]);
	add(fields, &count, LOG_TEXT("id", http_request_id(http)));
	if (failed)
		add(fields, &count, LOG_TEXT("error", err_name(err->code)));
	if (failed && err->origin[0] != '\0')
		add(fields, &count, LOG_TEXT("origin", err->origin));
	log_write(ours ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "request", fields, count);
}

int
serve_retry_after_s(const struct err *err)
{
	if (err->retry_after_s > 0)
		return err->retry_after_s;
	return err_retryable(err->code) ? 1 : 30;
}

void
serve_error(struct http_request *take_http, const struct err *err, const char *allow,
	const char *challenge, struct bytes details)
{
	struct http_header headers[3];
	size_t count = 0;
	char seconds[12];
	int status = err_status(err->code);
	if (allow != NULL)
		headers[count++] = (struct http_header){"Allow", allow};
	if (challenge != NULL)
		headers[count++] = (struct http_header){"WWW-Authenticate", challenge};
	if (status == 429 || status == 503) {
		(void)snprintf(seconds, sizeof(seconds), "%d", serve_retry_after_s(err));
		headers[count++] = (struct http_header){"Retry-After", seconds};
	}
	http_answer_error(take_http, err, headers, count, details);
}
