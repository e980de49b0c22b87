/* SPDX-License-Identifier: Apache-2.0 */
/* err.c — failures as values. The text buffer is fixed: a long subject is cut, never lost silently. */
#include "model/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[ERR_NONE] = "none",     [ERR_INVALID] = "invalid",     [ERR_ABSENT] = "absent",
	[ERR_DENIED] = "denied", [ERR_CONFLICT] = "conflict",   [ERR_TRANSIENT] = "transient",
	[ERR_SYSTEM] = "system", [ERR_CANCELLED] = "cancelled",
};
_Static_assert(COUNTOF(kind_names) == ERR_KINDS, "name every kind");

/* Marks a cut text; steps back to a UTF-8 boundary so that no half character is shown. */
static void mark_cut(char *text, size_t cap)
{
	static const char mark[] = "…";
	size_t at = cap - sizeof(mark);

	while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	memcpy(text + at, mark, sizeof(mark));
}

PRINTF(2, 0)
static void put(struct err *err, const char *fmt, va_list args)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, args);

	if (n >= (int)sizeof(err->text))
		mark_cut(err->text, sizeof(err->text));
}

static void append(struct err *err, const char *tail)
{
	size_t len = strlen(err->text);
	int n = snprintf(err->text + len, sizeof(err->text) - len, ": %s", tail);

	if (n >= (int)(sizeof(err->text) - len))
		mark_cut(err->text, sizeof(err->text));
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	err->kind = kind;
	err->sys = 0;
	err->is_foreign = false;
	va_start(args, fmt);
	put(err, fmt, args);
	va_end(args);
	return false;
}

static enum err_kind kind_of(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
		return ERR_ABSENT;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case EINTR:
	case ECANCELED:
		return ERR_CANCELLED;
	case ECONNREFUSED:
	case ECONNRESET:
	case ETIMEDOUT:
	case EPIPE:
		return ERR_TRANSIENT;
	default:
		return ERR_SYSTEM;
	}
}

bool err_sys(struct err *err, int sys, const char *fmt, ...)
{
	va_list args;

	err->kind = kind_of(sys);
	err->sys = sys;
	err->is_foreign = false;
	va_start(args, fmt);
	put(err, fmt, args);
	va_end(args);
	append(err,
	       strerror(
		       sys)); /* thread-safe in glibc from 2.32 on and in musl, unlike the two strerror_r */
	return false;
}

bool err_foreign(struct err *err)
{
	err->is_foreign = err->kind != ERR_CANCELLED;
	return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	va_list args;

	memcpy(inner, err->text, sizeof(inner));
	va_start(args, fmt);
	put(err, fmt, args);
	va_end(args);
	append(err, inner);
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	return kind < ERR_KINDS ? kind_names[kind] : "unknown";
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "reconcile: bug at %s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
