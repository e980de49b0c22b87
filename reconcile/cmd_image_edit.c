/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_image_edit.c — `image create`, `patch`, `save`, `delete` and `trigger`: kp's commands on files. They change manifests,
 * and the next run acts on them; with --wait that run comes at once, for this image. Messages: kpack.md §5.3, the requirement
 * document's for `delete`.
 */
#include <string.h>

#include "model/base/time.h"
#include "reconcile/commands.h"
#include "reconcile/image_edit.h"
#include "reconcile/look.h"
#include "reconcile/source_upload.h"

#define TRIGGER "reconcile.dev/trigger"

/* With -o the document is the result, and the progress goes to stderr. */
static void say(struct context *context, const char *fmt, ...) PRINTF(2, 3);

static void say(struct context *context, const char *fmt, ...)
{
	const char *suffix = context->options.dry_run ? " (dry run)" : "";
	va_list args;
	char *text;

	va_start(args, fmt);
	text = arena_vprintf(context->arena, fmt, args);
	va_end(args);
	if (look_is_document(context))
		log_line(LOG_INFO, "%s%s", text, suffix);
	else
		buf_printf(&context->out, "%s%s\n", text, suffix);
}

/* What is done to take long is said when it begins. */
static void say_upload(struct context *context, const char *line, bool is_step)
{
	if (!is_step)
		say(context, "%s", line);
	else if (look_is_document(context))
		log_line(LOG_INFO, "%s", line + strspn(line, "\t"));
	else
		buf_printf(&context->out, "%s\n", line);
	if (is_step && !look_is_document(context))
		(void)context_flush(context, EXIT_DONE);
}

static const char *name_of(const struct context *context)
{
	return context->options.args.v[0];
}

/* --wait: the main job for this image and what it is made of. */
static int build_now(struct context *context)
{
	const struct options *mine = &context->options;
	struct options options = { .settings = mine->settings,
				   .state = mine->state,
				   .state_branch = mine->state_branch,
				   .cache_dir = mine->cache_dir,
				   .now = mine->now,
				   .author = mine->author,
				   .jobs = mine->jobs,
				   .color = mine->color,
				   .trust_repos = mine->trust_repos,
				   .is_strict = mine->is_strict,
				   .follows_on_stderr = look_is_document(context) };
	struct context run;
	int code = context_flush(context, EXIT_DONE);

	if (code != EXIT_DONE)
		return code;
	options.follow =
		object_id(KIND_IMAGE, context_ns(context), name_of(context), context->arena);
	vec_push(context->arena, &options.only, options.follow);
	vec_push(context->arena, &options.args, context_dir(context));
	context_init(&run, &commands[0], &options, context->arena);
	code = context_flush(&run, cmd_run(&run));
	context_release(&run);
	return code;
}

/* Writes, prints the document with -o, then says what was done, and builds it with --wait. */
static int finish(struct manifest *manifest, const char *what)
{
	struct context *context = manifest->context;
	int code = manifest_finish(manifest);

	if (code != EXIT_DONE)
		return code;
	if (look_is_document(context) && !manifest->is_gone)
		look_print(context, edit_node(&manifest->edit, &manifest->at));
	say(context, "%s", what);
	return context->options.is_waiting && !context->options.dry_run ? build_now(context)
									: EXIT_DONE;
}

static int absent(struct context *context)
{
	log_line(LOG_ERROR, "image \"%s\" not found in namespace %s of the manifests in '%s'",
		 name_of(context), context_ns(context), context_dir(context));
	return EXIT_ERROR;
}

/* --tag, or the second argument. */
static bool find_tag(struct context *context, struct image_options *out, struct err *err)
{
	const struct options *options = &context->options;
	const char *argument = options->args.n > 1 ? options->args.v[1] : NULL;

	*out = options->image;
	if (argument && out->tag && strcmp(argument, out->tag) != 0)
		return err_set(err, ERR_INVALID, "two tags: '%s' and --tag '%s'", argument,
			       out->tag);
	if (argument)
		out->tag = argument;
	return true;
}

/*
 * --upload and --local-path-destination-image: the source is in the registry before the manifest names it. `spec`: of the
 * image as it is; NULL for a new one.
 */
static int upload(struct context *context, struct image_options *options, const struct node *spec)
{
	const char *account = node_text(spec, "serviceAccountName");
	const char *tag = options->tag ? options->tag : node_text(spec, "tag");
	struct source_upload upload = { .context = context,
					.path = options->local_path,
					.tag = tag ? tag : "",
					.destination = options->destination,
					.account = options->service_account,
					.say = say_upload };
	struct err err = { 0 };
	int code;

	if (!options->local_path || !(options->is_upload || options->destination))
		return EXIT_DONE;
	code = context_load(context);
	if (code != EXIT_DONE)
		return code;
	if (!upload.account)
		upload.account = account ? account : node_text(spec, "serviceAccount");
	return source_upload(&upload, &options->source_image, &err)
		       ? EXIT_DONE
		       : context_fail(&err, EXIT_ERROR);
}

static int create(struct context *context, struct manifest *manifest, struct image_options *options)
{
	const char *name = name_of(context), *ns = context->options.ns;
	struct err err = { 0 };
	int code;

	if (!options->tag) {
		err_set(&err, ERR_INVALID, "--tag is required to create the resource");
		return context_fail(&err, EXIT_USAGE);
	}
	if (!image_options_check(options, true, &err))
		return context_fail(&err, EXIT_USAGE);
	if (!options->builder && !options->cluster_builder)
		options->cluster_builder = "default";
	say(context, "Creating Image Resource...");
	code = upload(context, options, NULL);
	if (code != EXIT_DONE)
		return code;
	if (!manifest_new(context, name, image_document(name, ns, options->tag, context->arena),
			  manifest, &err) ||
	    !image_edit(manifest, options, &err))
		return context_fail(&err, EXIT_ERROR);
	return finish(manifest,
		      arena_printf(context->arena, "Image Resource \"%s\" created", name));
}

static int patch(struct context *context, struct manifest *manifest, struct image_options *options)
{
	const struct edit_path spec = edit_key(&manifest->at, "spec");
	struct err err = { 0 };
	int code;

	if (!image_options_check(options, false, &err))
		return context_fail(&err, EXIT_USAGE);
	say(context, "Patching Image Resource...");
	code = upload(context, options, edit_node(&manifest->edit, &spec));
	if (code != EXIT_DONE)
		return code;
	if (!image_edit(manifest, options, &err))
		return context_fail(&err, EXIT_ERROR);
	return finish(manifest, arena_printf(context->arena, "Image Resource \"%s\" patched%s",
					     name_of(context),
					     manifest->edit.is_changed ? "" : " (no change)"));
}

enum { MAY_CREATE = 1, MAY_PATCH = 2 };

static int put(struct context *context, unsigned may)
{
	struct image_options options;
	struct manifest manifest;
	struct err err = { 0 };
	bool is_found;

	if (!find_tag(context, &options, &err))
		return context_fail(&err, EXIT_USAGE);
	if (!manifest_find(context, KIND_IMAGE, name_of(context), &manifest, &is_found, &err))
		return context_fail(&err, EXIT_ERROR);
	if (is_found && may & MAY_PATCH)
		return patch(context, &manifest, &options);
	if (!is_found && may & MAY_CREATE)
		return create(context, &manifest, &options);
	if (!is_found)
		return absent(context);
	log_line(LOG_ERROR, "image \"%s\" already exists: %s", name_of(context),
		 edit_where(&manifest.edit, &manifest.at));
	return EXIT_ERROR;
}

int cmd_image_create(struct context *context)
{
	return put(context, MAY_CREATE);
}

int cmd_image_patch(struct context *context)
{
	return put(context, MAY_PATCH);
}

int cmd_image_save(struct context *context)
{
	return put(context, MAY_CREATE | MAY_PATCH);
}

int cmd_image_delete(struct context *context)
{
	struct manifest manifest;
	struct err err = { 0 };
	bool is_found;
	int code;

	if (!manifest_find(context, KIND_IMAGE, name_of(context), &manifest, &is_found, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!is_found)
		return absent(context);
	if (!manifest_remove(&manifest, &err))
		return context_fail(&err, EXIT_ERROR);
	code = finish(&manifest, arena_printf(context->arena, "\"%s\" deleted", name_of(context)));
	if (code == EXIT_DONE && !context->options.dry_run)
		log_line(LOG_INFO,
			 "the records of its builds go with the next run of '%s'; the images that "
			 "were built stay",
			 context_dir(context));
	return code;
}

/* A value that the annotation has not now: the time, and a count when that is not new. */
static const char *fresh_value(const struct manifest *manifest, const struct edit_path *annotation)
{
	struct arena *arena = manifest->context->arena;
	const struct node *now = edit_node(&manifest->edit, annotation);
	char time[TIME_TEXT];
	const char *value = time;

	time_format(manifest->context->now_s, time);
	for (unsigned i = 2; now && now->text && strcmp(now->text, value) == 0; i++)
		value = arena_printf(arena, "%s-%u", time, i);
	return arena_strdup(arena, value);
}

/* The number that the build will have, from the recorded counter; 0: no state. */
static int64_t next_number(struct context *context)
{
	struct entries list;

	if (context_load(context) != EXIT_DONE || context_read_state(context) != EXIT_DONE)
		return 0;
	look_list(context, KIND_IMAGE, &list);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.v[i]->name, name_of(context)) == 0)
			return ((const struct image_status *)list.v[i]->status)->build_counter + 1;
	return 1;
}

int cmd_image_trigger(struct context *context)
{
	struct manifest manifest;
	struct edit_path at;
	struct err err = { 0 };
	const char *what;
	int64_t number;
	bool is_found;

	if (!manifest_find(context, KIND_IMAGE, name_of(context), &manifest, &is_found, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!is_found)
		return absent(context);
	number = next_number(context);
	at = edit_key(&manifest.at, "metadata");
	at = edit_key(&at, "annotations");
	at = edit_key(&at, TRIGGER);
	if (!edit_set(&manifest.edit, &at, node_string(context->arena, fresh_value(&manifest, &at)),
		      &err))
		return context_fail(&err, EXIT_ERROR);
	what = arena_printf(context->arena, "Triggered build for Image Resource \"%s\"",
			    name_of(context));
	if (number)
		what = arena_printf(context->arena, "%s with Build Number %lld", what,
				    (long long)number);
	return finish(&manifest, what);
}
