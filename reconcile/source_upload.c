/* SPDX-License-Identifier: Apache-2.0 */
/* source_upload.c — see source_upload.h. */
#include "reconcile/source_upload.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/source/source_pack.h"
#include "model/base/time.h"
#include "reconcile/command_registry.h"

#define TEMP_PREFIX "reconcile-upload"

static bool find_destination(const struct source_upload *upload, struct ref *out, struct err *err)
{
	struct arena *arena = upload->context->arena;
	const char *text = upload->destination ? upload->destination : upload->tag;

	if (!ref_parse(text, arena, out, err))
		return false;
	if (upload->destination)
		return !out->digest ||
		       err_set(err, ERR_INVALID,
			       "the destination '%s' of the source may not have a digest", text);
	out->repo = arena_printf(arena, "%s-source", out->repo);
	out->tag = "latest";
	out->has_tag = false;
	out->digest = NULL;
	return true;
}

/* What its tag names already is not pushed again. */
static bool push(const struct source_upload *upload, const struct image_draft *draft,
		 const struct ref *to, const struct image_bytes *bytes, struct err *err)
{
	struct context *context = upload->context;
	struct civil t = time_civil(context->now_s);
	struct command_registry registry;
	struct ref dated = *to;
	const struct ref *const tags[] = { to, &dated };
	struct image_access access = { 0 };
	const struct image_push job = { draft, &access, tags, COUNTOF(tags) };
	struct descriptor there = { 0 };
	struct image_bytes pushed;
	bool is_done;

	dated.tag = arena_printf(context->arena, "%04d%02d%02d%02d%02d%02d", t.year, t.month, t.day,
				 t.hour, t.minute, t.second);
	is_done = command_registry_open(context, context_ns(context), upload->account, &registry,
					err) &&
		  registry_resolve(registry.registry, to, context->arena, &there, err);
	access.rules = &registry.registries.rules;
	access.keychain = registry.registries.keychain;
	if (is_done && (!there.digest || strcmp(there.digest, bytes->manifest_desc.digest) != 0))
		is_done = image_push(&job, context->arena, &pushed, err);
	command_registry_release(&registry);
	return is_done;
}

bool source_upload(const struct source_upload *upload, const char **image, struct err *err)
{
	struct context *context = upload->context;
	struct arena *arena = context->arena;
	AUTO_TMPDIR work = { 0 };
	struct source_pack pack = { 0 };
	struct image_draft draft;
	struct image_bytes bytes;
	char path[PATH_MAX];
	struct ref to;

	fs_sweep_temp(NULL, TEMP_PREFIX);
	if (!realpath(upload->path, path))
		return err_set(err, ERR_ABSENT, "cannot find local path '%s'", upload->path);
	if (!find_destination(upload, &to, err) || !tmpdir_make(NULL, TEMP_PREFIX, &work, err))
		return false;
	pack.path = path;
	pack.work_dir = work.path;
	if (!source_pack(&pack, arena, &draft, err))
		return err_prefix(err, "cannot upload '%s'", upload->path);
	image_draft_print(&draft, arena, &bytes);
	*image = ref_pinned(&to, bytes.manifest_desc.digest, arena);
	upload->say(context, arena_printf(arena, "Uploading to '%s'...", ref_name(&to, arena)),
		    false);
	upload->say(context,
		    arena_printf(arena, "\t%s '%s'",
				 context->options.dry_run ? "Skipping" : "Uploading", *image),
		    true);
	return context->options.dry_run || push(upload, &draft, &to, &bytes, err) ||
	       err_prefix(err, "cannot upload '%s' to '%s'", upload->path, ref_name(&to, arena));
}
