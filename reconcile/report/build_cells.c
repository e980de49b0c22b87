/* SPDX-License-Identifier: Apache-2.0 */
/* build_cells.c — see build_cells.h. */
#include "reconcile/report/build_cells.h"

#include <string.h>

#include "reconcile/report/human.h"

enum { COMMIT_MIN = 21, COMMIT_SHORT = 7 };

static const char *revision_of(const struct build_common *common, struct arena *arena)
{
	const struct source_revision *revision = common->revision;
	const char *text = revision && revision->git ? revision->git->commit : NULL;
	size_t n;

	if ((!text || !*text) && common->source.git)
		text = common->source.git->ref;
	n = text ? strlen(text) : 0;
	if (n >= COMMIT_MIN && strspn(text, "0123456789abcdefABCDEF") == n)
		return arena_copy(arena, text, COMMIT_SHORT);
	return text ? text : "";
}

char *build_from(const struct build_common *common, struct arena *arena)
{
	const struct build_source *source = &common->source;
	const bool has_file = source->dockerfile != NULL;
	const char *name = source->binary            ? "Binary"
			   : has_file && source->git ? "Dockerfile,Git"
			   : has_file                ? "Dockerfile"
			   : source->git             ? "Git"
						     : NULL;
	const char *revision = revision_of(common, arena);

	if (!name)
		return arena_strdup(arena, source->images.n ? "Image" : "");
	if (!*revision || (!source->binary && !source->git))
		return arena_strdup(arena, name);
	return arena_printf(arena, "%s@%s", name, revision);
}

char *build_config_from(const struct build_common *common, struct arena *arena)
{
	const struct custom_strategy *custom = common->strategy.custom;

	if (custom)
		return arena_strdup(arena, custom->from.name ? custom->from.name : "");
	return build_from(common, arena);
}

char *build_status(const char *phase, const char *reason, struct arena *arena)
{
	if (!reason || !*reason)
		return arena_strdup(arena, phase ? phase : "");
	return arena_printf(arena, "%s (%s)", phase ? phase : "", reason);
}

char *build_took(const struct build_times *times, struct arena *arena)
{
	int64_t span_s = times->finished_s - times->started_s;

	if (!times->started_s || !times->finished_s || span_s <= 0)
		return arena_strdup(arena, "");
	return human_span(span_s, arena);
}

char *build_duration(const struct build_times *times, int64_t now_s, struct arena *arena)
{
	const bool has_ended = phase_is_terminal(times->phase);
	const char *prefix = "";
	int64_t from_s = times->started_s, to_s = times->finished_s;

	if (times->started_s && !times->finished_s && !has_ended) {
		prefix = "running for ";
		to_s = now_s;
	} else if (!times->started_s && !has_ended) {
		prefix = "waiting for ";
		from_s = times->created_s;
		to_s = now_s;
	} else if (!times->started_s && times->phase != PHASE_COMPLETE) {
		prefix = "waited for ";
		from_s = times->created_s;
	}
	if (!from_s || !to_s)
		return arena_strdup(arena, "<none>");
	return arena_printf(arena, "%s%s", prefix, human_span(to_s - from_s, arena));
}
