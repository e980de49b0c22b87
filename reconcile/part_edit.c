/* SPDX-License-Identifier: Apache-2.0 */
/* part_edit.c — what builders are composed of: stacks, stores, and the kinds that are one image. */
#include <string.h>

#include "model/kind/status.h"
#include "model/oci/ref.h"
#include "reconcile/edit_command.h"
#include "reconcile/object_edit.h"

bool stack_options_check(struct context *context, bool is_new, struct err *err)
{
	const struct object_options *o = &context->options.object;

	if (is_new ? o->build_image && o->run_image : o->build_image || o->run_image)
		return true;
	return err_set(err, ERR_INVALID,
		       is_new ? "--build-image and --run-image are required to create the resource"
			      : "say --build-image, --run-image or both");
}

static const char *given_or_now(const struct object_edit *e, const char *given, const char *field)
{
	return given ? given : node_text(object_node(e, field, NULL), "image");
}

static bool put_image(struct object_edit *e, const struct edit_path *path, const char *image)
{
	const char *relocated;

	return !image || (relocate(e->relocator, image, &relocated, e->err) &&
			  object_set(e, path, relocated));
}

bool stack_put(struct object_edit *e, const struct stack_images *images)
{
	const char *build = given_or_now(e, images->build, "buildImage"),
		   *run = given_or_now(e, images->run, "runImage"), *stack_id;
	const struct edit_path id = object_path(e, "id", NULL),
			       build_path = object_path(e, "buildImage", "image"),
			       run_path = object_path(e, "runImage", "image");

	if (!build || !run)
		return err_set(e->err, ERR_INVALID, "the stack has only one image: say both");
	return relocator_stack_id(e->relocator, build, run, &stack_id, e->err) &&
	       object_set(e, &id, stack_id) && put_image(e, &build_path, images->build) &&
	       put_image(e, &run_path, images->run) && object_put_account(e, false);
}

bool stack_edit(struct object_edit *e)
{
	const struct object_options *o = &e->context->options.object;

	return stack_put(e, &(struct stack_images){ o->build_image, o->run_image });
}

bool store_options_check(struct context *context, bool is_new, struct err *err)
{
	(void)is_new;
	return context->options.object.buildpackages.n ||
	       err_set(err, ERR_INVALID, "At least one buildpackage must be provided");
}

struct wanted_image {
	const char *text;
	struct ref ref;
	struct arena *arena;
};

/* The same content by digest, else the same reference. */
static bool is_image(const struct node *item, const void *context)
{
	const struct wanted_image *wanted = context;
	const char *image = node_text(item, "image");
	struct err ignored = { 0 };
	struct ref ref;

	if (!image || !ref_parse(image, wanted->arena, &ref, &ignored))
		return false;
	if (wanted->ref.digest && ref.digest)
		return strcmp(wanted->ref.digest, ref.digest) == 0;
	return strcmp(ref_format(&ref, wanted->arena), ref_format(&wanted->ref, wanted->arena)) ==
	       0;
}

static bool find_source(const struct object_edit *e, const char *image, size_t *index)
{
	const struct edit_path list = object_path(e, "sources", NULL);
	struct wanted_image wanted = { .text = image, .arena = e->context->arena };
	struct err ignored = { 0 };

	return ref_parse(image, e->context->arena, &wanted.ref, &ignored) &&
	       object_find_item(e, &list, is_image, &wanted, index);
}

bool store_add(struct object_edit *e, const char *image)
{
	const struct edit_path list = object_path(e, "sources", NULL);
	struct node *item = node_new(e->context->arena, NODE_MAP);
	size_t at;

	if (!relocate(e->relocator, image, &image, e->err))
		return false;
	if (find_source(e, image, &at)) {
		edit_note(e->context, "\tBuildpackage already exists in the store");
		return true;
	}
	node_set_text(e->context->arena, item, "image", image);
	if (!object_append(e, &list, item))
		return false;
	edit_note(e->context, "\tAdded Buildpackage");
	return true;
}

bool store_edit(struct object_edit *e)
{
	const struct strings *images = &e->context->options.object.buildpackages;

	for (size_t i = 0; i < images->n; i++)
		if (!store_add(e, images->v[i]))
			return false;
	return object_put_account(e, false);
}

static bool is_buildpack(const struct store_buildpack *buildpack, const char *id,
			 const char *version)
{
	const struct buildpack_id *package = &buildpack->package;

	if (package->id)
		return strcmp(package->id, id) == 0 && package->version &&
		       strcmp(package->version, version) == 0;
	return buildpack->id && buildpack->version && strcmp(buildpack->id, id) == 0 &&
	       strcmp(buildpack->version, version) == 0;
}

/* The image as declared that holds ID@VERSION by what was recorded; NULL: none is known. */
static const char *recorded_source(struct object_edit *e, const char *word)
{
	struct context *context = e->context;
	const char *at = strrchr(word, '@'), *id, *image = NULL;
	const struct store_status *status;

	if (!at || context_load(context) != EXIT_DONE ||
	    (!context->is_state_read && context_read_state(context) != EXIT_DONE))
		return NULL;
	status = state_status(&context->state.state,
			      object_id(KIND_CLUSTER_STORE, "", e->id.name, context->arena));
	id = arena_copy(context->arena, word, (size_t)(at - word));
	for (size_t i = 0; status && i < status->buildpacks.n; i++) {
		const struct store_buildpack *one =
			LIST_AT(status->buildpacks, struct store_buildpack, i);

		if (is_buildpack(one, id, at + 1))
			image = one->store_image;
	}
	for (size_t i = 0; image && i < status->sources.n; i++) {
		const struct image_pin *pin = LIST_AT(status->sources, struct image_pin, i);

		if (pin->latest && strcmp(pin->latest, image) == 0)
			return pin->image;
	}
	return image;
}

bool store_remove(struct object_edit *e)
{
	const struct edit_path list = object_path(e, "sources", NULL);
	const struct strings *words = &e->context->options.object.buildpackages;

	for (size_t i = 0; i < words->n; i++) {
		const char *image = words->v[i];
		bool is_found;
		size_t at;

		is_found = find_source(e, image, &at);
		if (!is_found) {
			image = recorded_source(e, words->v[i]);
			is_found = image && find_source(e, image, &at);
		}
		if (!is_found)
			return err_set(e->err, ERR_INVALID,
				       "Buildpackage '%s' does not exist in the ClusterStore",
				       words->v[i]);
		edit_note(e->context, "Removing buildpackage %s", words->v[i]);
		if (!object_remove_item(e, &list, at))
			return false;
	}
	return true;
}

bool part_options_check(struct context *context, bool is_new, struct err *err)
{
	const struct object_options *o = &context->options.object;

	if (o->image || (!is_new && o->service_account))
		return true;
	return err_set(err, ERR_INVALID,
		       is_new ? "--image is required to create the resource" : "say --image");
}

bool part_put(struct object_edit *e, const char *image)
{
	const struct edit_path path = object_path(e, "image", NULL);

	return put_image(e, &path, image) &&
	       (e->id.kind == KIND_BUILDPACK || object_put_account(e, false));
}

bool part_edit(struct object_edit *e)
{
	const struct object_options *o = &e->context->options.object;
	const struct edit_path account = object_path(e, "serviceAccountName", NULL),
			       reference = object_path(e, "serviceAccountRef", "name");

	return part_put(e, o->image) &&
	       object_set(e, e->id.kind == KIND_BUILDPACK ? &account : &reference,
			  o->service_account);
}
