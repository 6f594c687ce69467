/*
 * That every generation is opened by each of its keys alone once a day, and soon after a token came or went, so that a damaged half does
 * not stay unnoticed until the other one dies (threats G28). One at a time, a few a second, spread over the
 * day (threats G7); when each is due stands in the catalog, so that a restart goes on where it was.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct depd;
struct redundancy;

/* `depd` is borrowed: its loop, ops, db, audit, calendar, custody and options are used. */
struct redundancy *redundancy_new(struct depd *depd) MUST_USE;
/* Before custody, db and loop. NULL is fine. */
void redundancy_free(struct redundancy *redundancy);

/* When what is well at `now_s` is checked again: within a day, at random (threats G7). */
int64_t redundancy_due_s(int64_t now_s);

DEFINE_CLEAN(redundancy, struct redundancy)
