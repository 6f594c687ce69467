/* Internal to pkcs11/: reading attributes back. */
#pragma once

#include "hsmkey_priv.h"
#include "inspect.h"

struct probe;

/*
 * Reads all attributes of both halves and compares them with the template that `probe` makes of `spec`.
 * ERR_TOKEN_REDUCED names a required attribute that differs; hardening ones that differ are added to *reduced.
 */
bool inspect_attributes(struct session *session, const struct hsmkey *key,
	const struct hsmkey_spec *spec, const struct probe *probe, uint32_t *reduced,
	struct err *err) MUST_USE;
