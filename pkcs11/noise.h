/* Random octets of the token. Never used alone: custodyd mixes them with its own (threat A24). */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pkcs11/session.h"

#define NOISE_MAX 128 /* octets; akv-contract §4 */

/* `len` octets, 1 to NOISE_MAX, of C_GenerateRandom. */
bool noise_draw(
	struct session *session, size_t len, struct secret **ret_noise, struct err *err) MUST_USE;
