/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h — users of images: what USER names, by the image's own passwd and group files, and which users a cluster allows.
 * Pure. Spec: opencontainers/image-spec config.md "User"; source-to-image docs/cli.md "--allowed-uids" (openshift.md §4.1).
 */
#ifndef BUILDEXEC_TASK_USER_H
#define BUILDEXEC_TASK_USER_H

#include <stdint.h>

#include "model/base/vec.h"

struct user {
	uint32_t uid, gid;
	VEC(uint32_t) groups; /* additional ones, of a user known by passwd */
	const char *home;     /* NULL: passwd knows none */
};

/* The image's files; NULL where it has none. */
struct user_files {
	const char *passwd, *group;
};
/*
 * "", "user", "user:group", names or numbers. "" is root. A number without an entry has group 0. ERR_INVALID for names that
 * are not there.
 */
MUST_CHECK bool user_resolve(const char *text, const struct user_files *files, struct arena *arena,
			     struct user *out, struct err *err);

struct uid_range {
	uint32_t low, high; /* both inside */
};
struct uid_ranges {
	VEC(struct uid_range) list;
};
/* "n", "n-", "-n", "n-m", separated by commas. NULL and "": no range, everybody is allowed. */
MUST_CHECK bool uid_ranges_parse(const char *text, struct arena *arena, struct uid_ranges *out,
				 struct err *err);
/* The user part of `text` must be a number in one of the ranges; without ranges anything goes. */
bool uid_ranges_allow(const struct uid_ranges *ranges, const char *text);
/* Instructions of ONBUILD: the first USER that is not allowed, or NULL. */
const char *uid_ranges_refused(const struct uid_ranges *ranges, const struct strings *onbuild,
			       struct arena *arena);

#endif
