/* SPDX-License-Identifier: Apache-2.0 */
/* time.c — proleptic Gregorian calendar arithmetic, without libc's time zones and locale. */
#include "model/base/time.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, ERA_DAYS = 146097, ERA_YEARS = 400, EPOCH_DAYS = 719468 };

/* Days from civil and back: years start in March, so that the leap day is the last of its year. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	int64_t in_era = y - era * ERA_YEARS;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + in_year - EPOCH_DAYS;
}

struct civil time_civil(int64_t unix_s)
{
	int64_t days = unix_s / DAY_S, rest = unix_s % DAY_S;
	int64_t era, in_era, year, in_year, shifted;
	struct civil c;

	if (rest < 0) {
		rest += DAY_S;
		days--;
	}
	days += EPOCH_DAYS;
	era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
	in_era = days - era * ERA_DAYS;
	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	shifted = (5 * in_year + 2) / 153;
	c.day = (int)(in_year - (153 * shifted + 2) / 5 + 1);
	c.month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	c.year = (int)(year + era * ERA_YEARS + (c.month <= 2));
	c.hour = (int)(rest / 3600);
	c.minute = (int)(rest / 60 % 60);
	c.second = (int)(rest % 60);
	return c;
}

int64_t time_unix(struct civil c)
{
	return days_of(c.year, c.month, c.day) * DAY_S + c.hour * 3600 + c.minute * 60 + c.second;
}

void time_format(int64_t unix_s, char *out)
{
	const int64_t first = -62167219200, last = 253402300799; /* years 0000 and 9999 */
	struct civil c;

	if (unix_s < first)
		unix_s = first;
	if (unix_s > last)
		unix_s = last;
	c = time_civil(unix_s);
	snprintf(out, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000u,
		 (unsigned)c.month % 100u, (unsigned)c.day % 100u, (unsigned)c.hour % 100u,
		 (unsigned)c.minute % 100u, (unsigned)c.second % 100u);
}

/* Exactly n digits; moves the cursor. */
static bool digits(const char **at, int n, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*out = value;
	return true;
}

static bool literal(const char **at, const char *any)
{
	if (!**at || !strchr(any, **at))
		return false;
	(*at)++;
	return true;
}

static bool offset(const char **at, int *seconds)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*seconds = 0;
	if (literal(at, "Zz"))
		return true;
	if (!literal(at, "+-") || !digits(at, 2, &hours) || !literal(at, ":") ||
	    !digits(at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

bool time_parse(const char *text, int64_t *unix_s)
{
	struct civil c;
	int shift;

	if (!digits(&text, 4, &c.year) || !literal(&text, "-") || !digits(&text, 2, &c.month) ||
	    !literal(&text, "-") || !digits(&text, 2, &c.day) || !literal(&text, "Tt ") ||
	    !digits(&text, 2, &c.hour) || !literal(&text, ":") || !digits(&text, 2, &c.minute) ||
	    !literal(&text, ":") || !digits(&text, 2, &c.second))
		return false;
	if (literal(&text, ".")) {
		if (*text < '0' || *text > '9')
			return false;
		text += strspn(text, "0123456789");
	}
	if (!offset(&text, &shift) || *text)
		return false;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > month_days(c.year, c.month) ||
	    c.hour > 23 || c.minute > 59 || c.second > 60)
		return false;
	*unix_s = time_unix(c) - shift;
	return true;
}
