/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_answer.h — where a branch, tag or commit is now, and the trees of the sub paths that somebody builds from. The trees
 * cost a fetch, so they are read only when the commit is not the recorded one; the commit stays in the source cache, where
 * the build finds it again.
 */
#ifndef RECONCILE_OBSERVE_GIT_ANSWER_H
#define RECONCILE_OBSERVE_GIT_ANSWER_H

#include "buildexec/source/access.h"
#include "reconcile/plan/facts.h"

struct git_question {
	const struct query *query;
	const struct access *access;
	const char *cache_dir;
};
/* Errors say "cannot resolve 'main' of <url>: …". Without a revision: master, then main. */
MUST_CHECK bool answer_git(const struct git_question *question, struct arena *arena,
			   struct fact *out, struct err *err);

#endif
