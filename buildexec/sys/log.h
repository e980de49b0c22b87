/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h — the one sink for diagnostics and progress (stderr or a file) and the one redactor that all output passes.
 * Secrets registered here (exact, base64 and URL-encoded forms, from 6 bytes) come out as "*****". Thread-safe.
 */
#ifndef BUILDEXEC_SYS_LOG_H
#define BUILDEXEC_SYS_LOG_H

#include "model/base/buf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };
enum log_format { LOG_TEXT, LOG_JSON, LOG_LOGFMT, LOG_FORMATS };

struct log_options {
	enum log_level level;
	enum log_format format;
	bool with_color;
	bool with_time;
	int fd;
};
void log_init(const struct log_options *options);
bool log_is_on(enum log_level level);
/* One line: "reconcile: warning: …" as text. Control characters are escaped. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

void secret_add(const char *value, size_t n);
/* Appends `text` to out with every secret replaced and URL userinfo removed. */
void redact(const char *text, size_t n, struct buf *out);
/*
 * The same for a part of a longer text: what begins in the first `head` bytes, whole. Returns how many bytes that was; the
 * rest of the n bytes was only looked at.
 */
size_t redact_head(const char *text, size_t n, size_t head, struct buf *out);
/* err->text in place. */
void redact_err(struct err *err);
/*
 * Foreign text for people: C0/C1 and escape sequences made visible (newline and tab kept when asked), bidi controls escaped,
 * and what a CI system would obey as with hide_commands.
 */
void sanitize(const char *text, size_t n, bool keep_newlines, struct buf *out);
/*
 * Lines of a job's output that CI systems take for commands, made such that they do not: "::name …::" at the start of a line
 * becomes "\x3a:name …::", and "##name[" anywhere "#\x23name[". Nothing else is changed.
 * Source: actions/runner ActionCommand, azure-pipelines-agent Command, TeamCity service messages.
 */
void hide_commands(const char *text, size_t n, struct buf *out);

#endif
