/* base64url without padding (RFC 4648 §5), canonical only, and lower-case hex. Time depends on lengths alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"
#include "buf.h"

/* Characters of the encoding of `len` octets, and the most octets that `len` characters can hold. */
size_t b64_encoded_len(size_t len);
size_t b64_decoded_max(size_t len);

/* Writes b64_encoded_len(len) characters and a NUL to `text`. */
void b64_encode(const void *data, size_t len, char *text);
bool b64_append(struct buf *buf, const void *data, size_t len); /* false: buffer's maximum */

/*
 * Decodes `len` characters to `data` (b64_decoded_max(len) octets of room). false, with nothing to be
 * used in `data`, for a character outside the alphabet, padding, an impossible length or non-zero
 * trailing bits. `data` may be `text` itself.
 */
bool b64_decode(const char *text, size_t len, void *data, size_t *ret_len) MUST_USE;

/* Value of a hexadecimal digit of any case; -1: it is none. */
int hex_digit(char c);
/* 2 * len characters and a NUL. */
void hex_encode(const void *data, size_t len, char *text);
/* Exactly 2 * len lower-case digits followed by NUL, else false. */
bool hex_decode(const char *text, void *data, size_t len) MUST_USE;
