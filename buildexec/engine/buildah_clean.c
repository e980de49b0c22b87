/* SPDX-License-Identifier: Apache-2.0 */
/* buildah_clean.c — containers that nobody runs any more; see buildah_parts.h. Their mounts and processes went with their build. */
#include "buildexec/engine/buildah_parts.h"
#include "buildexec/engine/run.h"

enum { CLEAN_MS = 2500 /* before the scheduler kills us */ };

/* after_ms: see run.h. *is_done: buildah says that it could. */
static bool remove_containers(struct buildah *b, int64_t after_ms, bool *is_done, struct err *err)
{
	struct run_spec spec = { .argv = buildah_command(b, "rm"),
				 .env = b->env,
				 .dir = b->task->work.path,
				 .after_ms = after_ms };
	struct run_end end;

	vec_push(b->task->arena, &spec.argv, "--all");
	if (!run_engine(b->task, &spec, &end, err))
		return false;
	*is_done = end.exit_code == 0;
	return true;
}

/* Another build's store. */
static bool clean_other(void *ctx, const struct engine_store *other)
{
	struct buildah as_other = *(struct buildah *)ctx;
	struct err ignored = { 0 };
	bool is_done;

	as_other.store = *other;
	return remove_containers(&as_other, 0, &is_done, &ignored) && is_done &&
	       engine_store_clean_temp(as_other.task, &as_other.env, other, &ignored);
}

bool buildah_clean_before(struct buildah *b, struct err *err)
{
	bool is_done = true;

	engine_store_clean_others(b->task, clean_other, b);
	if (b->store.is_left && (!remove_containers(b, 0, &is_done, err) ||
				 !engine_store_clean_temp(b->task, &b->env, &b->store, err)))
		return false;
	b->is_unclean = !is_done;
	return true;
}

bool buildah_clean_behind(struct buildah *b)
{
	struct err ignored = { 0 };
	bool is_done;

	return !b->is_unclean || (remove_containers(b, CLEAN_MS, &is_done, &ignored) && is_done);
}
