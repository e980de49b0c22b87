/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c — lines of "<Unix seconds> <ns>/<stream>:<tag>", sorted by tag. */
#include "reconcile/checks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/base/digest.h"

enum { FILE_BYTES = 64 << 20, LINE_BYTES = 1024, KEPT_S = 31 * 24 * 3600, DIGITS_MAX = 12 };

static char *path_of(const struct checks_place *place, struct arena *arena)
{
	const struct digest digest = digest_of(place->state_url, strlen(place->state_url));

	return arena_printf(arena, "%s/checks/%.16s", place->cache_dir, digest_hex(digest.text));
}

/* False: no line of ours. */
static bool read_line(const char *line, size_t n, struct arena *arena, const char **tag,
		      int64_t *time_s)
{
	size_t i = 0;

	*time_s = 0;
	for (; i < n && i < DIGITS_MAX && line[i] >= '0' && line[i] <= '9'; i++)
		*time_s = *time_s * 10 + (line[i] - '0');
	if (i == 0 || i + 1 >= n || line[i] != ' ' || n > LINE_BYTES)
		return false;
	*tag = arena_copy(arena, line + i + 1, n - i - 1);
	return true;
}

struct map checks_read(const struct checks_place *place, struct arena *arena)
{
	struct map out = { 0 };
	struct err ignored = { 0 };
	char *text;
	size_t n;

	if (!fs_read(AT_FDCWD, path_of(place, arena), FILE_BYTES, arena, &text, &n, &ignored) ||
	    !text)
		return out;
	for (size_t at = 0, len; at < n; at += len + 1) {
		int64_t *time_s = ARENA_NEW(arena, int64_t);
		const char *tag;

		len = strcspn(text + at, "\n");
		if (read_line(text + at, len, arena, &tag, time_s) && *time_s <= place->now_s)
			map_set(arena, &out, tag, time_s);
	}
	return out;
}

/* A question that nobody got round to is no check. */
static bool was_asked(const struct fact *fact)
{
	return fact->is_known || (fact->err.kind != ERR_NONE && fact->err.kind != ERR_CANCELLED);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct map_item *)a)->key, ((const struct map_item *)b)->key);
}

static bool write_file(const struct checks_place *place, struct map *all, struct arena *arena,
		       struct err *err)
{
	const char *path = path_of(place, arena);
	AUTO_BUF text = BUF_INIT(FILE_BYTES);

	if (all->n)
		qsort(all->items, all->n, sizeof(*all->items), by_key);
	for (size_t i = 0; i < all->n; i++) {
		const int64_t *time_s = all->items[i].value;

		if (place->now_s - *time_s <= KEPT_S)
			buf_printf(&text, "%lld %s\n", (long long)*time_s, all->items[i].key);
	}
	if (text.is_over)
		return err_set(err, ERR_INVALID, "too many tags");
	return fs_make_dirs(path_join(arena, place->cache_dir, "checks"), 0700, err) &&
	       fs_write_atomic(AT_FDCWD, path, buf_text(&text), text.len, 0600, false, err);
}

void checks_write(const struct checks_place *place, const struct map *known,
		  const struct facts *facts)
{
	struct arena *arena = arena_new();
	struct map all = { 0 };
	size_t n_new = 0;
	struct err err = { 0 };

	for (size_t i = 0; i < known->n; i++)
		map_set(arena, &all, known->items[i].key, known->items[i].value);
	for (size_t i = 0; i < facts->by_key.n; i++) {
		const struct fact *fact = facts->by_key.items[i].value;

		for (size_t k = 0; k < fact->query->tags.n && was_asked(fact); k++, n_new++)
			map_set(arena, &all, fact->query->tags.v[k],
				(void *)(uintptr_t)&place->now_s);
	}
	if (n_new && !write_file(place, &all, arena, &err))
		log_line(LOG_DEBUG, "cannot remember when tags were checked: %s", err.text);
	arena_free(arena);
}
