/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_commit.h — what a commit says of itself: who made it, when, and its subject. Foreign bytes: texts may hold anything but
 * NUL and line breaks. Pure. Spec: git-commit-tree(1); pretty-formats of git-log(1) "%an", "%ad", "%s".
 */
#ifndef BUILDEXEC_SYS_GIT_COMMIT_H
#define BUILDEXEC_SYS_GIT_COMMIT_H

#include <stdint.h>

#include "buildexec/sys/git_objects.h"

/* Longer names, addresses and subjects are cut. */
enum { GIT_PERSON_BYTES = 1024, GIT_SUBJECT_BYTES = 4096, GIT_DATE_TEXT = 64 };

struct git_person {
	const char *name, *email; /* never NULL */
	int64_t time_s;           /* 0 where the commit says none that can be */
	int offset_min;           /* of the zone, east is positive */
};
struct git_commit_info {
	struct git_id id;
	struct git_person author, committer;
	const char *subject; /* the first paragraph of the message as one line */
};

/* ERR_INVALID when it is no commit; what it does not say is "". */
MUST_CHECK bool git_commit_describe(const struct git_data *commit, struct arena *arena,
				    struct git_commit_info *out, struct err *err);
/* "Thu Nov 5 12:00:00 2020 +0100", as git shows it; out holds GIT_DATE_TEXT. */
void git_date_format(const struct git_person *person, char *out);

#endif
