/* SPDX-License-Identifier: Apache-2.0 */
/* git_receive.c — sections by their first lines; everything behind "packfile" (v2) or NAK/ACK (v0)
 * is the pack. */
#include "buildexec/sys/git_receive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_advert.h"
#include "buildexec/sys/git_lib.h"
#include "model/base/limits.h"

enum { PACK_HEAD = 12, LOCK_WAIT_MS = 60000 };
#define SHALLOW_MAX ((size_t)LIMIT_REFS * (GIT_ID_HEX + 1))

static bool open_indexer(struct git_receive *receive, struct err *err)
{
	struct arena *arena = arena_new();
	const char *dir = path_join(arena, git_repo_objects_path(receive->into), "pack");
	git_indexer_options options = GIT_INDEXER_OPTIONS_INIT;
	int rc;

	git_lib_start();
	rc = git_indexer_new(&receive->indexer, dir, 0, NULL, &options);

	arena_free(arena);
	return !rc || git_lib_fail(err, rc, "index the pack");
}

/* Version 2 and a bearable count; an empty pack is not stored. */
static bool check_head(struct git_receive *receive, struct err *err)
{
	const unsigned char *head = receive->head;
	uint32_t count = (uint32_t)head[8] << 24 | (uint32_t)head[9] << 16 |
			 (uint32_t)head[10] << 8 | head[11];

	if (memcmp(head, "PACK\0\0\0\2", 8) != 0)
		return err_set(err, ERR_INVALID, "the server sent something that is no git pack");
	if (count > LIMIT_GIT_OBJECTS)
		return err_set(err, ERR_INVALID, "the server's pack has %u objects, more than %u",
			       count, LIMIT_GIT_OBJECTS);
	receive->stats.n_objects = count;
	return !count || open_indexer(receive, err);
}

static bool append(struct git_receive *receive, const void *bytes, size_t n, struct err *err)
{
	int rc;

	if (!receive->indexer || !n)
		return true;
	rc = git_indexer_append(receive->indexer, bytes, n, &receive->indexed);
	return rc >= 0 || git_lib_fail(err, rc, "index the pack");
}

static bool take_pack(struct git_receive *receive, const char *bytes, size_t n, struct err *err)
{
	uint64_t before = receive->stats.pack_bytes;

	if (n > receive->max_bytes - before)
		return err_set(err, ERR_INVALID, "the server's pack is larger than %llu bytes",
			       (unsigned long long)receive->max_bytes);
	receive->stats.pack_bytes += n;
	if (before < PACK_HEAD) {
		size_t part = PACK_HEAD - (size_t)before;

		part = n < part ? n : part;
		memcpy(receive->head + before, bytes, part);
		bytes += part;
		n -= part;
		if (receive->stats.pack_bytes < PACK_HEAD)
			return true;
		if (!check_head(receive, err) || !append(receive, receive->head, PACK_HEAD, err))
			return false;
	}
	return append(receive, bytes, n, err);
}

static bool take_band(struct git_receive *receive, const char *bytes, size_t n, struct err *err)
{
	struct git_band band = { .progress = &receive->progress };

	if (!git_band_split(&band, bytes, n, err))
		return false;
	return !band.data || take_pack(receive, band.data, band.n, err);
}

/* Lines before the pack that both generations share. */
static bool take_line(struct git_receive *receive, const char *bytes, size_t n, struct err *err)
{
	size_t n_rest = n;
	const char *rest;
	struct git_id id;

	if ((rest = git_pkt_after(bytes, &n_rest, "ERR ")) != NULL)
		return git_server_fail(err, rest, n_rest);
	n_rest = n;
	rest = git_pkt_after(bytes, &n_rest, "shallow ");
	if (rest && git_id_parse(rest, n_rest, &id)) {
		if (receive->shallow.n == LIMIT_REFS)
			return err_set(err, ERR_INVALID,
				       "the server sends more than %u shallow lines", LIMIT_REFS);
		vec_push(receive->arena, &receive->shallow, id);
		return true;
	}
	n_rest = n;
	rest = git_pkt_after(bytes, &n_rest, "unshallow ");
	if (rest && git_id_parse(rest, n_rest, &id)) {
		if (receive->unshallow.n == LIMIT_REFS)
			return err_set(err, ERR_INVALID,
				       "the server sends more than %u shallow lines", LIMIT_REFS);
		vec_push(receive->arena, &receive->unshallow, id);
		return true;
	}
	return err_set(err, ERR_INVALID, "the server's answer to a fetch is not understood");
}

static bool take_v2(struct git_receive *receive, const char *bytes, size_t n, struct err *err)
{
	static const char *const sections[] = { "acknowledgments", "shallow-info", "wanted-refs",
						"packfile" };
	size_t n_word = n && bytes[n - 1] == '\n' ? n - 1 : n;

	for (size_t i = 0; i < COUNTOF(sections); i++) {
		if (strlen(sections[i]) != n_word || memcmp(bytes, sections[i], n_word) != 0)
			continue;
		receive->is_recognised = true;
		receive->is_in_pack = i == COUNTOF(sections) - 1;
		return true;
	}
	n_word = n;
	if (git_pkt_after(bytes, &n_word, "ACK ") || git_pkt_after(bytes, &n_word, "NAK") ||
	    git_pkt_after(bytes, &n_word, "ready"))
		return true;
	return take_line(receive, bytes, n, err);
}

static bool take_v0(struct git_receive *receive, const char *bytes, size_t n, struct err *err)
{
	size_t n_rest = n;

	if (git_pkt_after(bytes, &n_rest, "NAK") || git_pkt_after(bytes, &n_rest, "ACK ")) {
		receive->is_recognised = true;
		receive->is_in_pack = true;
		return true;
	}
	return take_line(receive, bytes, n, err);
}

bool git_receive_pkt(void *ctx, enum git_pkt_kind kind, const char *bytes, size_t n,
		     struct err *err)
{
	struct git_receive *receive = ctx;

	if (kind != GIT_PKT_DATA) {
		bool is_shallow_end =
			!receive->is_v2 && !receive->is_in_pack && receive->has_shallow_part;

		if (kind == GIT_PKT_FLUSH && !is_shallow_end)
			receive->reader->is_stopped = true;
		if (is_shallow_end)
			receive->has_shallow_part = false;
		return true;
	}
	if (receive->is_in_pack) {
		size_t n_rest = n;

		if (!receive->is_v2 && git_pkt_after(bytes, &n_rest, "ACK "))
			return true;
		n_rest = n;
		if (git_pkt_after(bytes, &n_rest, "ERR "))
			return git_server_fail(err, bytes + 4, n - 4);
		return take_band(receive, bytes, n, err);
	}
	return receive->is_v2 ? take_v2(receive, bytes, n, err) : take_v0(receive, bytes, n, err);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct git_id *)a)->hex, ((const struct git_id *)b)->hex);
}

/* The list of commits whose parents are not here: old and new, without those that got theirs. */
static bool write_shallow(struct git_receive *receive, struct err *err)
{
	const char *path = path_join(receive->arena, git_repo_path(receive->into), "shallow");
	AUTO_BUF out = BUF_INIT(SHALLOW_MAX);
	char *text;
	size_t n;
	VEC(struct git_id) all = { 0 };

	if (!receive->shallow.n && !receive->unshallow.n)
		return true;
	if (!fs_read(AT_FDCWD, path, SHALLOW_MAX, receive->arena, &text, &n, err))
		return false;
	for (const char *line = text; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		struct git_id id;

		if (git_id_parse(line, strcspn(line, "\n"), &id))
			vec_push(receive->arena, &all, id);
	}
	for (size_t i = 0; i < receive->shallow.n; i++)
		vec_push(receive->arena, &all, receive->shallow.v[i]);
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), compare_ids);
	if (receive->unshallow.n)
		qsort(receive->unshallow.v, receive->unshallow.n, sizeof(*receive->unshallow.v),
		      compare_ids);
	for (size_t i = 0; i < all.n; i++) {
		if (i && git_id_equal(&all.v[i], &all.v[i - 1]))
			continue;
		if (!receive->unshallow.n ||
		    !bsearch(&all.v[i], receive->unshallow.v, receive->unshallow.n, sizeof(*all.v),
			     compare_ids))
			buf_printf(&out, "%s\n", all.v[i].hex);
	}
	if (out.is_over)
		return err_set(err, ERR_INVALID, "the list of shallow commits in '%s' is too long",
			       path);
	return fs_write_atomic(AT_FDCWD, path, buf_text(&out), out.len, 0644, false, err);
}

/* First the new ends of history, then the commits that need them, then the old ends that are ends
 * no more. */
bool git_receive_finish(struct git_receive *receive, struct err *err)
{
	AUTO_FD lock = -1;
	int rc;

	if (receive->stats.pack_bytes < PACK_HEAD)
		return err_set(err, ERR_TRANSIENT, "the server's answer has no pack");
	if (!git_repo_lock(receive->into, LOCK_WAIT_MS, &lock, err) || !write_shallow(receive, err))
		return false;
	if (receive->indexer) {
		rc = git_indexer_commit(receive->indexer, &receive->indexed);
		if (rc < 0)
			return git_lib_fail(err, rc, "index the pack");
	}
	git_objects_rescan(git_repo_objects(receive->into));
	return true;
}

void git_receive_release(struct git_receive *receive)
{
	git_indexer_free(receive->indexer);
	receive->indexer = NULL;
	buf_release(&receive->progress);
}
