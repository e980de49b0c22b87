/* SPDX-License-Identifier: Apache-2.0 */
/* semver_range.c — ranges into conditions, and what each condition takes. See semver.h. */
#include <string.h>

#include "model/oci/semver.h"

/* Longer ones first: the first that fits is taken. */
static const struct {
	const char *text;
	enum range_operator operator;
} operators[] = {
	{ "!=", RANGE_NOT_EQUAL }, { ">=", RANGE_FROM },  { "=>", RANGE_FROM },
	{ "<=", RANGE_UP_TO },     { "=<", RANGE_UP_TO }, { "~>", RANGE_TILDE },
	{ "=", RANGE_EQUAL },      { ">", RANGE_ABOVE },  { "<", RANGE_BELOW },
	{ "~", RANGE_TILDE },      { "^", RANGE_CARET },
};

static bool fail(struct err *err, const char *at)
{
	return err_set(err, ERR_INVALID, "improper constraint: '%.40s'", at);
}

static void skip(const char **at, const char *what)
{
	*at += strspn(*at, what);
}

static bool is_any(char c)
{
	return c == 'x' || c == 'X' || c == '*';
}

static bool is_identifier(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.';
}

static size_t identifier(const char **at)
{
	const char *start = *at;

	while (is_identifier(**at))
		(*at)++;
	return (size_t)(*at - start);
}

static bool read_number(const char **at, uint64_t *out)
{
	size_t n = strspn(*at, "0123456789");

	*out = 0;
	for (size_t i = 0; i < n && n < 19; i++)
		*out = *out * 10 + (uint64_t)((*at)[i] - '0');
	*at += n;
	return n > 0 && n < 19;
}

/* "v1.2.x-rc.1+b": parts behind one that is missing or any do not count. */
static bool read_operand(const char **at, struct range_condition *out, struct err *err)
{
	const char *start = *at;
	size_t known = 0;
	bool has_any = false;

	if (**at == 'v' && !is_identifier((*at)[1]) && !is_any((*at)[1]))
		return fail(err, start);
	skip(at, "v");
	for (size_t i = 0; i < 3; i++) {
		if (is_any(**at)) {
			has_any = true;
			(*at)++;
		} else if (!read_number(at, &out->version.part[i])) {
			return fail(err, start);
		} else if (!has_any) {
			known = i + 1;
		} else {
			out->version.part[i] = 0;
		}
		if (**at != '.' || i == 2)
			break;
		(*at)++;
	}
	if (**at == '-') {
		out->version.pre = ++*at;
		out->version.n_pre = identifier(at);
		if (!out->version.n_pre)
			return fail(err, start);
	}
	if (**at == '+') {
		++*at;
		if (!identifier(at))
			return fail(err, start);
	}
	out->is_dirty = known < 3;
	out->is_minor_dirty = known == 1;
	out->is_patch_dirty = known == 2;
	return !**at || strchr(" ,|", **at) || fail(err, start);
}

static struct range_condition *add(struct semver_range *out, enum range_operator operator)
{
	struct range_condition *one;

	if (out->n == RANGE_CONDITIONS)
		return NULL;
	one = &out->v[out->n++];
	*one = (struct range_condition){ .operator= operator, .group = out->n_groups };
	return one;
}

/* "1.2 - 1.4" behind its first version. */
static bool read_hyphen(const char **at, struct range_condition *first, struct semver_range *out,
			struct err *err)
{
	const char *rest = *at;
	struct range_condition *second;

	skip(&rest, " ");
	if (rest == *at || rest[0] != '-' || rest[1] != ' ')
		return true;
	rest++;
	skip(&rest, " ");
	second = add(out, RANGE_UP_TO);
	if (!second || first->operator!= RANGE_EQUAL)
		return fail(err, rest);
	first->operator= RANGE_FROM;
	*at = rest;
	return read_operand(at, second, err);
}

static bool read_condition(const char **at, struct semver_range *out, struct err *err)
{
	struct range_condition *one = add(out, RANGE_EQUAL);

	if (!one)
		return err_set(err, ERR_INVALID, "more than %d conditions", RANGE_CONDITIONS);
	for (size_t i = 0; i < COUNTOF(operators); i++) {
		size_t n = strlen(operators[i].text);

		if (strncmp(*at, operators[i].text, n) != 0)
			continue;
		one->operator= operators[i].operator;
		*at += n;
		break;
	}
	skip(at, " ");
	return read_operand(at, one, err) && read_hyphen(at, one, out, err);
}

bool semver_range_parse(const char *text, struct semver_range *out, struct err *err)
{
	const char *at = text;

	*out = (struct semver_range){ 0 };
	for (;; out->n_groups++) {
		size_t before = out->n;

		skip(&at, " ,");
		while (*at && *at != '|') {
			if (!read_condition(&at, out, err))
				return false;
			skip(&at, " ,");
		}
		if (out->n == before) { /* nothing written: anything */
			struct range_condition *any = add(out, RANGE_EQUAL);

			if (!any)
				return fail(err, text);
			any->is_dirty = true;
		}
		if (!*at)
			break;
		if (at[1] != '|')
			return fail(err, at);
		at += 2;
	}
	out->n_groups++;
	return true;
}

static bool is_tilde(const struct semver *v, const struct range_condition *c)
{
	const struct semver *want = &c->version;
	bool is_zero = !want->part[0] && !want->part[1] && !want->part[2];

	if (semver_order(v, want) < 0)
		return false;
	if (is_zero && !c->is_minor_dirty && !c->is_patch_dirty)
		return true;
	return v->part[0] == want->part[0] && (v->part[1] == want->part[1] || c->is_minor_dirty);
}

static bool is_caret(const struct semver *v, const struct range_condition *c)
{
	const struct semver *want = &c->version;

	if (semver_order(v, want) < 0)
		return false;
	if (want->part[0] || c->is_minor_dirty)
		return v->part[0] == want->part[0];
	if (v->part[0])
		return false;
	if (want->part[1] || c->is_patch_dirty)
		return v->part[1] == want->part[1];
	return !v->part[1] && v->part[2] == want->part[2];
}

static bool is_above(const struct semver *v, const struct range_condition *c)
{
	const struct semver *want = &c->version;

	if (!c->is_dirty)
		return semver_order(v, want) > 0;
	if (v->part[0] != want->part[0])
		return v->part[0] > want->part[0];
	return c->is_patch_dirty && v->part[1] > want->part[1];
}

static bool is_up_to(const struct semver *v, const struct range_condition *c)
{
	const struct semver *want = &c->version;

	if (!c->is_dirty)
		return semver_order(v, want) <= 0;
	if (!c->is_minor_dirty && !c->is_patch_dirty)
		return true;
	if (v->part[0] != want->part[0])
		return v->part[0] < want->part[0];
	return c->is_minor_dirty || v->part[1] <= want->part[1];
}

static bool is_other(const struct semver *v, const struct range_condition *c)
{
	const struct semver *want = &c->version;

	if (!c->is_dirty)
		return semver_order(v, want) != 0;
	if (v->part[0] != want->part[0])
		return true;
	return c->is_patch_dirty && v->part[1] != want->part[1];
}

static bool holds(const struct semver *v, const struct range_condition *c)
{
	switch (c->operator) {
	case RANGE_EQUAL:
		return c->is_dirty ? is_tilde(v, c) : semver_order(v, &c->version) == 0;
	case RANGE_NOT_EQUAL:
		return is_other(v, c);
	case RANGE_ABOVE:
		return is_above(v, c);
	case RANGE_BELOW:
		return semver_order(v, &c->version) < 0;
	case RANGE_FROM:
		return semver_order(v, &c->version) >= 0;
	case RANGE_UP_TO:
		return is_up_to(v, c);
	case RANGE_TILDE:
		return is_tilde(v, c);
	case RANGE_CARET:
		return is_caret(v, c);
	case RANGE_OPERATORS:
		break;
	}
	return false;
}

bool semver_is_in(const struct semver *version, const struct semver_range *range)
{
	for (size_t group = 0; group < range->n_groups; group++) {
		bool all = true, has_pre = !version->n_pre;

		for (size_t i = 0; i < range->n; i++) {
			if (range->v[i].group != group)
				continue;
			has_pre = has_pre || range->v[i].version.n_pre;
			all = all && holds(version, &range->v[i]);
		}
		if (all && has_pre)
			return true;
	}
	return false;
}
