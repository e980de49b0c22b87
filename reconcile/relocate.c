/* SPDX-License-Identifier: Apache-2.0 */
/* relocate.c — questions to registries, and copies, with the user's credentials and kp's variables. */
#include "reconcile/relocate.h"

#include <string.h>

#include "buildexec/sys/proc.h"
#include "model/base/digest.h"
#include "model/kind/settings.h"
#include "reconcile/edit_command.h"
#include "reconcile/plan/labels.h"

enum { LOGINS = 100 };

void relocator_init(struct relocator *relocator, struct context *context, const char *repository)
{
	*relocator = (struct relocator){ .context = context, .repository = repository };
}

void relocator_release(struct relocator *relocator)
{
	if (!relocator->registry)
		return;
	registry_close(&relocator->registry);
	registry_access_release(&relocator->access);
}

typedef VEC(struct request_credential) logins_vec;

static void add_login(const char *suffix, struct arena *arena, logins_vec *out)
{
	const char *host = proc_getenv(arena_printf(arena, "KP_REGISTRY_HOSTNAME%s", suffix));
	const char *user = proc_getenv(arena_printf(arena, "KP_REGISTRY_USERNAME%s", suffix));
	const char *password = proc_getenv(arena_printf(arena, "KP_REGISTRY_PASSWORD%s", suffix));

	if (host && *host && user && password)
		vec_push(arena, out,
			 (struct request_credential){
				 .server = host, .user = user, .password = password });
}

/* KP_REGISTRY_HOSTNAME, _USERNAME and _PASSWORD, and the same with _0, _1 … behind them (kpack.md §5.7). */
static struct list read_logins(struct arena *arena)
{
	logins_vec logins = { 0 };

	add_login("", arena, &logins);
	for (unsigned i = 0; i < LOGINS; i++)
		add_login(arena_printf(arena, "_%u", i), arena, &logins);
	return (struct list){ logins.v, logins.n };
}

static bool open_registry(struct relocator *relocator, struct err *err)
{
	struct context *context = relocator->context;
	const struct settings *settings;
	const struct list none = { 0 }, logins = read_logins(context->arena);
	struct access access;

	if (relocator->registry)
		return true;
	if (!context->is_loaded && context_load(context) != EXIT_DONE)
		return err_set(err, ERR_INVALID,
			       "registries are asked by the settings among the manifests, and the "
			       "manifests have mistakes");
	settings = context->settings;
	access = (struct access){ .registries = &settings->registries,
				  .credentials = &logins,
				  .git_hosts = &settings->git,
				  .git_credentials = &none,
				  .base_dir = context->settings_dir,
				  .with_user_credentials = true,
				  .with_helpers = settings->allow_helpers };
	if (!access_registries(&access, context->arena, &relocator->access, err))
		return false;
	if (registry_open(&relocator->access.rules, relocator->access.keychain,
			  &relocator->registry, err))
		return true;
	registry_access_release(&relocator->access);
	return false;
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
	const char *verb = context->options.dry_run ? "Skipping" : "Uploading";
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
	    !registry_resolve(relocator->registry, &from, context->arena, &desc, err))
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

	if (!registry_resolve(relocator->registry, &to, relocator->context->arena, &there, err))
		return false;
	if (there.digest)
		return true;
	to.tag = digest_hex(to.digest);
	to.has_tag = true;
	to.digest = NULL;
	return registry_copy(relocator->registry, &relocation->from, &to, err);
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
	    !registry_read_image(relocator->registry, &ref, &here, context->arena, &remote, err))
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
