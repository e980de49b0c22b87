/* links: model_oci */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tag_rule.c — which tag is the latest: the first byte is the order, the lines behind it the range, the pattern, what is taken out,
 * a pattern of tags left out, and the tags. What is chosen is one of them, whatever order they come in. The range and the tags are read
 * as versions too, which compare as an order must.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/oci/semver.h"
#include "model/oci/tag_rule.h"

enum { TAGS_MAX = 12, RULE_LINES = 4, LINE_MAX_BYTES = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *next_line(char **at)
{
	char *line = *at, *end = line ? strchr(line, '\n') : NULL;

	if (end)
		*end = '\0';
	*at = end ? end + 1 : NULL;
	if (line && strlen(line) > LINE_MAX_BYTES)
		line[LINE_MAX_BYTES] = '\0';
	return line ? line : (char *)(uintptr_t) "";
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static void compare(const struct strings *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		for (size_t k = 0; k < tags->n; k++) {
			int there, back;

			if (semver_is_valid(tags->v[i]) && semver_is_valid(tags->v[k]) &&
			    sign(semver_compare(tags->v[i], tags->v[k])) !=
				    -sign(semver_compare(tags->v[k], tags->v[i])))
				BUG("'%s' and '%s' have two orders", tags->v[i], tags->v[k]);
			if (digits_compare(tags->v[i], tags->v[k], &there) &&
			    (!digits_compare(tags->v[k], tags->v[i], &back) ||
			     sign(there) != -sign(back)))
				BUG("'%s' and '%s' have two orders", tags->v[i], tags->v[k]);
		}
}

static void choose(const struct tag_rule *rule, const struct strings *tags, struct arena *arena)
{
	const char *chosen = NULL, *again = NULL;
	struct strings backwards = { 0 };
	struct err err = { 0 }, other = { 0 };
	bool is_done = tag_choose(rule, tags, arena, &chosen, &err);

	for (size_t i = tags->n; i-- > 0;)
		vec_push(arena, &backwards, tags->v[i]);
	if (!is_done && err.kind == ERR_NONE)
		BUG("a failure without an error");
	if (is_done && chosen && !strings_has(tags, chosen))
		BUG("'%s' is none of the tags", chosen);
	if (tag_choose(rule, &backwards, arena, &again, &other) != is_done ||
	    (is_done && (!chosen != !again || (chosen && strcmp(chosen, again) != 0))))
		BUG("another order gives another answer");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct semver_range range;
	struct semver version;
	struct tag_rule rule = { .order = size ? (enum tag_order)(data[0] % 3) : TAG_SEMVER,
				 .is_descending = size && data[0] & 4 };
	char *at = size ? arena_copy(arena, data + 1, size - 1) : NULL;
	const char *lines[RULE_LINES];
	struct strings tags = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < RULE_LINES; i++)
		lines[i] = next_line(&at);
	rule.range = lines[0];
	rule.pattern = *lines[1] ? lines[1] : NULL;
	rule.extract = *lines[2] ? lines[2] : NULL;
	if (*lines[3])
		vec_push(arena, &rule.excluded, lines[3]);
	while (at && tags.n < TAGS_MAX)
		vec_push(arena, &tags, next_line(&at));
	if (semver_range_parse(rule.range, &range, &err))
		for (size_t i = 0; i < tags.n; i++)
			if (semver_parse(tags.v[i], &version))
				(void)semver_is_in(&version, &range);
	compare(&tags);
	err = (struct err){ 0 };
	if (tag_rule_check(&rule, &err))
		choose(&rule, &tags, arena);
	else if (err.kind == ERR_NONE)
		BUG("a failure without an error");
	arena_free(arena);
	return 0;
}
