/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag_rule.h — which of many tags is the latest, as Flux's ImagePolicy says it: a pattern that tags must have, what is
 * taken out of them, and an order. Pure, and the same tags give the same answer in whatever order they come.
 * Patterns are Perl-compatible (PCRE2), searched anywhere in the tag, with a bound on the work for each; what RE2 takes,
 * they take. `extract` is Go's template: $1, ${1}, $name, ${name}, $$. Source of the rules: gitops.md §2.3.
 */
#ifndef MODEL_OCI_TAG_RULE_H
#define MODEL_OCI_TAG_RULE_H

#include "model/base/vec.h"

enum tag_order { TAG_SEMVER, TAG_ALPHABETICAL, TAG_NUMERICAL };

struct tag_rule {
	enum tag_order order;
	const char *range;       /* semver */
	bool is_descending;      /* of the others: the smallest wins */
	const char *pattern;     /* NULL: every tag */
	const char *extract;     /* NULL: the tag itself */
	struct strings excluded; /* patterns of tags that do not exist for us */
};
/* Range and patterns can be read. ERR_INVALID with what cannot. */
MUST_CHECK bool tag_rule_check(const struct tag_rule *rule, struct err *err);
/*
 * The latest; NULL: none fits. Of tags that are equally late (one extract, equal versions) the one with the greatest bytes
 * is taken. ERR_INVALID: a tag that is no number, where numbers are compared; a pattern that takes too long.
 */
MUST_CHECK bool tag_choose(const struct tag_rule *rule, const struct strings *tags,
			   struct arena *arena, const char **out, struct err *err);

/* Digits without sign, of any length, compared exactly. */
bool digits_compare(const char *a, const char *b, int *out);

#endif
