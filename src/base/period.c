#include "period.h"

#include <string.h>
#include <time.h>

#define DIGITS_MAX 6

struct unit {
	char designator;
	int years, months, days, seconds;
};

static const struct unit dates[] = {
	{'Y', 1, 0, 0, 0},
	{'M', 0, 1, 0, 0},
	{'W', 0, 0, 7, 0},
	{'D', 0, 0, 1, 0},
	{0,   0, 0, 0, 0},
};
static const struct unit times[] = {
	{'H', 0, 0, 0, 3600},
	{'M', 0, 0, 0, 60  },
	{'S', 0, 0, 0, 1   },
	{0,   0, 0, 0, 0   },
};

static void
add(struct period *period, const struct unit *unit, int number)
{
	period->years += number * unit->years;
	period->months += number * unit->months;
	period->days += number * unit->days;
	period->seconds += (int64_t)number * unit->seconds;
}

/* Numbers with the designators of a table, in its order. NULL: something else. ret_count: how many. */
static const char *
parse_units(const char *text, const struct unit *unit, struct period *period, int *ret_count)
{
	*ret_count = 0;
	while (*text != '\0' && *text != 'T') {
		size_t digits = strspn(text, "0123456789");
		if (digits == 0 || digits > DIGITS_MAX)
			return NULL;
		int number = 0;
		for (; digits > 0; digits--)
			number = 10 * number + (*text++ - '0');
		while (unit->designator != 0 && unit->designator != *text)
			unit++;
		if (unit->designator == 0)
			return NULL;
		add(period, unit++, number);
		text++;
		++*ret_count;
	}
	return text;
}

bool
period_parse(const char *text, struct period *ret_period)
{
	struct period period = {0};
	int date_count, time_count = 1;
	if (strlen(text) >= PERIOD_TEXT || text[0] != 'P')
		return false;
	text = parse_units(text + 1, dates, &period, &date_count);
	if (text == NULL)
		return false;
	bool timed = *text == 'T';
	if (timed) {
		text = parse_units(text + 1, times, &period, &time_count);
		if (text == NULL || *text != '\0' || time_count == 0)
			return false;
	}
	if (!timed && date_count == 0)
		return false;
	*ret_period = period;
	return true;
}

static int64_t
shift(const struct period *period, int64_t time_s, int sign)
{
	time_t time = time_s;
	struct tm date;
	if (gmtime_r(&time, &date) == NULL)
		return time_s;
	date.tm_year += sign * period->years;
	date.tm_mon += sign * period->months;
	date.tm_mday += sign * period->days;
	return timegm(&date) + sign * period->seconds;
}

int64_t
period_after(const struct period *period, int64_t time_s)
{
	return shift(period, time_s, 1);
}

int64_t
period_before(const struct period *period, int64_t time_s)
{
	return shift(period, time_s, -1);
}
