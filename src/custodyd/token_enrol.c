/*
 * Enrolment: the worker makes the identity key pair (or finds the one an interrupted enrolment left), we let it
 * prove that identity, refuse one that another token has, record it, and only then is the token ready. For a token
 * that was enrolled when it could do more, the same way accepts what it can do now.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "custodyd/token_priv.h"

const struct token *
token_find_twin(const struct token *token, struct bytes spki)
{
	const struct tokens *set = token->set;
	for (size_t i = 0; i < set->count && spki.len > 0; i++) {
		const struct token *other = set->tokens[i];
		struct bytes theirs = {other->record.spki, other->record.spki_len};
		if (other != token && bytes_equal(theirs, spki))
			return other;
	}
	return NULL;
}

static struct request *
new_request(struct token *token, enum wire_type type, const void *fields,
	struct token_ticket ticket, int64_t deadline_ms)
{
	struct request *request = request_new(REQUEST_ENROLL, type, token->next_id++, fields);
	assert(request != NULL); /* both messages are small */
	request->ticket = ticket;
	request->deadline_ms = deadline_ms;
	request->kind = LATENCY_OTHER;
	return request;
}

/* The token's counter goes on from where the other catalog left it: ours must know that before. */
static bool
prepare_take_over(struct token *token, struct err *err)
{
	const struct tokens_host *host = &token->set->host;
	return token->record.spki_len == 0 ||
	       host->know_counter(host->ctx, token->name, token->device->counter, err);
}

bool
token_enroll(struct token *token, bool take_over, struct token_ticket ticket, int64_t deadline_ms,
	struct err *err)
{
	bool accepts_loss = token->state == TOKEN_STATE_READY && token->lost[0] != '\0';
	bool takes = take_over && token->state == TOKEN_STATE_LEASED;
	if (token->state == TOKEN_STATE_LEASED && !takes) {
		*err = token->reason;
		return false;
	}
	if (token->record.spki_len > 0 && !accepts_loss && !takes)
		return err_set(err, ERR_CONFLICT, "The token is enrolled already.");
	if (token->enrolling)
		return err_set(err, ERR_CONFLICT, "The token is being enrolled.");
	bool can = (token->state == TOKEN_STATE_NOT_ENROLLED || accepts_loss || takes) &&
		   !token->set->stopping && token->current != NULL && worker_alive(token->current);
	if (!can && token_trouble(token, err))
		return false;
	if (!can)
		return err_set(err, ERR_UNAVAILABLE, NULL);
	if (takes && !prepare_take_over(token, err))
		return false;
	struct wire_enroll_request enroll = {.take_over = take_over};
	token->enrolling = true;
	token_send(token, new_request(token, WIRE_ENROLL, &enroll, ticket, deadline_ms));
	return true;
}

static bool
check_new_identity(struct token *token, struct bytes spki, struct err *err)
{
	struct bytes recorded = {token->record.spki, token->record.spki_len};
	if (spki.len == 0 || spki.len > TOKEN_SPKI_MAX)
		return err_set(err, ERR_INTERNAL, "The token's worker reported no identity.");
	if (recorded.len > 0 && !bytes_equal(recorded, spki))
		return err_set(err, ERR_TOKEN_IMPOSTOR, NULL);
	const struct token *twin = token_find_twin(token, spki);
	if (twin != NULL)
		return err_set(err, ERR_TOKEN_IMPOSTOR,
			"The token has the identity of token %s: it is a copy of it.", twin->name);
	return true;
}

/* Made: now it must prove it. The proof carries on the request's ticket. */
static bool
ask_proof(struct token *token, struct worker *worker, const struct request *made,
	const struct wire_message *message, struct err *err)
{
	struct wire_enroll_answer answer;
	if (!wire_decode_answer(message, &answer, NULL, err) ||
		!check_new_identity(token, answer.identity, err))
		return false;
	if (worker != token->current)
		return err_set(err, ERR_UNAVAILABLE, NULL);
	memcpy(token->taken_from, answer.former, sizeof(token->taken_from));
	device_take_lease(token->device, answer.lease, token->set->host.instance, answer.counter);
	buf_reset(&token->new_spki);
	(void)buf_append(
		&token->new_spki, answer.identity.data, answer.identity.len); /* length checked */
	random_bytes(token->challenge, sizeof(token->challenge));
	struct wire_prove_request prove;
	memcpy(prove.challenge, token->challenge, sizeof(prove.challenge));
	struct request *proof =
		new_request(token, WIRE_PROVE, &prove, made->ticket, made->deadline_ms);
	proof->dropped = made->dropped;
	token_send(token, proof);
	return true;
}

static bool
store(struct token *token, struct bytes spki, struct bytes capability, struct err *err)
{
	const struct tokens_host *host = &token->set->host;
	const struct device *device = token->device;
	if (token->record.spki_len > 0) /* the other catalog may have counted on meanwhile */
		return (device->lease != WIRE_LEASE_OURS ||
			       host->know_counter(host->ctx, token->name, device->counter, err)) &&
		       host->accept_capability(host->ctx, token->name, capability, err);
	struct token_enrolment enrolment = {
		.label = device->label,
		.serial = device->serial,
		.manufacturer = device->manufacturer,
		.model = device->model,
		.spki = spki,
		.capability = capability,
		.counter = device->counter,
	};
	return host->enrol(host->ctx, token->name, &enrolment, err);
}

static bool
record(struct token *token, const struct wire_message *message, struct err *err)
{
	struct wire_prove_answer answer;
	struct bytes spki = buf_bytes(&token->new_spki);
	struct bytes capability = buf_bytes(&token->device->capability);
	if (!wire_decode_answer(message, &answer, NULL, err) ||
		!proof_check(spki, token->challenge, &answer, err) ||
		!store(token, spki, capability, err))
		return false;
	struct token_record *kept = &token->record;
	memcpy(kept->spki, spki.data, spki.len);
	kept->spki_len = spki.len;
	memcpy(kept->capability, capability.data,
		capability.len); /* no longer than TOKEN_CAPABILITY_MAX: device.c */
	kept->capability_len = capability.len;
	token_compare(token);
	return true;
}

void
token_enrolling(struct token *token, struct worker *worker, struct request *take_request,
	const struct wire_message *message)
{
	struct err err = {0};
	if (take_request->type == WIRE_ENROLL &&
		ask_proof(token, worker, take_request, message, &err)) {
		request_free(take_request); /* its successor is delivered */
		return;
	}
	token->enrolling = false;
	if (take_request->type == WIRE_ENROLL || !record(token, message, &err)) {
		token_note_error(token, &err);
		log_err(LOG_LEVEL_WARNING, "token.enrol", &err, LOG_TEXT("token", token->name));
		if (err.code == ERR_TOKEN_IMPOSTOR)
			worker_kill(worker, &err);
		else if (err.code == ERR_TOKEN_LEASED && worker == token->current)
			token_leased(token);
		token_finish(token, take_request, NULL, &err);
		return;
	}
	struct wire_enroll_answer answer = {
		.identity = {token->record.spki, token->record.spki_len},
		.lease = (uint8_t)token->device->lease,
		.counter = token->device->counter,
	};
	memcpy(answer.former, token->taken_from, sizeof(answer.former));
	token_proved(token);
	token_finish(token, take_request, &answer, NULL);
}
