/*
 * Messages between custodyd and custody-token: structs, codec and channel, all from msg.tbl.
 *
 * One message is one datagram on a SOCK_SEQPACKET socket, at most WIRE_MAX octets:
 *
 *   u32 length of the whole datagram, u16 type, u16 flags, u64 request id, then the fields of one record
 *
 * in little-endian order. An answer carries the type and id of its request and WIRE_FLAG_ANSWER; a bad one
 * WIRE_FLAG_ERROR too, and the record `error`. Decoding is strict and total: every octet is accounted for, and
 * whatever a peer sends ends in a struct or in an error. Decoded structs borrow from the datagram.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define WIRE_MAX    65536
#define WIRE_HEADER 16

#define WIRE_FLAG_ANSWER 1
#define WIRE_FLAG_ERROR  2 /* with WIRE_FLAG_ANSWER only */

/* Texts under the identity key's signatures, so that none can pass for another. */
#define WIRE_ATTESTED_PURPOSE "custody attested key v1"
#define WIRE_PROOF_PURPOSE    "custody identity proof v1"

/* CKA_ID of the identity key pair on every token, 16 octets: what pkcs11/identity.c makes and `list` shows. */
#define WIRE_IDENTITY_ID "custody-identity"

enum wire_type {
#define RECORD(record)
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)                   \
	WIRE_##symbol = (number),
#include "msg.tbl"
	WIRE_TYPE_COUNT
};

enum wire_record {
#define RECORD(record) WIRE_RECORD_##record,
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "msg.tbl"
	WIRE_RECORD_COUNT
};

/* C types of the fields; see the head of msg.tbl. */
#define WIRE_C_U8(name)     uint8_t name
#define WIRE_C_U16(name)    uint16_t name
#define WIRE_C_U32(name)    uint32_t name
#define WIRE_C_U64(name)    uint64_t name
#define WIRE_C_ID16(name)   uint8_t name[16]
#define WIRE_C_B32(name)    uint8_t name[32]
#define WIRE_C_BYTES(name)  struct bytes name
#define WIRE_C_TEXT(name)   const char *name
#define WIRE_C_SECRET(name) struct bytes name
#define WIRE_C_LIST(name)   struct bytes name

#define RECORD(record)            struct wire_##record {
#define FIELD(record, type, name) WIRE_C_##type(name);
#define END(record)                                                                                \
	}                                                                                          \
	;
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "msg.tbl"

enum wire_alg {
	WIRE_ALG_NONE,
#define ALG(symbol, name, kty, bits, use) WIRE_ALG_##symbol,
#include "alg.tbl"
	WIRE_ALG_COUNT
};

enum wire_alg_use {
	WIRE_USE_CIPHER = 1,
	WIRE_USE_WRAP,
	WIRE_USE_SIGN,
};

enum wire_deadline {
	WIRE_DEADLINE_NONE,   /* nobody waits */
	WIRE_DEADLINE_START,  /* module, token, login: grows with the token's objects */
	WIRE_DEADLINE_LOGIN,  /* a person types */
	WIRE_DEADLINE_USE,    /* one operation with a key */
	WIRE_DEADLINE_SEARCH, /* enumerates objects */
	WIRE_DEADLINE_CREATE, /* makes keys or runs trials; RSA-4096 takes seconds */
};

enum wire_state {
	WIRE_STATE_READY = 1,
	WIRE_STATE_NOT_ENROLLED, /* logged in; only enroll, capabilities, find, list, ping, stop are served */
	WIRE_STATE_LOGIN_NEEDED, /* pin-source is ask, or the token has its own keypad: only login, stop are served */
};

/* Whose the token is (threats D12). */
enum wire_lease {
	WIRE_LEASE_NONE = 1, /* nobody's */
	WIRE_LEASE_OURS,     /* of the instance that start named */
	WIRE_LEASE_OTHER, /* another's: only prove, enroll with take_over and what is asked before enrolment are served */
	WIRE_LEASE_UNSUPPORTED, /* the token keeps no lease */
};

enum wire_kty {
	WIRE_KTY_RSA = 1,
	WIRE_KTY_EC,
	WIRE_KTY_AES,
	WIRE_KTY_HMAC,
};

enum wire_curve {
	WIRE_CURVE_NONE,
	WIRE_CURVE_P256,
	WIRE_CURVE_P384,
	WIRE_CURVE_P521,
	WIRE_CURVE_P256K,
};

enum wire_class {
	WIRE_CLASS_PRIVATE = 1,
	WIRE_CLASS_PUBLIC,
	WIRE_CLASS_SECRET,
	WIRE_CLASS_OTHER,
};

/* Key operations (key_ops of the dialect). */
#define WIRE_OP_ENCRYPT 1u
#define WIRE_OP_DECRYPT 2u
#define WIRE_OP_SIGN    4u
#define WIRE_OP_VERIFY  8u
#define WIRE_OP_WRAP    16u
#define WIRE_OP_UNWRAP  32u

#define WIRE_PROVENANCE_LOCAL             1u
#define WIRE_PROVENANCE_ALWAYS_SENSITIVE  2u
#define WIRE_PROVENANCE_NEVER_EXTRACTABLE 4u

#define WIRE_TOKEN_READ_ONLY     1u /* write-protected: no key can be made or destroyed */
#define WIRE_TOKEN_ONE_THREAD    2u /* the module cannot lock: one session */
#define WIRE_TOKEN_KEYPAD        4u /* protected authentication path */
#define WIRE_TOKEN_PIN_COUNT_LOW 8u
#define WIRE_TOKEN_HARDWARE      128u /* the module calls the slot hardware */

/* FNV-1a over both tables: what start carries, so that two builds never talk past each other. */
uint64_t wire_version(void);

/* Columns of msg.tbl. `type` must be one of the table (asserted): wire_decode() guarantees it. */
const char *wire_name(enum wire_type type);
enum wire_deadline wire_deadline(enum wire_type type);
bool wire_idempotent(enum wire_type type);
bool wire_secret(enum wire_type type);
enum wire_record wire_request_record(enum wire_type type);
enum wire_record wire_answer_record(enum wire_type type);

/* Columns of alg.tbl. wire_alg_valid() first for a number from outside. */
bool wire_alg_valid(uint16_t number);
const char *wire_alg_name(enum wire_alg alg);
enum wire_alg wire_alg_find(const char *name); /* WIRE_ALG_NONE if unknown */
enum wire_kty wire_alg_kty(enum wire_alg alg);
unsigned wire_alg_bits(enum wire_alg alg);
enum wire_alg_use wire_alg_use(enum wire_alg alg);

/*
 * Encoding appends to `buf` (initialise it with maximum WIRE_MAX; empty it between messages, by buf_clear() or
 * buf_reset(), both of which wipe). `request` and `answer` point to the struct of the type's record. false: the
 * message is over WIRE_MAX; `buf` is then not to be sent.
 */
bool wire_encode_request(
	struct buf *buf, enum wire_type type, uint64_t id, const void *request) MUST_USE;
bool wire_encode_answer(
	struct buf *buf, enum wire_type type, uint64_t id, const void *answer) MUST_USE;
/* Always fits. `detail` as record `error` says, {NULL, 0} for none. */
void wire_encode_error(struct buf *buf, enum wire_type type, uint64_t id, const struct err *error,
	struct bytes detail);

struct wire_message {
	enum wire_type type;
	uint16_t flags;
	uint64_t id;
	struct bytes body; /* borrowed from the datagram */
};

/* Takes a datagram apart; ERR_INTERNAL if it is none of ours. The fields are decoded by the next two. */
bool wire_decode(struct bytes datagram, struct wire_message *ret_message, struct err *err) MUST_USE;
/* `ret_request`: struct of the type's request record. ERR_INTERNAL if the octets are not exactly that. */
bool wire_decode_request(
	const struct wire_message *message, void *ret_request, struct err *err) MUST_USE;
/*
 * `ret_answer`: struct of the type's answer record. If the peer answered by an error, *err is that error
 * (a name unknown here is ERR_INTERNAL) and, with `ret_detail` not NULL, *ret_detail its detail, borrowed;
 * *ret_detail is empty in all other cases.
 */
bool wire_decode_answer(const struct wire_message *message, void *ret_answer,
	struct bytes *ret_detail, struct err *err) MUST_USE;

/* One record after another, without header: LIST fields and what is signed. false: the buffer's maximum. */
bool wire_record_append(struct buf *buf, enum wire_record record, const void *value) MUST_USE;
/*
 * Decodes one record from the front of *rest and shortens *rest. At the end of the list (rest->len == 0) do not
 * call it. ERR_INTERNAL if the octets are not a record.
 */
bool wire_record_next(
	struct bytes *rest, enum wire_record record, void *ret_value, struct err *err) MUST_USE;

enum wire_io {
	WIRE_IO_DONE,
	WIRE_IO_AGAIN,  /* non-blocking descriptor, nothing was transferred */
	WIRE_IO_CLOSED, /* the peer is gone */
	WIRE_IO_FAILED, /* *err says why; the channel is of no more use */
};

/*
 * Sends one datagram, with a duplicate of descriptor `attach` unless that is -1. Blocks or not as the descriptor
 * says. Thread-safe: datagrams are never mixed. No SIGPIPE.
 */
enum wire_io wire_send(int fd, struct bytes datagram, int attach, struct err *err) MUST_USE;
/*
 * Receives one datagram into `buf` (reset first, maximum at least WIRE_MAX). *ret_attached is the descriptor that
 * came along, close-on-exec, owned by the caller, or -1. Any number of threads may wait on one descriptor.
 */
enum wire_io wire_recv(int fd, struct buf *buf, int *ret_attached, struct err *err) MUST_USE;
