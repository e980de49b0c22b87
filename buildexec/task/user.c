/* SPDX-License-Identifier: Apache-2.0 */
/* user.c — see user.h. */
#include "buildexec/task/user.h"

#include <string.h>
#include <strings.h>

/* A field of a line that ends at a colon or at the line's end. */
struct span {
	const char *text;
	size_t n;
};

/* Decimal digits alone, below 2^32 - 1 (which means "no user" to the kernel). */
static bool parse_number(const char *text, size_t n, uint32_t *out)
{
	uint64_t value = 0;

	if (n == 0 || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(text[i] - '0');
	}
	if (value >= UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* The next line of `*text`, split; false at the end. Missing fields are empty. */
static bool next_line(const char **text, struct span *fields, size_t n_fields)
{
	const char *at = *text;

	if (!at || !*at)
		return false;
	for (size_t i = 0; i < n_fields; i++) {
		fields[i] = (struct span){ at, strcspn(at, ":\n") };
		at += fields[i].n;
		at += i + 1 < n_fields && *at == ':';
	}
	at += strcspn(at, "\n");
	*text = at + (*at == '\n');
	return true;
}

static bool span_is(struct span span, const char *text, size_t n)
{
	return span.n == n && memcmp(span.text, text, n) == 0;
}

/* By name, else by number. The name of whoever is found comes back in *name. */
static bool find_user(const char *passwd, struct span want, struct arena *arena, struct user *out,
		      struct span *name)
{
	uint32_t number = 0, uid, gid;
	bool is_number = parse_number(want.text, want.n, &number);
	struct span f[7];

	while (next_line(&passwd, f, COUNTOF(f))) {
		if (!parse_number(f[2].text, f[2].n, &uid) ||
		    !parse_number(f[3].text, f[3].n, &gid))
			continue;
		if (!span_is(f[0], want.text, want.n) && !(is_number && uid == number))
			continue;
		out->uid = uid;
		out->gid = gid;
		*name = f[0];
		if (f[5].n > 0 && f[5].text[0] == '/')
			out->home = arena_copy(arena, f[5].text, f[5].n);
		return true;
	}
	out->uid = number;
	return is_number;
}

static bool find_group(const char *group, struct span want, uint32_t *out)
{
	struct span f[4];
	uint32_t gid;

	while (next_line(&group, f, COUNTOF(f)))
		if (span_is(f[0], want.text, want.n) && parse_number(f[2].text, f[2].n, &gid)) {
			*out = gid;
			return true;
		}
	return parse_number(want.text, want.n, out);
}

static bool is_member(struct span members, struct span name)
{
	const char *at = members.text, *end = at + members.n;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t n = (size_t)((comma ? comma : end) - at);

		if (span_is(name, at, n))
			return true;
		at += n + 1;
	}
	return false;
}

static void add_groups(const char *group, struct span name, struct arena *arena, struct user *out)
{
	struct span f[4];
	uint32_t gid;

	while (name.n > 0 && next_line(&group, f, COUNTOF(f)))
		if (is_member(f[3], name) && parse_number(f[2].text, f[2].n, &gid) &&
		    gid != out->gid)
			vec_push(arena, &out->groups, gid);
}

bool user_resolve(const char *text, const struct user_files *files, struct arena *arena,
		  struct user *out, struct err *err)
{
	const char *all = text && text[0] ? text : "0";
	size_t n = strcspn(all, ":");
	struct span name = { 0 }, group = { 0 };

	*out = (struct user){ 0 };
	if (n == 0)
		all = "0", n = 1;
	else if (all[n] == ':')
		group = (struct span){ all + n + 1, strlen(all + n + 1) };
	if (!find_user(files->passwd, (struct span){ all, n }, arena, out, &name))
		return err_set(err, ERR_INVALID, "user '%.*s' is not in the image's /etc/passwd",
			       (int)n, all);
	if (group.n > 0 && !find_group(files->group, group, &out->gid))
		return err_set(err, ERR_INVALID, "group '%.*s' is not in the image's /etc/group",
			       (int)group.n, group.text);
	if (group.n == 0)
		add_groups(files->group, name, arena, out);
	return true;
}

static bool parse_range(const char *text, size_t n, struct uid_range *out)
{
	const char *dash = memchr(text, '-', n);
	size_t left = dash ? (size_t)(dash - text) : n;

	*out = (struct uid_range){ .low = 0, .high = UINT32_MAX - 1 };
	if (!dash) {
		if (!parse_number(text, n, &out->low))
			return false;
		out->high = out->low;
		return true;
	}
	if (n == 1 || (left > 0 && !parse_number(text, left, &out->low)))
		return false;
	if (left + 1 < n && !parse_number(dash + 1, n - left - 1, &out->high))
		return false;
	return out->low <= out->high;
}

bool uid_ranges_parse(const char *text, struct arena *arena, struct uid_ranges *out,
		      struct err *err)
{
	*out = (struct uid_ranges){ 0 };
	while (text && *text) {
		size_t all = strcspn(text, ","), n = all;
		const char *at = text;
		struct uid_range range;

		while (n > 0 && *at == ' ')
			at++, n--;
		while (n > 0 && at[n - 1] == ' ')
			n--;
		if (!parse_range(at, n, &range))
			return err_set(err, ERR_INVALID,
				       "'%.*s' is no range of user ids (write n, n-, -n or n-m)",
				       (int)n, at);
		vec_push(arena, &out->list, range);
		text += all;
		if (*text == ',' && !*++text)
			return err_set(err, ERR_INVALID, "the list of user ids ends in a comma");
	}
	return true;
}

bool uid_ranges_allow(const struct uid_ranges *ranges, const char *text)
{
	uint32_t uid;

	if (ranges->list.n == 0)
		return true;
	if (!text || !parse_number(text, strcspn(text, ":"), &uid))
		return false;
	for (size_t i = 0; i < ranges->list.n; i++)
		if (ranges->list.v[i].low <= uid && uid <= ranges->list.v[i].high)
			return true;
	return false;
}

const char *uid_ranges_refused(const struct uid_ranges *ranges, const struct strings *onbuild,
			       struct arena *arena)
{
	static const char blanks[] = " \t\v\f\r\n";

	for (size_t i = 0; i < onbuild->n; i++) {
		const char *at = onbuild->v[i] + strspn(onbuild->v[i], blanks);
		size_t n = strcspn(at, blanks);
		const char *name;

		if (n != 4 || strncasecmp(at, "user", 4) != 0)
			continue;
		at += n + strspn(at + n, blanks);
		name = arena_copy(arena, at, strcspn(at, blanks));
		if (!uid_ranges_allow(ranges, name))
			return name;
	}
	return NULL;
}
