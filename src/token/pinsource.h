/* Where a token's PIN comes from. The PIN goes from there into a struct secret, and nowhere else. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"

#define PINSOURCE_PIN_MAX 255 /* octets */

/*
 * Reads the PIN of a `pin-source`:
 *
 *   file:/PATH           a regular file of ours or root's, of mode 0600 or less
 *   credential:NAME      the same in $CREDENTIALS_DIRECTORY (systemd)
 *   command:/PATH ARGS   the output of a program, which must end with status 0 within 30 seconds; no shell
 *   ask                  nobody but a person: *ret_pin is NULL
 *
 * One trailing end of line is not part of the PIN. ERR_CONFIG: the source is not of these forms, cannot be read, is
 * empty or longer than PINSOURCE_PIN_MAX. Blocking. Forks for a command: call before a module is loaded.
 */
bool pinsource_read(const char *source, struct secret **ret_pin, struct err *err) MUST_USE;

/* Reads one line as a PIN from a connection, waiting two minutes at most: ERR_TIMEOUT, ERR_CLIENT_USAGE. */
struct secret *pinsource_read_line(int fd, struct err *err) MUST_USE;
