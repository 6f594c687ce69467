/* Real SoftHSM tokens in a temporary directory of the test. Everything asserts. */
#pragma once

#include <stdbool.h>

#define SOFTHSM_PIN    "1234"
#define SOFTHSM_SO_PIN "567890"

struct softhsm {
	char dir[64];      /* temporary; tokens/, softhsm2.conf, pin */
	char conf[96];     /* for $SOFTHSM2_CONF */
	char pin_file[96]; /* holds SOFTHSM_PIN, mode 0600 */
};

/* Makes the directory without tokens and sets $SOFTHSM2_CONF of this process. */
void softhsm_open(struct softhsm *softhsm);
/* Removes all of it. */
void softhsm_close(struct softhsm *softhsm);

/* A new token of this label. */
void softhsm_add_token(const struct softhsm *softhsm, const char *label);
/* Destroys all tokens, as when their disk died. */
void softhsm_lose_tokens(const struct softhsm *softhsm);
/* Copies all tokens to `name` beside them, and puts such a copy in their place. */
void softhsm_save(const struct softhsm *softhsm, const char *name);
void softhsm_restore(const struct softhsm *softhsm, const char *name);

/* Writes the PIN file anew. */
void softhsm_write_pin(const struct softhsm *softhsm, const char *text);

/* Path of the module; the test is skipped (exit 77) if there is none. */
const char *softhsm_module(void);
