/* Periods of the calendar as ISO 8601 writes them: P90D, P3M, P1Y10D, PT48H. Months and years have the length that the date gives them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "attr.h"

#define PERIOD_TEXT 32 /* of a text and its NUL, the longest that is taken */

struct period {
	int years, months, days; /* weeks are days */
	int64_t seconds;         /* of the part behind T */
};

/*
 * Upper case, whole numbers of at most six digits, each designator at most once and in order, at least one; W alone or not.
 * false: no period.
 */
bool period_parse(const char *text, struct period *ret_period) MUST_USE;
/* Unix seconds: the time a period after one, or before one, in UTC; a day that the month does not have is one of the next month's. */
int64_t period_after(const struct period *period, int64_t time_s);
int64_t period_before(const struct period *period, int64_t time_s);
