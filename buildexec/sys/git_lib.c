/* SPDX-License-Identifier: Apache-2.0 */
/* git_lib.c — set up on first use: it reads the machine's certificates, which costs milliseconds
 * nobody should pay in vain. */
#include "buildexec/sys/git_lib.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include <git2.h>

static void start(void)
{
	if (git_libgit2_init() < 0)
		BUG("libgit2 does not start");
}

void git_lib_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}

static const struct {
	int code;
	enum err_kind kind;
} kinds[] = {
	{ GIT_ENOTFOUND, ERR_ABSENT },   { GIT_EOWNER, ERR_DENIED },
	{ GIT_ELOCKED, ERR_CONFLICT },   { GIT_EMODIFIED, ERR_CONFLICT },
	{ GIT_EEXISTS, ERR_CONFLICT },   { GIT_EINVALIDSPEC, ERR_INVALID },
	{ GIT_EMISMATCH, ERR_INVALID },  { GIT_EAUTH, ERR_DENIED },
	{ GIT_EAMBIGUOUS, ERR_INVALID },
};

bool git_lib_fail(struct err *err, int code, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	enum err_kind kind = ERR_SYSTEM;
	char intent[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(intent, sizeof(intent), fmt, args);
	va_end(args);
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		if (kinds[i].code == code)
			kind = kinds[i].kind;
	return err_set(err, kind, "cannot %s: %s", intent,
		       last && last->message ? last->message : "libgit2 gives no reason");
}
