/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_import.c — `import`: a DependencyDescriptor into manifests (kpack.md §5.8). Everything is decided and edited in memory,
 * then shown, checked, copied and written. What comes out as it was is not touched, so importing twice is importing once.
 */
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/time.h"
#include "model/doc/text_diff.h"
#include "model/kind/dependencies.h"
#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/object_edit.h"

#define TIMESTAMP "kpack.io/import-timestamp"

enum { DIFF_BYTES = 16 << 20, ANSWER_BYTES = 16, CONTEXT_LINES = 3 };

struct import {
	struct context *context;
	struct dependencies wanted;
	struct manifests all;
	struct kp_config config;
	struct relocator relocator;
	VEC(struct declared *) imported;
	struct buf changes; /* of one kind */
	struct buf summary; /* of all */
	bool has_changes;
	struct err *err;
};

static bool read_descriptor(struct import *import)
{
	struct context *context = import->context;
	struct documents documents = { 0 };
	struct source_file *file = ARENA_NEW(context->arena, struct source_file);
	struct diags diags;

	if (!load_text(context->options.import.file, context->arena, file, import->err))
		return false;
	diags_init(&diags, context->arena);
	diags.is_strict = context->options.is_strict;
	yaml_parse(file, context->arena, &documents, &diags);
	if (!diags.n_errors && documents.n != 1)
		return err_set(import->err, ERR_INVALID, "'%s': expected one document, found %zu",
			       file->path, documents.n);
	if (!diags.n_errors)
		dependencies_decode(documents.v[0], file, context->arena, &import->wanted, &diags);
	diags_sort(&diags);
	context_print_problems(context, &diags);
	return !diags.n_errors ||
	       err_set(import->err, ERR_INVALID, "'%s' cannot be imported", file->path);
}

static const char *document_text(const struct node *document, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(DIFF_BYTES);

	if (document)
		yaml_print(document, &out);
	return buf_copy(&out, arena);
}

static void note_change(struct import *import, const struct declared *manifest)
{
	struct arena *arena = import->context->arena;
	struct diff_side before = { .text = document_text(manifest->before, arena) };
	struct diff_side after = { .text = document_text(manifest_node(manifest), arena) };

	before.len = strlen(before.text);
	after.len = strlen(after.text);
	text_diff(&before, &after, CONTEXT_LINES, &import->changes);
	buf_byte(&import->changes, '\n');
}

static bool stamp(struct object_edit *e)
{
	struct edit_path at = edit_key(&e->manifest->at, "metadata");
	char now[TIME_TEXT];

	time_format(e->context->now_s, now);
	at = edit_key(&at, "annotations");
	at = edit_key(&at, TIMESTAMP);
	return object_set(e, &at, now);
}

/* What an element of the descriptor's lists means for its object. */
typedef bool import_fn(struct import *import, struct object_edit *e, const void *element);

static bool import_image(struct import *import, struct object_edit *e, const void *element)
{
	(void)import;
	return part_put(e, ((const struct dependency_image *)element)->image);
}

static bool import_store(struct import *import, struct object_edit *e, const void *element)
{
	const struct dependency_store *store = element;

	(void)import;
	for (size_t i = 0; i < store->sources.n; i++)
		if (!store_add(e, LIST_AT(store->sources, struct image_source, i)->image))
			return false;
	return object_put_account(e, false);
}

static bool import_stack(struct import *import, struct object_edit *e, const void *element)
{
	const struct dependency_stack *stack = element;

	(void)import;
	return stack_put(e, &(struct stack_images){ stack->build_image, stack->run_image });
}

static bool put_lifecycle(struct import *import, struct object_edit *e)
{
	const struct edit_path name = object_path(e, "lifecycle", "name"),
			       kind = object_path(e, "lifecycle", "kind");
	const struct list *lifecycles = &import->wanted.lifecycles;

	for (size_t i = 0; i < lifecycles->n && !object_node(e, "lifecycle", NULL); i++)
		if (strcmp(LIST_AT(*lifecycles, struct dependency_image, i)->name,
			   DEFAULT_LIFECYCLE) == 0)
			return object_set(e, &name, DEFAULT_LIFECYCLE) &&
			       object_set(e, &kind, "ClusterLifecycle");
	return true;
}

static bool import_builder(struct import *import, struct object_edit *e, const void *element)
{
	const struct dependency_builder *builder = element;
	const struct builder_parts parts = {
		.tag = builder_default_tag(e),
		.stack = builder->stack,
		.store = builder->store,
		.order = dependencies_order(builder, e->context->arena),
	};

	return builder_put(e, &parts) && put_lifecycle(import, e);
}

static bool import_one(struct import *import, enum kind kind, const void *element, import_fn *put)
{
	struct context *context = import->context;
	struct declared *manifest = ARENA_NEW(context->arena, struct declared);
	/* All elements begin with their name. */
	const struct manifest_id id = { kind, NULL, *(const char *const *)element };
	struct object_edit e = { .context = context,
				 .all = &import->all,
				 .id = id,
				 .relocator = &import->relocator,
				 .config = &import->config,
				 .err = import->err };
	bool is_found;

	edit_say(context, "Importing %s '%s'...", kind_name(kind), id.name);
	if (!manifest_find(&import->all, &id, manifest, &is_found, import->err) ||
	    (!is_found && !manifest_new(&import->all, &id, false, manifest, import->err)))
		return false;
	object_edit_begin(&e, manifest, !is_found);
	if (!put(import, &e, element))
		return err_prefix(import->err, "%s '%s'", kind_name(kind), id.name);
	vec_push(context->arena, &import->imported, manifest);
	if (!manifest_is_changed(manifest))
		return true;
	note_change(import, manifest);
	return stamp(&e);
}

struct group {
	enum kind kind;
	const struct list *list;
	size_t size;
	import_fn *put;
};

static bool import_group(struct import *import, const struct group *group)
{
	import->changes = BUF_INIT(DIFF_BYTES);
	for (size_t i = 0; i < group->list->n; i++) {
		const char *element = (const char *)group->list->v + i * group->size;

		if (!import_one(import, group->kind, element, group->put)) {
			buf_release(&import->changes);
			return false;
		}
	}
	import->has_changes |= import->changes.len > 0;
	buf_printf(&import->summary, "%ss\n\n%s", kind_name(group->kind),
		   import->changes.len ? buf_text(&import->changes) : "No Changes\n\n");
	buf_release(&import->changes);
	return true;
}

static bool import_all(struct import *import)
{
	const struct dependencies *wanted = &import->wanted;
	const struct group groups[] = {
		{ KIND_CLUSTER_LIFECYCLE, &wanted->lifecycles, sizeof(struct dependency_image),
		  import_image },
		{ KIND_CLUSTER_BUILDPACK, &wanted->buildpacks, sizeof(struct dependency_image),
		  import_image },
		{ KIND_CLUSTER_STORE, &wanted->stores, sizeof(struct dependency_store),
		  import_store },
		{ KIND_CLUSTER_STACK, &wanted->stacks, sizeof(struct dependency_stack),
		  import_stack },
		{ KIND_CLUSTER_BUILDER, &wanted->builders, sizeof(struct dependency_builder),
		  import_builder },
	};

	buf_puts(&import->summary, "Changes\n\n");
	for (size_t i = 0; i < COUNTOF(groups); i++)
		if (!import_group(import, &groups[i]))
			return false;
	return true;
}

/* Only a person at a terminal is asked. */
static bool must_ask(const struct context *context)
{
	const struct import_options *options = &context->options.import;

	return options->shows_changes && !options->is_forced && !context->options.dry_run &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static bool ask(struct import *import, bool *is_wanted)
{
	AUTO_BUF clean = BUF_INIT(2 * DIFF_BYTES);
	char answer[ANSWER_BYTES];
	ssize_t n;

	buf_puts(&import->summary,
		 import->has_changes ? "Confirm with y: " : "Re-upload images with y: ");
	redact(buf_text(&import->summary), import->summary.len, &clean);
	if (!fd_write_all(STDOUT_FILENO, buf_text(&clean), clean.len, import->err))
		return false;
	n = fd_read(STDIN_FILENO, answer, sizeof(answer));
	*is_wanted = n > 0 && (answer[0] == 'y' || answer[0] == 'Y') &&
		     (n == 1 || answer[1] == '\n' || answer[1] == '\r');
	return true;
}

static int finish(struct import *import, struct buf *progress)
{
	struct context *context = import->context;
	const struct edit_result result = {
		.all = &import->all,
		.relocator = &import->relocator,
		.shown = (const struct declared *const *)import->imported.v,
		.n_shown = import->imported.n,
		.what = "Imported resources",
	};
	bool is_wanted = true;

	if (must_ask(context)) {
		if (!ask(import, &is_wanted))
			return context_fail(import->err, EXIT_ERROR);
		if (!is_wanted) {
			buf_puts(&context->out, "Skipping import\n");
			return EXIT_DONE;
		}
	} else if (context->options.import.shows_changes) {
		edit_note(context, "%s", buf_text(&import->summary));
	}
	buf_add(&context->out, buf_text(progress), progress->len);
	return edit_finish(&result);
}

/* Progress is said behind the changes, which are known last. */
static int run(struct import *import)
{
	struct context *context = import->context;
	struct buf out = context->out;
	bool is_done;
	int code;

	context->out = BUF_INIT(out.max);
	is_done = import_all(import);
	{
		struct buf progress = context->out;

		context->out = out;
		code = is_done ? finish(import, &progress) : context_fail(import->err, EXIT_ERROR);
		buf_release(&progress);
	}
	return code;
}

int cmd_import(struct context *context)
{
	struct err err = { 0 };
	struct import import = { .context = context, .summary = BUF_INIT(DIFF_BYTES), .err = &err };
	int code = EXIT_ERROR;

	if (!context->options.import.file) {
		err_set(&err, ERR_INVALID, "-f FILE is required");
		return context_fail(&err, EXIT_USAGE);
	}
	if (!read_descriptor(&import))
		return context_fail(&err, EXIT_INVALID);
	if (!manifests_open(context, &import.all, &err) ||
	    !kp_config_read(&import.all, &import.config, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!import.config.repository) {
		err_set(&err, ERR_INVALID,
			"images are copied to the default repository, and none is set; use "
			"'reconcile config default-repository REPOSITORY'");
		return context_fail(&err, EXIT_ERROR);
	}
	relocator_init(&import.relocator, context, import.config.repository);
	code = run(&import);
	relocator_release(&import.relocator);
	buf_release(&import.summary);
	return code;
}
