/*
 * Rotation by itself: keys whose policy says so get their next version, and the coming end of a version is told in the log,
 * once. Looks at all policies in turn, some each time; one birth at a time. What fails is tried again a minute later. A clock
 * that jumped rotates nothing until a person confirmed it (calendar.h).
 */
#pragma once

#include "base/attr.h"

struct custodyd;
struct rotator;

/* `daemon` is borrowed. */
struct rotator *rotator_new(struct custodyd *daemon);
void rotator_free(struct rotator *rotator);

/* Call every few seconds. */
void rotator_tick(struct rotator *rotator);
/* Something may be due that was not: looks at all policies from the first one, without the pause. */
void rotator_wake(struct rotator *rotator);

DEFINE_CLEAN(rotator, struct rotator)
