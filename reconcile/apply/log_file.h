/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file.h — the log of one build while it runs: lines redacted and made harmless, written to a file that others may
 * follow, and cut to its head and tail when it is kept.
 */
#ifndef RECONCILE_APPLY_LOG_FILE_H
#define RECONCILE_APPLY_LOG_FILE_H

#include "model/base/buf.h"
#include "model/base/vec.h"

enum { LOG_TAIL_LINES = 20 };

struct log_file {
	int fd; /* -1: closed */
	char *path;
	struct buf line; /* not yet ended */
	bool has_failed; /* the disk was full: said once, the build goes on */
};

MUST_CHECK bool log_file_open(const char *dir, const char *name, struct log_file *out,
			      struct err *err);
void log_file_add(struct log_file *log, const char *bytes, size_t n);
/* Ends the last line; gives the kept bytes (at most LIMIT_LOG_BYTES) and the last lines. */
MUST_CHECK bool log_file_finish(struct log_file *log, struct arena *arena, struct buf *kept,
				struct strings *tail, struct err *err);
/* Closes and removes the file. */
void log_file_release(struct log_file *log);

#endif
