/*
 * Internal to pkcs11/: keys for trials, session objects that are generated or, where the token takes it, given a known
 * value, and destroyed when the trial ends.
 */
#pragma once

#include "pkcs11/hsmkey_priv.h"
#include "pkcs11/probe.h"

/* The session key of a spec by the very templates of token keys; NULL if the token refuses it. */
struct hsmkey *trial_generate(struct session *session, const struct hsmkey_spec *spec,
	const struct probe *probe) MUST_USE;
/* A secret key of a known value with the usage bits of its spec; NULL if the token refuses it. */
struct hsmkey *trial_create(struct session *session, const struct hsmkey_spec *spec,
	const struct probe *probe, struct bytes value) MUST_USE;
/* Destroys the object, repairs the session if the trial broke it. NULL is fine. */
void trial_end(struct session *session, struct hsmkey *key);

/* A spec of trial keys: type, size or curve, operations. */
struct hsmkey_spec trial_spec(enum key_kty kty, unsigned bits, enum curve curve, uint32_t ops);
