/*
 * Trusted wall time (threats D14, D15): never runs backwards over restarts, and a jump forwards does not purge
 * anything before a person says that the date is right.
 */
#pragma once

#include "db/db.h"

struct calendar;

/* `jump_limit_s`: a wall clock further ahead of what elapsed (or of the last run) than this is a jump. */
struct calendar *calendar_new(struct db *db, int64_t jump_limit_s);
void calendar_free(struct calendar *calendar);
void calendar_set_limit(struct calendar *calendar, int64_t jump_limit_s); /* on reload */

/* max(wall clock, high-water mark), Unix seconds: for created, updated, deleted dates and for nbf and exp. */
int64_t calendar_now_s(const struct calendar *calendar);
/*
 * Notices jumps and moves the mark; stores it when it is a minute old. Call every few seconds, and before
 * asking calendar_purge_time_s().
 */
bool calendar_tick(struct calendar *calendar, struct err *err) MUST_USE;
/* The same at the end of a run, however old the stored mark is: the next one begins no earlier than this one ended. */
bool calendar_keep(struct calendar *calendar, struct err *err) MUST_USE;
/* The time to compare purge dates with. false: a jump is unconfirmed, purge nothing. */
bool calendar_purge_time_s(const struct calendar *calendar, int64_t *ret_now_s) MUST_USE;
/* How far the clock jumped, for the alarm and doctor; 0: no jump. */
int64_t calendar_jump_s(const struct calendar *calendar);
/* An administrator says that the wall clock is right: the mark follows it. */
bool calendar_confirm(struct calendar *calendar, struct err *err) MUST_USE;

DEFINE_CLEAN(calendar, struct calendar)
