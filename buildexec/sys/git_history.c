/* SPDX-License-Identifier: Apache-2.0 */
/* git_history.c — a walk from the later commit to its parents, each commit once. */
#include "buildexec/sys/git_history.h"

#include <string.h>

#include "buildexec/sys/git_commit.h"
#include "model/base/limits.h"
#include "model/base/map.h"
#include "model/base/vec.h"

enum { CLOCKS_APART_S = 86400 };

struct walk {
	struct git_objects *objects;
	struct arena *arena;
	VEC(struct git_id) ids;
	struct map seen; /* hex → the walk */
};

static void add_id(struct walk *walk, const struct git_id *id)
{
	if (map_has(&walk->seen, id->hex))
		return;
	map_set(walk->arena, &walk->seen, arena_strdup(walk->arena, id->hex), walk);
	vec_push(walk->arena, &walk->ids, *id);
}

/* Absent: type GIT_TYPE_NONE. */
static bool read_commit(struct git_objects *objects, const struct git_id *id, struct arena *arena,
			struct git_data *out, int64_t *time_s, struct err *err)
{
	struct git_commit_info info;
	unsigned char raw[GIT_ID_RAW];

	*time_s = 0;
	git_id_to_raw(id, raw);
	if (!git_objects_read(objects, raw, LIMIT_GIT_TREE, arena, out, err))
		return false;
	if (out->type == GIT_TYPE_NONE)
		return true;
	if (out->type != GIT_TYPE_COMMIT)
		return err_set(err, ERR_INVALID, "%s is no commit", id->hex);
	if (!git_commit_describe(out, arena, &info, err))
		return false;
	*time_s = info.committer.time_s;
	return true;
}

bool git_commit_time(struct git_objects *objects, const struct git_id *id, int64_t *out,
		     struct err *err)
{
	struct arena *arena = arena_new();
	struct git_data commit;
	bool is_done = read_commit(objects, id, arena, &commit, out, err);

	arena_free(arena);
	return is_done;
}

/* All of them, a merge has several. */
static void add_parents(struct walk *walk, const struct git_data *commit)
{
	const char *at = commit->bytes, *end = at + commit->n;

	while (at < end && *at != '\n') {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct git_id id;

		if (end - at > 7 + GIT_ID_HEX && memcmp(at, "parent ", 7) == 0 &&
		    git_id_parse(at + 7, GIT_ID_HEX, &id))
			add_id(walk, &id);
		at = newline ? newline + 1 : end;
	}
}

static bool follow(struct walk *walk, size_t i, int64_t since_s, struct err *err)
{
	struct arena *arena = arena_new();
	struct git_data commit;
	int64_t time_s;
	bool is_done = read_commit(walk->objects, &walk->ids.v[i], arena, &commit, &time_s, err);

	if (is_done && commit.type == GIT_TYPE_NONE && !i)
		is_done = err_set(err, ERR_ABSENT, "there is no commit %s", walk->ids.v[i].hex);
	else if (is_done && commit.type != GIT_TYPE_NONE && time_s >= since_s)
		add_parents(walk, &commit);
	arena_free(arena);
	return is_done;
}

bool git_is_ancestor(struct git_objects *objects, const struct git_id *earlier,
		     const struct git_id *later, bool *out, struct err *err)
{
	struct walk walk = { .objects = objects, .arena = arena_new() };
	int64_t earlier_s;
	bool is_done;

	*out = false;
	is_done = git_commit_time(objects, earlier, &earlier_s, err);
	add_id(&walk, later);
	for (size_t i = 0; is_done && !*out && i < walk.ids.n; i++) {
		*out = i && git_id_equal(&walk.ids.v[i], earlier);
		if (i == GIT_HISTORY_MAX)
			is_done = err_set(err, ERR_INVALID, "more than %d commits lead to %s",
					  GIT_HISTORY_MAX, later->hex);
		else if (!*out)
			is_done = follow(&walk, i, earlier_s - CLOCKS_APART_S, err);
	}
	arena_free(walk.arena);
	return is_done;
}
