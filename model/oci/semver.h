/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semver.h — versions as values, their order, and ranges of them. Lenient in what is taken as a version: a leading 'v',
 * one to three numbers, zeros in front. Pure.
 * Spec: semver.org 2.0.0 §9–11; ranges as Masterminds/semver v3 reads them, which Flux and Helm users write.
 */
#ifndef MODEL_OCI_SEMVER_H
#define MODEL_OCI_SEMVER_H

#include <stdint.h>

#include "model/base/vec.h"

struct semver {
	uint64_t part[3];
	size_t n_parts;  /* that were written */
	const char *pre; /* behind '-', up to '+' or the end; n_pre 0: none */
	size_t n_pre;
};
/* Lends from `text`. False when it is none. */
bool semver_parse(const char *text, struct semver *out);
int semver_order(const struct semver *a, const struct semver *b);

/* "1.2.3", "v1.2", "1.0.0-rc.1+b": false when it is none. Compares as SemVer 2 does. */
bool semver_is_valid(const char *text);
int semver_compare(const char *a, const char *b);

/*
 * ">=1.2 <2 || ~3.1": "||" between groups, blanks or commas between conditions that must all hold; operators
 * = != > < >= <= ~ ^ (also =>, =<, ~>), x or * for any part, "1.2 - 1.4"; "" is "*". A version with a pre-release is in a
 * group only when one of the group's conditions has one.
 */
enum { RANGE_CONDITIONS = 32 };
enum range_operator {
	RANGE_EQUAL,
	RANGE_NOT_EQUAL,
	RANGE_ABOVE,
	RANGE_BELOW,
	RANGE_FROM,
	RANGE_UP_TO,
	RANGE_TILDE,
	RANGE_CARET,
	RANGE_OPERATORS
};
struct range_condition {
	enum range_operator operator;
	struct semver version;
	bool is_dirty, is_minor_dirty, is_patch_dirty; /* parts that were not written, or are x */
	size_t group;
};
struct semver_range {
	struct range_condition v[RANGE_CONDITIONS];
	size_t n, n_groups;
};
/* Lends from `text`. ERR_INVALID says what cannot be read. */
MUST_CHECK bool semver_range_parse(const char *text, struct semver_range *out, struct err *err);
bool semver_is_in(const struct semver *version, const struct semver_range *range);

#endif
