/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file.h — the log of one build while it runs: lines redacted and made harmless, written to a file that others may
 * follow, and cut to its head and tail when it is kept. However much a build says, the file takes little room: its middle
 * becomes a hole.
 */
#ifndef RECONCILE_APPLY_LOG_FILE_H
#define RECONCILE_APPLY_LOG_FILE_H

#include <stdint.h>

#include "model/base/buf.h"
#include "model/base/vec.h"

enum { LOG_TAIL_LINES = 20 };

/* The name of a running build's log in the log folder: whoever follows it finds it by this. */
char *log_file_name(const char *id, int64_t number, struct arena *arena);

struct log_file {
	void (*on_line)(void *ctx, const char *text, size_t n); /* whole lines as written; NULL */
	void *ctx;
	int fd; /* -1: closed */
	char *path;
	struct buf line; /* not yet ended */
	bool has_failed; /* the disk was full: said once, the build goes on */
	/* bytes; those of the middle that no longer take room on disk */
	int64_t n_written, n_dropped;
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
