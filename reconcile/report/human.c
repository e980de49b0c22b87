/* SPDX-License-Identifier: Apache-2.0 */
/* human.c — one row per unit. */
#include "reconcile/report/human.h"

#include "model/base/err.h"
#include "model/base/time.h"

enum {
	MINUTE = 60,
	HOUR = 3600,
	DAY_H = 24,
	WEEK_H = 7 * 24,
	MONTH_H = 30 * 24,
	YEAR_H = 365 * 24
};

char *human_duration(int64_t seconds, struct arena *arena)
{
	/* hours are rounded, minutes and years are not: docker's own choice */
	int64_t hours = seconds > 0 ? (seconds + HOUR / 2) / HOUR : 0;
	static const struct {
		int64_t below_h, unit_h;
		const char *unit;
	} units[] = { { 2 * DAY_H, 1, "hours" },
		      { 2 * WEEK_H, DAY_H, "days" },
		      { 2 * MONTH_H, WEEK_H, "weeks" },
		      { 2 * YEAR_H, MONTH_H, "months" } };

	if (seconds < 1)
		return arena_strdup(arena, "Less than a second");
	if (seconds < MINUTE)
		return arena_printf(arena, "%lld second%s", (long long)seconds,
				    seconds == 1 ? "" : "s");
	if (seconds < 2 * MINUTE)
		return arena_strdup(arena, "About a minute");
	if (seconds < HOUR)
		return arena_printf(arena, "%lld minutes", (long long)(seconds / MINUTE));
	if (hours == 1)
		return arena_strdup(arena, "About an hour");
	for (size_t i = 0; i < COUNTOF(units); i++)
		if (hours < units[i].below_h)
			return arena_printf(arena, "%lld %s", (long long)(hours / units[i].unit_h),
					    units[i].unit);
	return arena_printf(arena, "%lld years", (long long)(seconds / HOUR / YEAR_H));
}

char *human_ago(int64_t then_s, int64_t now_s, struct arena *arena)
{
	if (!then_s)
		return arena_strdup(arena, "<unknown>");
	return arena_printf(arena, "%s ago", human_duration(now_s - then_s, arena));
}

char *human_span(int64_t seconds, struct arena *arena)
{
	long long s = seconds > 0 ? seconds : 0;

	if (s < MINUTE)
		return arena_printf(arena, "%llds", s);
	if (s < HOUR)
		return arena_printf(arena, "%lldm%llds", s / MINUTE, s % MINUTE);
	return arena_printf(arena, "%lldh%lldm%llds", s / HOUR, s % HOUR / MINUTE, s % MINUTE);
}

char *human_time(int64_t unix_s, struct arena *arena)
{
	char text[TIME_TEXT];

	if (!unix_s)
		return arena_strdup(arena, "<unknown>");
	time_format(unix_s, text);
	return arena_printf(arena, "%.10s %.8s +0000 UTC", text, text + 11);
}

char *human_date(int64_t unix_s, struct arena *arena)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const int64_t day_s = 24 * HOUR;
	int64_t day = unix_s / day_s - (unix_s % day_s < 0);
	struct civil c = time_civil(unix_s);

	return arena_printf(arena, "%s, %02d %s %04d %02d:%02d:%02d UTC", days[((day % 7) + 7) % 7],
			    c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

char *human_size(int64_t bytes, struct arena *arena)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double size = (double)bytes;
	size_t i = 0;

	for (; size >= 1000.0 && i + 1 < COUNTOF(units); i++)
		size /= 1000.0;
	return arena_printf(arena, "%.4g %s", size, units[i]);
}
