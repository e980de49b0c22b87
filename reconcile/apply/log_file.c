/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file.c — whole lines pass the redactor, so that a secret is not missed at the border of two reads. A line that is too
 * long is broken, and the redactor sees OVERLAP bytes beyond the break.
 */
#include "reconcile/apply/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/base/digest.h"
#include "model/base/limits.h"

enum {
	LINE_MAX_BYTES = 64 * 1024,
	OVERLAP = 16 *
		  1024, /* longer secrets are keys of several lines, and those are known by line */
	HALF = LIMIT_LOG_BYTES / 2,
	HOLE_BYTES = 4 << 20, /* punched at a time */
	NAME_BYTES = 200,
	HASH_CHARS = 16,
};

/* Names of namespaces and images hold no '_', so this is one-to-one; long ones are told apart by a hash. */
char *log_file_name(const char *id, int64_t number, struct arena *arena)
{
	size_t n = strlen(id);
	char *name = arena_printf(arena, "%s-%lld.log", id, (long long)number);

	if (n > NAME_BYTES)
		name = arena_printf(arena, "%.*s-%.*s-%lld.log", NAME_BYTES, id, HASH_CHARS,
				    digest_hex(digest_of(id, n).text), (long long)number);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	return name;
}

bool log_file_open(const char *dir, const char *name, struct log_file *out, struct err *err)
{
	struct arena *arena = arena_new();
	const char *path = path_join(arena, dir, name);

	*out = (struct log_file){ .fd = -1, .line = BUF_INIT(LINE_MAX_BYTES + OVERLAP) };
	if (!fs_make_dirs(dir, 0700, err)) {
		arena_free(arena);
		return false;
	}
	out->path = strdup(path);
	out->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out->fd < 0)
		err_sys(err, errno, "cannot write build log '%s'", path);
	arena_free(arena);
	return out->fd >= 0;
}

/* The kept head and tail never lie in the hole. Where a file system knows no holes, the file is long. */
static void punch_hole(struct log_file *log)
{
	int64_t end = log->n_written - HALF - HOLE_BYTES;
	int64_t start = HALF + log->n_dropped;

	if (end - start < HOLE_BYTES)
		return;
	if (fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start) == 0)
		log->n_dropped += end - start;
}

/* Writes the line up to what begins in its first `head` bytes; the rest stays for the next one. */
static void write_line(struct log_file *log, size_t head)
{
	AUTO_BUF redacted = BUF_INIT(4 * (LINE_MAX_BYTES + OVERLAP));
	AUTO_BUF clean = BUF_INIT(16 * (LINE_MAX_BYTES + OVERLAP));
	struct err err = { 0 };
	size_t n = redact_head(buf_text(&log->line), log->line.len, head, &redacted);

	sanitize(buf_text(&redacted), redacted.len, true, &clean); /* tabs stay */
	buf_byte(&clean, '\n');
	if (n) /* an empty line has no bytes at all */
		memmove(log->line.data, log->line.data + n, log->line.len - n);
	log->line.len -= n;
	if (log->on_line)
		log->on_line(log->ctx, buf_text(&clean), clean.len);
	if (log->has_failed)
		return;
	if (fd_write_all(log->fd, buf_text(&clean), clean.len, &err)) {
		log->n_written += (int64_t)clean.len;
		punch_hole(log);
		return;
	}
	log->has_failed = true;
	log_line(LOG_WARN, "%s: %s", log->path, err.text);
}

/*
 * Colours mean nothing in a file: "ESC [ digits ; digits m" at the line's end goes, before the redactor looks, so that no
 * secret hides between them. Any other control sequence stays and is made visible.
 */
static void drop_color(struct buf *line)
{
	size_t at = line->len - 1; /* the 'm' */

	while (at > 0 && (line->data[at - 1] == ';' ||
			  (line->data[at - 1] >= '0' && line->data[at - 1] <= '9')))
		at--;
	if (at >= 2 && line->data[at - 1] == '[' && line->data[at - 2] == '\033')
		line->len = at - 2;
}

void log_file_add(struct log_file *log, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			while (log->line.len > LINE_MAX_BYTES)
				write_line(log, LINE_MAX_BYTES);
			write_line(log, log->line.len);
		} else if (bytes[i] != '\r') {
			buf_byte(&log->line, bytes[i]);
			if (bytes[i] == 'm')
				drop_color(&log->line);
			if (log->line.len == LINE_MAX_BYTES + OVERLAP)
				write_line(log, LINE_MAX_BYTES);
		}
	}
}

static bool read_part(const struct log_file *log, off_t at, size_t n, struct buf *out,
		      struct err *err)
{
	char chunk[65536];

	while (n) {
		size_t want = n < sizeof(chunk) ? n : sizeof(chunk);
		ssize_t got = pread(log->fd, chunk, want, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? true
					: err_sys(err, errno, "cannot read build log '%s'",
						  log->path);
		buf_add(out, chunk, (size_t)got);
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static void take_tail(const struct buf *kept, struct arena *arena, struct strings *tail)
{
	const char *text = buf_text(kept), *end = text + kept->len, *start = end;
	size_t lines = 0;

	while (start > text && lines <= LOG_TAIL_LINES) {
		if (start[-1] == '\n' && lines++ == LOG_TAIL_LINES)
			break;
		start--;
	}
	while (start < end) {
		const char *newline = memchr(start, '\n', (size_t)(end - start));
		size_t n = newline ? (size_t)(newline - start) : (size_t)(end - start);

		vec_push(arena, tail, arena_copy(arena, start, n));
		start += n + 1;
	}
}

bool log_file_finish(struct log_file *log, struct arena *arena, struct buf *kept,
		     struct strings *tail, struct err *err)
{
	struct stat st;

	if (log->line.len)
		log_file_add(log, "\n", 1);
	if (fstat(log->fd, &st) < 0)
		return err_sys(err, errno, "cannot read build log '%s'", log->path);
	if (st.st_size <= (off_t)LIMIT_LOG_BYTES) {
		if (!read_part(log, 0, (size_t)st.st_size, kept, err))
			return false;
	} else {
		if (!read_part(log, 0, HALF, kept, err))
			return false;
		buf_printf(kept, "\n… %lld bytes left out …\n",
			   (long long)st.st_size - 2 * (long long)HALF);
		if (!read_part(log, st.st_size - HALF, HALF, kept, err))
			return false;
	}
	take_tail(kept, arena, tail);
	return true;
}

void log_file_release(struct log_file *log)
{
	if (log->path)
		unlink(log->path);
	free(log->path);
	log->path = NULL;
	fd_close(&log->fd);
	buf_release(&log->line);
}
