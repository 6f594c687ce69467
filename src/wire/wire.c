/* The tables' columns. Invariant: a number that got past wire_decode() or wire_alg_valid() has a row. */
#include "wire.h"

#include <assert.h>
#include <string.h>

struct msg_row {
	const char *name;
	enum wire_record request;
	enum wire_record answer;
	enum wire_deadline deadline;
	bool idempotent;
	bool secret;
};

static const struct msg_row messages[WIRE_TYPE_COUNT] = {
#define RECORD(record)
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)                   \
	[WIRE_##symbol] = {name, WIRE_RECORD_##request, WIRE_RECORD_##answer,                      \
		WIRE_DEADLINE_##deadline, idempotent, secret},
#include "msg.tbl"
};

struct alg_row {
	const char *name;
	enum wire_kty kty;
	unsigned bits;
	enum wire_alg_use use;
};

static const struct alg_row algs[WIRE_ALG_COUNT] = {
#define ALG(symbol, name, kty, bits, use)                                                          \
	[WIRE_ALG_##symbol] = {name, WIRE_KTY_##kty, bits, WIRE_USE_##use},
#include "alg.tbl"
};

/* All that both sides must agree on, as text. */
static const char table_text[] =
#define RECORD(record)            "{" #record
#define FIELD(record, type, name) " " #type " " #name
#define END(record)               "}"
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)                   \
#number " " name " " #request " " #answer ";"
#include "msg.tbl"
#define ALG(symbol, name, kty, bits, use) name " " #kty " " #use ";"
#include "alg.tbl"
	;

uint64_t
wire_version(void)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a, 64 bits: offset basis, prime */
	for (const char *c = table_text; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 1099511628211ull;
	return hash;
}

static const struct msg_row *
msg_get(enum wire_type type)
{
	assert(type > 0 && type < WIRE_TYPE_COUNT);
	return &messages[type];
}

const char *
wire_name(enum wire_type type)
{
	return msg_get(type)->name;
}

enum wire_deadline
wire_deadline(enum wire_type type)
{
	return msg_get(type)->deadline;
}

bool
wire_idempotent(enum wire_type type)
{
	return msg_get(type)->idempotent;
}

bool
wire_secret(enum wire_type type)
{
	return msg_get(type)->secret;
}

enum wire_record
wire_request_record(enum wire_type type)
{
	return msg_get(type)->request;
}

enum wire_record
wire_answer_record(enum wire_type type)
{
	return msg_get(type)->answer;
}

bool
wire_alg_valid(uint16_t number)
{
	return number > WIRE_ALG_NONE && number < WIRE_ALG_COUNT;
}

static const struct alg_row *
alg_get(enum wire_alg alg)
{
	assert(alg > WIRE_ALG_NONE && alg < WIRE_ALG_COUNT);
	return &algs[alg];
}

const char *
wire_alg_name(enum wire_alg alg)
{
	return alg_get(alg)->name;
}

enum wire_alg
wire_alg_find(const char *name)
{
	for (int alg = WIRE_ALG_NONE + 1; alg < WIRE_ALG_COUNT; alg++) {
		if (strcmp(algs[alg].name, name) == 0)
			return (enum wire_alg)alg;
	}
	return WIRE_ALG_NONE;
}

enum wire_kty
wire_alg_kty(enum wire_alg alg)
{
	return alg_get(alg)->kty;
}

unsigned
wire_alg_bits(enum wire_alg alg)
{
	return alg_get(alg)->bits;
}

enum wire_alg_use
wire_alg_use(enum wire_alg alg)
{
	return alg_get(alg)->use;
}
