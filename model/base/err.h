/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h — one failure, as a value on the caller's stack.
 * Owns nothing and needs no release. A kind exists only because some caller branches on it.
 * Mistakes in manifests are diagnostics (model/doc/diag.h), a broken invariant is BUG(), no memory is an abort.
 */
#ifndef MODEL_BASE_ERR_H
#define MODEL_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK   __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define COUNTOF(a)   (sizeof(a) / sizeof((a)[0]))

enum err_kind {
	ERR_NONE,
	ERR_INVALID,   /* the input is wrong: no retry                              */
	ERR_ABSENT,    /* the thing asked for is not there                          */
	ERR_DENIED,    /* credentials missing or refused                            */
	ERR_CONFLICT,  /* it moved under us: read again, plan again                 */
	ERR_TRANSIENT, /* network, 429, 5xx: try again later                        */
	ERR_SYSTEM,    /* this machine: disk, memory, processes                     */
	ERR_CANCELLED, /* a signal or a deadline of ours                            */
	ERR_KINDS
};

struct err {
	enum err_kind kind;
	int sys; /* errno where the operating system refused, else 0 */
	/* A server's answer is part of it: the same question may be answered otherwise another time, whatever the kind */
	bool is_foreign;
	char text[480]; /* lower case, no full stop, failure first, subject in single quotes */
};

/* All three return false, so that failing is one statement. Texts that do not fit are cut with "…". */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
/* Appends ": strerror(sys)"; the kind follows from `sys` (ENOENT is ERR_ABSENT, EACCES ERR_DENIED, else ERR_SYSTEM). */
bool err_sys(struct err *err, int sys, const char *fmt, ...) PRINTF(3, 4);
/* Says that it came from a server, unless we did not wait for that one any longer. Returns false. */
bool err_foreign(struct err *err);
/* Puts "outer: " before the text. Each caller that knows a better name adds it. */
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* "invalid", "absent", … : stable words for state records and JSON. */
const char *err_kind_name(enum err_kind kind);

/* A broken invariant of ours: prints file and line, aborts. */
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) PRINTF(3, 4);
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)

#endif
