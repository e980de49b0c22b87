/* SPDX-License-Identifier: Apache-2.0 */
/* git_commit.c — see git_commit.h. */
#include "buildexec/sys/git_commit.h"

#include <stdio.h>
#include <string.h>

#include "model/base/time.h"

/* Year 9999: what time.h can show. */
#define TIME_MAX_S 253402300799ll

static const char *cut(const char *from, const char *to, size_t max, struct arena *arena)
{
	size_t n = (size_t)(to - from);

	return arena_copy(arena, from, n < max ? n : max);
}

/* "1604573400 +0100" */
static void read_time(const char *at, const char *end, struct git_person *out)
{
	int64_t value = 0;
	int zone = 0, sign;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		value = 10 * value + (*at - '0');
		if (value > TIME_MAX_S)
			return;
	}
	out->time_s = value;
	if (end - at < 6 || at[0] != ' ' || (at[1] != '+' && at[1] != '-'))
		return;
	sign = at[1] == '-' ? -1 : 1;
	for (int i = 2; i < 6; i++) {
		if (at[i] < '0' || at[i] > '9')
			return;
		zone = 10 * zone + (at[i] - '0');
	}
	out->offset_min = sign * (zone / 100 * 60 + zone % 100);
}

/* "Name <email> time zone" */
static struct git_person read_person(const char *at, const char *end, struct arena *arena)
{
	struct git_person out = { .name = "", .email = "" };
	const char *open = memchr(at, '<', (size_t)(end - at)), *close, *name_end = open;

	if (!open)
		return out;
	close = memchr(open, '>', (size_t)(end - open));
	if (!close)
		return out;
	while (name_end > at && name_end[-1] == ' ')
		name_end--;
	out.name = cut(at, name_end, GIT_PERSON_BYTES, arena);
	out.email = cut(open + 1, close, GIT_PERSON_BYTES, arena);
	at = close + 1;
	while (at < end && *at == ' ')
		at++;
	read_time(at, end, &out);
	return out;
}

/* Lines up to the first blank one, joined by blanks. */
static const char *read_subject(const char *at, const char *end, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(GIT_SUBJECT_BYTES);

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		while (at < stop && strchr(" \t\r\v\f", *at))
			at++;
		while (stop > at && strchr(" \t\r\v\f", stop[-1]))
			stop--;
		if (at == stop && out.len > 0)
			break;
		if (at < stop) {
			if (out.len > 0)
				buf_byte(&out, ' ');
			buf_puts(&out, cut(at, stop, GIT_SUBJECT_BYTES - 1 - out.len, arena));
		}
		if (!newline || out.len + 1 >= GIT_SUBJECT_BYTES)
			break;
		at = newline + 1;
	}
	return buf_copy(&out, arena);
}

bool git_commit_describe(const struct git_data *commit, struct arena *arena,
			 struct git_commit_info *out, struct err *err)
{
	const char *at = commit->bytes, *end = at + commit->n;
	struct git_id tree, parent;

	*out = (struct git_commit_info){ .author = { .name = "", .email = "" },
					 .committer = { .name = "", .email = "" },
					 .subject = "" };
	if (!git_commit_parse(commit, &tree, &parent, err))
		return false;
	while (at < end && *at != '\n') {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (stop - at > 7 && memcmp(at, "author ", 7) == 0)
			out->author = read_person(at + 7, stop, arena);
		else if (stop - at > 10 && memcmp(at, "committer ", 10) == 0)
			out->committer = read_person(at + 10, stop, arena);
		at = newline ? newline + 1 : end;
	}
	out->subject = read_subject(at, end, arena);
	return true;
}

void git_date_format(const struct git_person *person, char *out)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t local_s = person->time_s + 60 * (int64_t)person->offset_min;
	int zone = person->offset_min < 0 ? -person->offset_min : person->offset_min;
	struct civil civil;
	int64_t day;

	if (local_s < 0 || local_s > TIME_MAX_S)
		local_s = person->time_s;
	civil = time_civil(local_s);
	day = local_s / 86400;
	snprintf(out, GIT_DATE_TEXT, "%s %s %d %02d:%02d:%02d %d %c%02d%02d", days[day % 7],
		 months[(civil.month - 1) % 12], civil.day, civil.hour, civil.minute, civil.second,
		 civil.year, person->offset_min < 0 ? '-' : '+', zone / 60, zone % 60);
}
