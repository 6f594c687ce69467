/*
 * A vendor's module and the one token in it that we serve. One module for each process, loaded through p11-kit
 * and never unloaded. Built up in the order of the functions below by one thread; constant afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct module;

#define MODULE_READ_ONLY     1u /* write-protected */
#define MODULE_ONE_THREAD    2u /* cannot lock: one session, one thread */
#define MODULE_KEYPAD        4u /* protected authentication path: the PIN is not typed here */
#define MODULE_PIN_COUNT_LOW 8u
#define MODULE_PIN_FINAL_TRY 16u
#define MODULE_PIN_LOCKED    32u
#define MODULE_PIN_MISSING   64u  /* no user PIN was ever set */
#define MODULE_HARDWARE      128u /* the module calls the slot hardware */

/* CK_TOKEN_INFO with its blanks cut off; control characters are '?'. */
struct module_info {
	char label[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	char firmware[8]; /* "2.6" */
	uint32_t flags;   /* MODULE_* */
};

/*
 * Makes libcrypto ready without the host's configuration (threat B37), then loads the library at an absolute path.
 * ERR_CONFIG: cannot be loaded, or lacks a function that we call.
 */
struct module *module_load(const char *path, struct err *err) MUST_USE;
void module_free(struct module *module);

/* C_Initialize with the system's locks; a module that cannot lock is taken as MODULE_ONE_THREAD (threat B34). */
bool module_start(struct module *module, struct err *err) MUST_USE;
/* C_Finalize. May hang (threat B5): the caller bounds it. */
void module_stop(struct module *module);

/*
 * Finds the one token that an RFC 7512 URI matches, by label, serial, manufacturer, model; slot numbers in it are
 * taken too but move. ERR_CONFIG: not such a URI, or it carries a PIN. ERR_UNAVAILABLE: none matches.
 * ERR_TOKEN_AMBIGUOUS: several do, the message names the first two (threat B22).
 */
bool module_find_token(struct module *module, const char *uri, struct err *err) MUST_USE;

/* Of the token found, as of then; borrowed until module_free(). */
const struct module_info *module_get_info(const struct module *module);
/* Reads the token's information again: flags of the PIN change. */
bool module_refresh_info(struct module *module, struct err *err) MUST_USE;

DEFINE_CLEAN(module, struct module)
