/*
 * Random octets from OpenSSL's generator (private DRBG of the calling thread; reseeded after fork).
 * Where that one lacks memory, the kernel's. There is no going on without randomness: failure of both aborts.
 * Thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/id.h"
#include "base/secret.h"

/* Fills `data` with `len` octets. */
void random_bytes(void *data, size_t len);

/* A secret of `len` random octets; NULL only when the secure heap is exhausted. */
struct secret *random_secret(size_t len) MUST_USE;

/* A new RFC 9562 version 4 UUID as text. */
void random_uuid(char text[static ID_UUID_TEXT]);

/*
 * XORs fresh octets onto `data`, which came from another source, such as a token: the result is as good as the better of the
 * two (threat A24).
 */
void random_mix(void *data, size_t len);

/* Adds `len` octets (a token's randomness) to the generator's state; counts as no entropy. */
void random_stir(const void *data, size_t len);
