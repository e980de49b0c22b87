/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_log.h — a build's log, which is stderr: our own lines, and what foreign programs print, line by line so that a
 * secret cut in two by a pipe is still found. Everything passes the redactor.
 */
#ifndef BUILDEXEC_SYS_BUILD_LOG_H
#define BUILDEXEC_SYS_BUILD_LOG_H

#include "model/base/buf.h"

/* A line of ours; at most 64 KiB of it. */
void build_log_say(const char *fmt, ...) PRINTF(1, 2);
/* The same behind "Warning: ". */
void build_log_warn(const char *fmt, ...) PRINTF(1, 2);

/* Foreign output while it comes. Zeroed it is ready, but for the members that are set by the caller. */
struct build_log {
	/* NULL, or told of every line, redacted and with its newline; lent */
	void (*on_line)(void *ctx, const char *line, size_t n);
	void *ctx;
	struct buf line; /* what has no newline yet */
	bool is_open;    /* what was written last has none either */
};
void build_log_take(struct build_log *log, const char *bytes, size_t n);
/* Writes the unfinished line, ended, and frees what it held. */
void build_log_end(struct build_log *log);

#endif
