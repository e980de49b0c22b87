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
#include "reconcile/edit_command.h"

#define TEMP_PREFIX "reconcile-upload"

static bool find_destination(struct source_upload *upload, struct arena *arena, struct err *err)
{
	struct ref *out = &upload->to;
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

bool source_upload_pack(struct source_upload *upload, struct arena *arena, struct err *err)
{
	struct source_pack pack = { 0 };
	char path[PATH_MAX];

	fs_sweep_temp(NULL, TEMP_PREFIX);
	if (!realpath(upload->path, path))
		return err_set(err, ERR_ABSENT, "cannot find local path '%s'", upload->path);
	if (!find_destination(upload, arena, err) ||
	    !tmpdir_make(NULL, TEMP_PREFIX, &upload->work, err))
		return false;
	pack.path = path;
	pack.work_dir = upload->work.path;
	if (!source_pack(&pack, arena, &upload->draft, err))
		return err_prefix(err, "cannot upload '%s'", upload->path);
	image_draft_print(&upload->draft, arena, &upload->bytes);
	upload->image = ref_pinned(&upload->to, upload->bytes.manifest_desc.digest, arena);
	return true;
}

/* What its tag names already is not pushed again. */
static bool push(const struct source_upload *upload, struct context *context, struct err *err)
{
	struct civil t = time_civil(context->now_s);
	struct command_registry registry;
	struct ref dated = upload->to;
	const struct ref *const tags[] = { &upload->to, &dated };
	struct image_access access = { 0 };
	const struct image_push job = { &upload->draft, &access, tags, COUNTOF(tags) };
	const char *digest = upload->bytes.manifest_desc.digest;
	struct descriptor there = { 0 };
	struct image_bytes pushed;
	bool is_done;

	dated.tag = arena_printf(context->arena, "%04d%02d%02d%02d%02d%02d", t.year, t.month, t.day,
				 t.hour, t.minute, t.second);
	is_done = command_registry_open(context, context_ns(context), upload->account, &registry,
					err) &&
		  registry_resolve(registry.registry, &upload->to, context->arena, &there, err);
	access.rules = &registry.registries.rules;
	access.keychain = registry.registries.keychain;
	if (is_done && (!there.digest || strcmp(there.digest, digest) != 0))
		is_done = image_push(&job, context->arena, &pushed, err);
	command_registry_release(&registry);
	return is_done;
}

bool source_upload_send(const struct source_upload *upload, struct context *context,
			struct err *err)
{
	const char *to = ref_name(&upload->to, context->arena);
	bool is_sent = edit_uploads(context);

	edit_say(context, "Uploading to '%s'...", to);
	edit_note(context, "\t%s '%s'", is_sent ? "Uploading" : "Skipping", upload->image);
	edit_flush(context);
	return !is_sent || push(upload, context, err) ||
	       err_prefix(err, "cannot upload '%s' to '%s'", upload->path, to);
}

void source_upload_release(struct source_upload *upload)
{
	tmpdir_release(&upload->work);
}
