/*
 * Nothing is left of a policy that was not made: its availability key is deleted and purged in the service's custody, then its
 * intent ends. Tried until it is done, by an operation of its own.
 */
#pragma once

#include <stdint.h>

#include "depd/depd.h"

void policy_undo_start(struct depd *depd, const uint8_t policy[static DB_DEP_GUID]);
/* All intents that the catalog has: at start, before any policy is made. */
bool policy_undo_all(struct depd *depd, struct err *err) MUST_USE;
