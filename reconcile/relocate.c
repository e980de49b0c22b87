/* SPDX-License-Identifier: Apache-2.0 */
/* relocate.c — questions to registries, and copies, with the user's own logins. */
#include "reconcile/relocate.h"

#include <string.h>

#include "model/base/digest.h"
#include "reconcile/edit_command.h"
#include "reconcile/plan/labels.h"

void relocator_init(struct relocator *relocator, struct context *context, const char *repository)
{
	*relocator = (struct relocator){ .context = context, .repository = repository };
}

void relocator_release(struct relocator *relocator)
{
	command_registry_release(&relocator->registry);
}

static bool open_registry(struct relocator *relocator, struct err *err)
{
	return relocator->registry.registry ||
	       command_registry_open(relocator->context, NULL, NULL, &relocator->registry, err);
}

static struct ref pinned(const struct ref *ref, const char *digest)
{
	return (struct ref){ .registry = ref->registry, .repo = ref->repo, .digest = digest };
}

static bool is_same_repository(const struct ref *a, const struct ref *b)
{
	return strcmp(a->registry, b->registry) == 0 && strcmp(a->repo, b->repo) == 0;
}

bool relocate(struct relocator *relocator, const char *image, const char **out, struct err *err)
{
	struct context *context = relocator->context;
	const char *verb = edit_uploads(context) ? "Uploading" : "Skipping";
	struct relocation relocation;
	struct descriptor desc;
	struct ref from, to;

	*out = image;
	if (!ref_parse(image, context->arena, &from, err))
		return false;
	if (!relocator->repository)
		return true;
	if (context_is_offline(context)) {
		edit_note(context, "\t%s '%s'", verb, image);
		return true;
	}
	if (!ref_parse(relocator->repository, context->arena, &to, err) ||
	    !open_registry(relocator, err) ||
	    !registry_resolve(relocator->registry.registry, &from, context->arena, &desc, err))
		return false;
	if (!desc.digest)
		return err_set(err, ERR_ABSENT, "cannot find image '%s'", image);
	*out = ref_pinned(&to, desc.digest, context->arena);
	if (is_same_repository(&from, &to))
		return true;
	edit_note(context, "\t%s '%s'", verb, *out);
	relocation = (struct relocation){ pinned(&from, desc.digest), pinned(&to, desc.digest) };
	vec_push(context->arena, &relocator->uploads, relocation);
	return true;
}

/* A registry that throws away what has no tag keeps it: the tag is the digest. */
static bool upload(struct relocator *relocator, const struct relocation *relocation,
		   struct err *err)
{
	struct ref to = relocation->to;
	struct descriptor there;

	if (!registry_resolve(relocator->registry.registry, &to, relocator->context->arena, &there,
			      err))
		return false;
	if (there.digest)
		return true;
	to.tag = digest_hex(to.digest);
	to.has_tag = true;
	to.digest = NULL;
	return registry_copy(relocator->registry.registry, &relocation->from, &to, err);
}

bool relocator_upload(struct relocator *relocator, struct err *err)
{
	for (size_t i = 0; i < relocator->uploads.n; i++)
		if (!upload(relocator, &relocator->uploads.v[i], err))
			return false;
	return true;
}

static bool read_stack_id(struct relocator *relocator, const char *image, const char **out,
			  struct err *err)
{
	struct context *context = relocator->context;
	const struct platform here = platform_host();
	struct remote_image remote;
	struct ref ref;

	if (context_is_offline(context))
		return err_set(
			err, ERR_INVALID,
			"the stack id stands in the images, and --dry-run=offline asks nobody");
	if (!open_registry(relocator, err) || !ref_parse(image, context->arena, &ref, err) ||
	    !registry_read_image(relocator->registry.registry, &ref, &here, context->arena, &remote,
				 err))
		return false;
	*out = pairs_get(&remote.config.labels, LABEL_STACK_ID);
	if (*out && **out)
		return true;
	return err_set(err, ERR_INVALID,
		       "image '%s' is no image of a stack: it has no label " LABEL_STACK_ID, image);
}

bool relocator_stack_id(struct relocator *relocator, const char *build_image, const char *run_image,
			const char **out, struct err *err)
{
	const char *run_id;

	if (!read_stack_id(relocator, build_image, out, err) ||
	    !read_stack_id(relocator, run_image, &run_id, err))
		return false;
	if (strcmp(*out, run_id) == 0)
		return true;
	return err_set(err, ERR_INVALID, "build stack '%s' does not match run stack '%s'", *out,
		       run_id);
}
