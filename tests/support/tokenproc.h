/* A real custody-token process, spoken to in its wire protocol. Everything but what a test asks about asserts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "support/softhsm.h"
#include "wire/wire.h"

struct tokenproc {
	pid_t pid;
	int fd;
	uint64_t next_id;
	struct buf in;       /* holds what the last answer borrows from */
	struct bytes detail; /* of the last error */
	char steps[1024];    /* progress told since the start, blank-separated by '|' */
};

/* Starts $CUSTODY_TOKEN with $SOFTHSM2_CONF and nothing else in its environment. */
void tokenproc_start(struct tokenproc *proc);
/* The same with more entries "NAME=value", NULL at the end. */
void tokenproc_start_env(struct tokenproc *proc, const char *const more[]);

/* A request for a token of this label with the fixture's PIN file, two sessions, no identity. */
struct wire_start_request tokenproc_request(const struct softhsm *softhsm, const char *uri);

/* Sends a request, with `attach` unless -1, and does not wait. Returns its id. */
uint64_t tokenproc_send(
	struct tokenproc *proc, enum wire_type type, const void *request, int attach);
/* The next answer to anything; false: the worker closed the channel. Progress goes to `steps`. */
bool tokenproc_receive(struct tokenproc *proc, struct wire_message *ret_message);
/* Sends and waits for the answer, which borrows from the proc until the next call. */
bool tokenproc_ask(struct tokenproc *proc, enum wire_type type, const void *request,
	void *ret_answer, struct err *err);

/* Asserts a good start, enrols; leaves the worker ready. */
void tokenproc_ready(struct tokenproc *proc, const struct softhsm *softhsm, const char *uri);

/* Closes the channel, or first asks it to stop, and returns the wait status. */
int tokenproc_hang_up(struct tokenproc *proc);
int tokenproc_stop(struct tokenproc *proc);

/* A key made by the worker, and what it said of it. */
struct tokenkey {
	uint8_t id[16];
	uint8_t fingerprint[32];
	uint8_t spki[640];
	size_t spki_len;
	uint8_t attestation[64];
	struct wire_generate_request asked; /* label: static */
	uint8_t provenance;
};

/* Requests with a random id and the label "vault/key". */
struct wire_generate_request tokenkey_rsa(unsigned bits, uint32_t ops);
struct wire_generate_request tokenkey_ec(enum wire_curve curve);
struct wire_generate_request tokenkey_aes(unsigned bits, uint32_t ops);
struct wire_generate_request tokenkey_hmac(unsigned bits);

/* false: *err. */
bool tokenproc_try_generate(struct tokenproc *proc, const struct wire_generate_request *request,
	struct tokenkey *ret_key, struct err *err);
/* Asserts. */
struct tokenkey tokenproc_generate(struct tokenproc *proc, struct wire_generate_request request);

/* Uses of a key; answers borrow from the proc. `alg` by its name. */
bool tokenproc_decrypt(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes data, struct bytes *ret_plain, struct err *err);
bool tokenproc_open(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	const struct wire_encrypt_answer *sealed, struct bytes aad, struct bytes *ret_plain,
	struct err *err);
bool tokenproc_encrypt(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes plain, struct bytes aad, struct wire_encrypt_answer *ret_sealed,
	struct err *err);
bool tokenproc_sign(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes digest, struct bytes *ret_signature, struct err *err);
bool tokenproc_verify_key(struct tokenproc *proc, const struct tokenkey *key, struct err *err);
bool tokenproc_destroy(
	struct tokenproc *proc, const uint8_t *id, struct bytes fingerprint, struct err *err);
