/*
 * Plaintext on its way out of custodyctl: to a file (--out, 0600, whole or not at all), to standard output as
 * it is (--out -), or inside the JSON answer; to a terminal only with --show-secret (threat F13). And base64.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/terminal.h"

struct plaintext {
	const struct ctl *ctl;
	bool to_file; /* --out was given */
	struct outfile file;
};

/* Opens what --out names, before anything is asked of the daemon. ERR_CLIENT_USAGE, ERR_CLIENT_FILE. */
bool plaintext_open(struct plaintext *sink, struct err *err) MUST_USE;

/*
 * Writes the plaintext, and the rest of the answer around it if it goes there: `algorithm` and `opened` may be
 * NULL. Returns the exit code, having said why it is not 0.
 */
int plaintext_answer(struct plaintext *sink, const char *algorithm, const char *key_id,
	const struct custody_opened *opened, const struct custody_secret *plaintext);
/* Writes octets to --out, and names the file. false: said why in err. */
bool plaintext_write(
	struct plaintext *sink, const struct custody_secret *plaintext, struct err *err) MUST_USE;
void plaintext_clean(struct plaintext *sink);

/* Base64 of RFC 4648 §4 or §5, padded or not, line breaks allowed; appended. false: it is none. */
bool plaintext_decode(const char *text, size_t len, struct buf *octets) MUST_USE;
/* As az writes octets: RFC 4648 §4 with padding. */
void plaintext_write_base64(
	struct json_writer *writer, const char *name, const void *data, size_t len);
