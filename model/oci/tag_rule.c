/* SPDX-License-Identifier: Apache-2.0 */
/* tag_rule.c — filters, extracts, and keeps the best so far. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/oci/tag_rule.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "model/base/buf.h"
#include "model/base/limits.h"
#include "model/oci/semver.h"

enum { MATCH_STEPS = 200000, MATCH_DEPTH = 2000, MATCH_HEAP_KIB = 8192 };

struct matcher {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	const char *pattern;
};

static void matcher_release(struct matcher *m)
{
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_code_free(m->code);
	*m = (struct matcher){ 0 };
}

static bool matcher_open(const char *pattern, struct matcher *m, struct err *err)
{
	PCRE2_UCHAR text[128];
	PCRE2_SIZE at = 0;
	int code = 0;

	*m = (struct matcher){ .pattern = pattern };
	if (strlen(pattern) > LIMIT_TAG_PATTERN)
		return err_set(err, ERR_INVALID, "the pattern is longer than %u bytes",
			       LIMIT_TAG_PATTERN);
	m->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF,
				&code, &at, NULL);
	if (!m->code) {
		pcre2_get_error_message(code, text, sizeof(text));
		return err_set(err, ERR_INVALID,
			       "the pattern '%s' cannot be read: %s at character %zu", pattern,
			       (const char *)text, (size_t)at + 1);
	}
	m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
	m->limits = pcre2_match_context_create(NULL);
	if (!m->data || !m->limits)
		BUG("no memory for a pattern");
	pcre2_set_match_limit(m->limits, MATCH_STEPS);
	pcre2_set_depth_limit(m->limits, MATCH_DEPTH);
	pcre2_set_heap_limit(m->limits, MATCH_HEAP_KIB);
	return true;
}

static bool matcher_fits(const struct matcher *m, const char *tag, bool *fits, struct err *err)
{
	int n = pcre2_match(m->code, (PCRE2_SPTR)tag, strlen(tag), 0, 0, m->data, m->limits);

	*fits = n >= 0;
	if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
		return true;
	return err_set(err, ERR_INVALID, "the pattern '%s' takes too long on the tag '%s'",
		       m->pattern, tag);
}

/* ---- extract ---- */

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static int group_of(const struct matcher *m, const char *name, size_t n)
{
	char text[33];
	int number;

	if (!n || n >= sizeof(text))
		return -1;
	memcpy(text, name, n);
	text[n] = '\0';
	if (strspn(text, "0123456789") == n)
		return n < 6 ? (int)strtol(text, NULL, 10) : -1;
	number = pcre2_substring_number_from_name(m->code, (PCRE2_SPTR)text);
	return number > 0 ? number : -1;
}

static void put_group(const struct matcher *m, const char *tag, int group, struct buf *out)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);

	if (group < 0 || (uint32_t)group >= pcre2_get_ovector_count(m->data) ||
	    at[2 * group] == PCRE2_UNSET)
		return;
	buf_add(out, tag + at[2 * group], at[2 * group + 1] - at[2 * group]);
}

/* Go's regexp Expand: "$name" takes the longest name; what is no reference stays. */
static void put_extract(const struct matcher *m, const char *tag, const char *template,
			struct buf *out)
{
	for (const char *at = template; *at;) {
		bool has_brace = at[0] == '$' && at[1] == '{';
		const char *name = at + (has_brace ? 2 : 1);
		size_t n = 0;

		while (at[0] == '$' && is_name_char(name[n]))
			n++;
		if (at[0] == '$' && at[1] == '$') {
			buf_byte(out, '$');
			at += 2;
		} else if (at[0] != '$' || !n || (has_brace && name[n] != '}')) {
			buf_byte(out, *at++);
		} else {
			put_group(m, tag, group_of(m, name, n), out);
			at = name + n + has_brace;
		}
	}
}

/* ---- order ---- */

struct candidate {
	const char *tag, *text; /* what is compared */
	struct semver version;
	double number;
	bool is_integer;
};

bool digits_compare(const char *a, const char *b, int *out)
{
	size_t na, nb;

	if (!*a || !*b || a[strspn(a, "0123456789")] || b[strspn(b, "0123456789")])
		return false;
	a += strspn(a, "0");
	b += strspn(b, "0");
	na = strlen(a);
	nb = strlen(b);
	*out = na != nb ? (na < nb ? -1 : 1) : strcmp(a, b);
	return true;
}

static int compare(const struct tag_rule *rule, const struct candidate *a,
		   const struct candidate *b)
{
	int order = 0;

	switch (rule->order) {
	case TAG_SEMVER:
		order = semver_order(&a->version, &b->version);
		break;
	case TAG_ALPHABETICAL:
		order = strcmp(a->text, b->text);
		break;
	case TAG_NUMERICAL:
		if (!digits_compare(a->text, b->text, &order))
			order = a->number < b->number ? -1 : a->number > b->number;
		break;
	}
	if (rule->is_descending && rule->order != TAG_SEMVER)
		order = -order;
	return order ? order : strcmp(a->tag, b->tag);
}

/* "1.5", "-3", "1e3": what Go's ParseFloat takes, but for infinities, hex and underscores. */
static bool number_of(const char *text, double *out)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789+-.eE")] || !strpbrk(text, "0123456789"))
		return false;
	*out = strtod(text, &end);
	return !*end;
}

static bool qualify(const struct tag_rule *rule, const struct semver_range *range,
		    struct candidate *c, bool *fits, struct err *err)
{
	if (rule->order == TAG_SEMVER)
		*fits = semver_parse(c->text, &c->version) && c->version.n_parts == 3 &&
			semver_is_in(&c->version, range);
	else if (rule->order == TAG_NUMERICAL && !number_of(c->text, &c->number))
		return err_set(err, ERR_INVALID, "the tag '%s' is no number%s%s%s", c->tag,
			       c->text == c->tag ? "" : ": '", c->text == c->tag ? "" : c->text,
			       c->text == c->tag ? "" : "'");
	return true;
}

struct choosing {
	const struct tag_rule *rule;
	struct semver_range range;
	struct matcher pattern;
	struct matcher *excluded;
	size_t n_excluded;
	struct arena *arena;
};

static void choosing_release(struct choosing *c)
{
	matcher_release(&c->pattern);
	for (size_t i = 0; i < c->n_excluded; i++)
		matcher_release(&c->excluded[i]);
}

static bool choosing_open(struct choosing *c, struct err *err)
{
	const struct tag_rule *rule = c->rule;

	if (rule->order == TAG_SEMVER &&
	    !semver_range_parse(rule->range ? rule->range : "", &c->range, err))
		return err_prefix(err, "the range '%s'", rule->range);
	if (rule->pattern && !matcher_open(rule->pattern, &c->pattern, err))
		return false;
	c->excluded = arena_array(c->arena, rule->excluded.n, sizeof(*c->excluded));
	for (; c->n_excluded < rule->excluded.n; c->n_excluded++)
		if (!matcher_open(rule->excluded.v[c->n_excluded], &c->excluded[c->n_excluded],
				  err))
			return false;
	return true;
}

static bool consider(struct choosing *c, const char *tag, struct candidate *out, bool *fits,
		     struct err *err)
{
	const struct tag_rule *rule = c->rule;
	AUTO_BUF text = BUF_INIT(LIMIT_KEY_BYTES);

	*out = (struct candidate){ .tag = tag, .text = tag };
	for (size_t i = 0; i < c->n_excluded; i++) {
		if (!matcher_fits(&c->excluded[i], tag, fits, err))
			return false;
		if (*fits) {
			*fits = false;
			return true;
		}
	}
	*fits = true;
	if (rule->pattern && (!matcher_fits(&c->pattern, tag, fits, err) || !*fits))
		return !err->kind;
	if (rule->pattern && rule->extract && *rule->extract) {
		put_extract(&c->pattern, tag, rule->extract, &text);
		out->text = buf_copy(&text, c->arena);
	}
	return qualify(rule, &c->range, out, fits, err);
}

bool tag_rule_check(const struct tag_rule *rule, struct err *err)
{
	struct arena *arena = arena_new();
	struct choosing c = { .rule = rule, .arena = arena };
	bool is_good = choosing_open(&c, err);

	choosing_release(&c);
	arena_free(arena);
	return is_good;
}

bool tag_choose(const struct tag_rule *rule, const struct strings *tags, struct arena *arena,
		const char **out, struct err *err)
{
	struct choosing c = { .rule = rule, .arena = arena };
	struct candidate best = { 0 }, next;
	bool is_good = choosing_open(&c, err), fits;

	*out = NULL;
	for (size_t i = 0; is_good && i < tags->n; i++) {
		is_good = consider(&c, tags->v[i], &next, &fits, err);
		if (is_good && fits && (!best.tag || compare(rule, &next, &best) > 0))
			best = next;
	}
	choosing_release(&c);
	if (is_good)
		*out = best.tag;
	return is_good;
}
