/* SPDX-License-Identifier: Apache-2.0 */
/* tag_priority.c — see tag_priority.h. */
#include "reconcile/plan/tag_priority.h"

#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/resolve.h"

enum tag_class { TAG_LATEST, TAG_MINOR, TAG_FULL, TAG_OTHER };

struct ranked {
	const char *tag, *version; /* version: without the leading "v"; NULL for others */
	enum tag_class class;
};

/* Dots before the first '-' or '+': 1 in "5.6-alpine", 2 in "5.3.6". */
static size_t dots(const char *version)
{
	size_t n = 0;

	for (; *version && *version != '-' && *version != '+'; version++)
		n += *version == '.';
	return n;
}

static struct ranked rank_of(const char *tag)
{
	struct ranked ranked = { tag, NULL, TAG_OTHER };
	const char *version = tag[0] == 'v' ? tag + 1 : tag;
	size_t n;

	if (strcmp(tag, "latest") == 0)
		ranked.class = TAG_LATEST;
	if (ranked.class == TAG_LATEST || version[0] < '0' || version[0] > '9' ||
	    !semver_is_valid(version))
		return ranked;
	n = dots(version);
	if (n == 0)
		return ranked;
	ranked.class = n == 1 ? TAG_MINOR : TAG_FULL;
	ranked.version = version;
	return ranked;
}

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	order = x->version ? semver_compare(y->version, x->version) : 0;
	if (order == 0 && x->version)
		order = (x->version > x->tag) - (y->version > y->tag);
	return order != 0 ? order : strcmp(x->tag, y->tag);
}

void tags_prioritize(struct strings *tags, struct arena *arena)
{
	struct ranked *ranked = arena_array(arena, tags->n, sizeof(*ranked));

	for (size_t i = 0; i < tags->n; i++)
		ranked[i] = rank_of(tags->v[i]);
	if (tags->n > 1)
		qsort(ranked, tags->n, sizeof(*ranked), compare);
	for (size_t i = 0; i < tags->n; i++)
		tags->v[i] = ranked[i].tag;
}
