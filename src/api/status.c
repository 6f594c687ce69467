/* Writes what the daemon tells of itself. Invariant: of an error only code and message are shown, never its origin. */
#include "status.h"

#include <string.h>

#include "api/body.h"
#include "api/vault_priv.h"
#include "json/json_writer.h"

struct enroll_body {
	struct json_opt_bool take_over;
};

static const struct json_field enroll_fields[] = {
	FIELD(struct enroll_body, take_over, "takeOver", BOOL),
};
TABLE(enroll_table, enroll_fields, struct enroll_body, true);

bool
api_token_enroll_decode(struct bytes body, struct arena *arena, struct api_token_enroll *ret_enroll,
	struct err *err)
{
	struct enroll_body enroll = {0};
	if (body.len > 0 && !json_decode_body(body, &enroll_table, arena, &enroll, err))
		return false;
	ret_enroll->take_over = enroll.take_over.value;
	return true;
}

/* Zero stands for unknown. */
static void
write_known(struct json_writer *writer, const char *name, int64_t number)
{
	if (number == 0)
		json_write_null(writer, name);
	else
		json_write_int(writer, name, number);
}

static void
write_texts(struct json_writer *writer, const char *name, const char *const *texts, size_t count)
{
	json_write_array(writer, name);
	for (size_t i = 0; i < count; i++)
		json_write_text(writer, NULL, texts[i]);
	json_write_end(writer);
}

void
api_health_format(const char *const *reasons, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "status", count == 0 ? "ok" : "degraded");
	if (count != 0)
		write_texts(&writer, "reasons", reasons, count);
	json_write_end(&writer);
}

/* ---- tokens ---- */

static void
write_worker(struct json_writer *writer, const struct api_token *token)
{
	json_write_object(writer, "worker");
	write_known(writer, "pid", token->worker.pid);
	json_write_int(writer, "restarts", token->worker.restarts);
	write_known(writer, "startedAt", token->worker.started_at);
	json_write_text(writer, "step", token->worker.step);
	json_write_end(writer);
}

static void
write_last_error(struct json_writer *writer, const struct err *err, int64_t time_s)
{
	if (err == NULL || err->code == ERR_NONE) {
		json_write_null(writer, "lastError");
		return;
	}
	json_write_object(writer, "lastError");
	json_write_text(writer, "code", err_name(err->code));
	json_write_text(writer, "message", err->message);
	json_write_int(writer, "time", time_s);
	json_write_end(writer);
}

static void
write_identity(struct json_writer *writer, const struct api_token *token)
{
	bool known = token->identity != NULL && *token->identity != '\0';
	json_write_bool(writer, "enrolled", token->enrolled);
	json_write_text(writer, "identity", known ? token->identity : NULL);
}

static void
write_lease(struct json_writer *writer, const struct api_token *token)
{
	bool owned = token->lease.owner != NULL && *token->lease.owner != '\0';
	json_write_object(writer, "lease");
	json_write_text(writer, "state", token->lease.state);
	json_write_text(writer, "owner", owned ? token->lease.owner : NULL);
	if (token->lease.counter < 0)
		json_write_null(writer, "counter");
	else
		json_write_int(writer, "counter", token->lease.counter);
	json_write_text(writer, "counterIn", token->lease.counter_in);
	json_write_end(writer);
}

/* The members of Token, into an object that is open. */
static void
write_token(struct json_writer *writer, const struct api_token *token)
{
	json_write_text(writer, "name", token->name);
	json_write_text(writer, "region", token->region);
	json_write_text(writer, "state", token->state);
	json_write_text(writer, "detail", token->detail);
	json_write_text(writer, "label", token->label);
	json_write_text(writer, "serial", token->serial);
	json_write_text(writer, "manufacturer", token->manufacturer);
	json_write_text(writer, "model", token->model);
	json_write_text(writer, "firmware", token->firmware);
	write_identity(writer, token);
	write_lease(writer, token);
	write_worker(writer, token);
	json_write_int(writer, "sessions", token->sessions);
	json_write_int(writer, "inFlight", token->in_flight);
	json_write_int(writer, "queued", token->queued);
	json_write_text(writer, "breaker", token->breaker);
	json_write_bool(writer, "flapping", token->flapping);
	json_write_object(writer, "objects");
	json_write_int(writer, "ours", token->objects_ours);
	json_write_int(writer, "foreign", token->objects_foreign);
	json_write_end(writer);
	json_write_object(writer, "latency");
	write_known(writer, "decryptMicroseconds", token->decrypt_us);
	json_write_end(writer);
	write_texts(writer, "reduced", token->reduced, token->reduced_count);
	write_last_error(writer, token->last_error, token->last_error_at);
}

/* `words`, apart by one blank, as an array. */
static void
write_words(struct json_writer *writer, const char *name, const char *words)
{
	json_write_array(writer, name);
	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		json_write_chars(writer, NULL, words, len);
		words += len + (words[len] == ' ');
	}
	json_write_end(writer);
}

static void
write_algorithms(struct json_writer *writer, const struct api_token *token)
{
	json_write_array(writer, "algorithms");
	for (size_t i = 0; i < token->algorithm_count; i++) {
		const struct api_token_algorithm *algorithm = &token->algorithms[i];
		json_write_object(writer, NULL);
		json_write_text(writer, "alg", algorithm->alg);
		write_words(writer, "operations", algorithm->operations);
		json_write_text(writer, "how", algorithm->how);
		json_write_end(writer);
	}
	json_write_end(writer);
}

static void
write_attributes(struct json_writer *writer, const struct api_token *token)
{
	json_write_array(writer, "attributes");
	for (size_t i = 0; i < token->attribute_count; i++) {
		const struct api_token_attribute *attribute = &token->attributes[i];
		json_write_object(writer, NULL);
		json_write_text(writer, "name", attribute->name);
		json_write_text(writer, "kind", attribute->required ? "required" : "hardening");
		json_write_bool(writer, "honoured", attribute->honoured);
		json_write_end(writer);
	}
	json_write_end(writer);
}

void
api_token_format(const struct api_token *token, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	write_token(&writer, token);
	write_algorithms(&writer, token);
	write_attributes(&writer, token);
	json_write_end(&writer);
}

static void
write_tokens(
	struct json_writer *writer, const char *name, const struct api_token *tokens, size_t count)
{
	json_write_array(writer, name);
	for (size_t i = 0; i < count; i++) {
		json_write_object(writer, NULL);
		write_token(writer, &tokens[i]);
		json_write_end(writer);
	}
	json_write_end(writer);
}

void
api_token_list_format(const struct api_token *tokens, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	write_tokens(&writer, "value", tokens, count);
	json_write_end(&writer);
}

/* ---- status and doctor ---- */

static void
write_vaults(struct json_writer *writer, const struct api_status *status)
{
	json_write_array(writer, "vaults");
	for (size_t i = 0; i < status->vault_count; i++) {
		const struct api_status_vault *item = &status->vaults[i];
		json_write_object(writer, NULL);
		api_vault_item_members(writer, &item->vault);
		json_write_int(writer, "keys", item->keys);
		json_write_int(writer, "deletedKeys", item->deleted_keys);
		json_write_end(writer);
	}
	json_write_end(writer);
}

void
api_status_format(const struct api_status *status, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "version", status->version);
	json_write_int(&writer, "uptime", status->uptime_s);
	json_write_bool(&writer, "readOnly", status->read_only);
	json_write_text(&writer, "rolledBack", status->rolled_back);
	json_write_object(&writer, "requests");
	json_write_int(&writer, "inFlight", status->in_flight);
	json_write_int(&writer, "total", status->requests);
	json_write_int(&writer, "refused", status->refused);
	json_write_end(&writer);
	json_write_int(&writer, "connections", status->connections);
	write_tokens(&writer, "tokens", status->tokens, status->token_count);
	write_vaults(&writer, status);
	json_write_object(&writer, "audit");
	json_write_int(&writer, "records", status->audit_records);
	json_write_text(&writer, "head", status->audit_head);
	json_write_end(&writer);
	json_write_int(&writer, "intents", status->intents);
	json_write_text(&writer, "lastError", status->last_error);
	json_write_end(&writer);
}

void
api_doctor_format(const struct api_finding *findings, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "findings");
	for (size_t i = 0; i < count; i++) {
		json_write_object(&writer, NULL);
		json_write_text(&writer, "kind", findings[i].kind);
		json_write_text(&writer, "subject", findings[i].subject);
		json_write_text(&writer, "message", findings[i].message);
		json_write_end(&writer);
	}
	json_write_end(&writer);
	json_write_end(&writer);
}
