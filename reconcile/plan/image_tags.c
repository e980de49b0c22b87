/* SPDX-License-Identifier: Apache-2.0 */
/* image_tags.c — the tags that a build gives its image. Rules: kpack.md §2.2; times are UTC here. */
#include <inttypes.h>
#include <string.h>

#include "model/base/time.h"
#include "reconcile/plan/rules_image.h"

static void add_once(struct strings *tags, const char *tag, struct arena *arena)
{
	if (tag && !strings_has(tags, tag))
		vec_push(arena, tags, tag);
}

struct strings image_tags(const struct image_spec *spec, struct arena *arena)
{
	struct strings tags = { 0 };

	add_once(&tags, spec->tag, arena);
	for (size_t i = 0; i < spec->additional_tags.n; i++)
		add_once(&tags, spec->additional_tags.v[i], arena);
	return tags;
}

bool build_tags(const struct image_spec *spec, int64_t number, int64_t now_s, struct arena *arena,
		struct strings *out, struct err *err)
{
	struct civil t = time_civil(now_s);
	const char *prefix = "";
	struct ref ref;

	*out = (struct strings){ 0 };
	if (!ref_parse(spec->tag ? spec->tag : "", arena, &ref, err))
		return err_prefix(err, "invalid tag '%s'", spec->tag ? spec->tag : "");
	vec_push(arena, out, spec->tag);
	if (!text_equal(spec->tagging, "None")) {
		if (ref.has_tag && ref.tag && strcmp(ref.tag, "latest") != 0)
			prefix = arena_printf(arena, "%s-", ref.tag);
		add_once(out,
			 arena_printf(arena, "%s:%sb%" PRId64 ".%04d%02d%02d.%02d%02d%02d",
				      ref_name(&ref, arena), prefix, number, t.year, t.month, t.day,
				      t.hour, t.minute, t.second),
			 arena);
	}
	for (size_t i = 0; i < spec->additional_tags.n; i++)
		add_once(out, spec->additional_tags.v[i], arena);
	return true;
}
