/* SPDX-License-Identifier: Apache-2.0 */
/* expand.c — see expand.h. */
#include "buildexec/engine/expand.h"

#include <string.h>

enum { DEPTH_MAX = 16 };

struct reader {
	const char *at;
	char escape;
	const struct pairs *values;
	struct arena *arena;
	unsigned depth;
};

static bool is_name(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_';
}

static const struct pair *find(const struct pairs *values, const char *name)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i].key, name) == 0)
			return &values->v[i];
	return NULL;
}

void docker_set(struct pairs *values, const char *name, const char *value, struct arena *arena)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i].key, name) == 0) {
			values->v[i].value = value;
			return;
		}
	vec_push(arena, values, (struct pair){ .key = name, .value = value });
}

static bool read_word(struct reader *r, char end, struct buf *out);

/* Behind "${": up to and with "}". */
static bool read_braces(struct reader *r, struct buf *out)
{
	AUTO_BUF other = BUF_INIT(DOCKER_WORD_MAX_BYTES);
	const char *start = r->at;
	const struct pair *found;
	bool is_set, with_empty = false;
	char rule;

	while (is_name(*r->at))
		r->at++;
	found = find(r->values, arena_copy(r->arena, start, (size_t)(r->at - start)));
	rule = *r->at;
	if (r->at == start || !rule)
		return false;
	r->at++;
	if (rule == '}') {
		buf_puts(out, found && found->value ? found->value : "");
		return found != NULL;
	}
	if (rule == ':') {
		with_empty = true;
		rule = *r->at ? *r->at++ : '\0';
	}
	if ((rule != '-' && rule != '+') || !read_word(r, '}', &other) || *r->at++ != '}')
		return false;
	is_set = found && (!with_empty || (found->value && *found->value));
	if (rule == '-')
		buf_puts(out, !is_set ? buf_text(&other) : found->value ? found->value : "");
	else if (is_set)
		buf_puts(out, buf_text(&other));
	return true;
}

/* Behind "$". */
static bool read_variable(struct reader *r, struct buf *out)
{
	const char *start = r->at;
	const struct pair *found;

	if (*r->at == '{') {
		r->at++;
		return read_braces(r, out);
	}
	while (is_name(*r->at))
		r->at++;
	if (r->at == start) {
		buf_byte(out, '$');
		return true;
	}
	found = find(r->values, arena_copy(r->arena, start, (size_t)(r->at - start)));
	buf_puts(out, found && found->value ? found->value : "");
	return found != NULL;
}

/* Up to `end`, which stays; '\0': all of it. */
static bool read_word(struct reader *r, char end, struct buf *out)
{
	char quote = '\0';

	if (++r->depth > DEPTH_MAX)
		return false;
	while (*r->at && (quote || *r->at != end)) {
		char ch = *r->at++;

		if (ch == r->escape && quote != '\'') {
			if (*r->at)
				buf_byte(out, *r->at++);
		} else if (ch == '$' && quote != '\'') {
			if (!read_variable(r, out))
				return false;
		} else if (quote ? ch == quote : ch == '\'' || ch == '"') {
			quote = quote ? '\0' : ch;
		} else {
			buf_byte(out, ch);
		}
	}
	r->depth--;
	return !quote && !out->is_over;
}

const char *docker_expand(const char *word, char escape, const struct pairs *values,
			  struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(DOCKER_WORD_MAX_BYTES);
	struct reader r = { .at = word, .escape = escape, .values = values, .arena = arena };

	return read_word(&r, '\0', &out) ? buf_copy(&out, arena) : NULL;
}
