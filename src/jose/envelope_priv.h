/* Internal to src/jose: what the parser and the maker of envelopes share. */
#pragma once

#include "jose/envelope.h"

/* Member of the protected header that holds what is ours. */
#define ENVELOPE_NAMESPACE "urn:custodyd:v1"

/* Whether a recipient may be this: a canonical kid with a version, an algorithm of the allow-list. */
bool envelope_key_valid(const struct envelope_key *key);
/* Whether an encrypted key of this length can be one of this algorithm. */
bool envelope_key_len_valid(enum alg alg, size_t len);
/* Whether the listed keys are 2 to 8, valid, and no kid stands twice. */
bool envelope_list_valid(const struct envelope_key *keys, size_t count);
