/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_prune.c — `prune builds`: records and logs of old builds, away from the state branch in one commit. Dry unless
 * --confirm is given. Rules and texts: openshift.md §5.7.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/kind/settings.h"
#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/plan/build_prune.h"
#include "reconcile/prune.h"
#include "reconcile/record.h"
#include "reconcile/report/tabwriter.h"
#include "reconcile/run_id.h"

enum { KEEP_COMPLETE = 5, KEEP_FAILED = 1 };

bool prune_number(const char *option, const char *text, int64_t standard, int64_t *out,
		  struct err *err)
{
	char *end;

	*out = standard;
	if (!text)
		return true;
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (!errno && end != text && !*end && *out >= 0)
		return true;
	return err_set(err, ERR_INVALID, "--%s takes a whole number from 0, not '%s'", option,
		       text);
}

bool prune_younger(const struct options *options, int64_t *out, struct err *err)
{
	const char *text = options->pruning.keep_younger;

	*out = PRUNE_YOUNGER_S;
	if (!text || duration_parse(text, out))
		return true;
	return err_set(err, ERR_INVALID,
		       "--keep-younger-than takes a duration such as 90s, 60m or 24h, not '%s'",
		       text);
}

void prune_say_dry(const struct context *context, const char *what)
{
	if (!context->options.stream.is_confirmed)
		log_line(LOG_INFO,
			 "Dry run enabled - no modifications will be made. Add --confirm to remove "
			 "%s",
			 what);
}

/* One image whose builds are to go. */
struct pruned {
	const struct state_entry *entry;
	struct image_status *status; /* as it will be */
	struct numbers gone;
};
struct prune_builds {
	struct context *context;
	struct build_keep keep;
	VEC(struct pruned) images;
	size_t n_builds;
};

static void find_builds(struct prune_builds *p)
{
	struct context *context = p->context;
	struct entries list;

	context->options.all_namespaces = true;
	look_list(context, KIND_IMAGE, &list);
	for (size_t i = 0; i < list.n; i++) {
		const struct state_entry *entry = list.v[i];
		bool is_gone =
			!model_find(&context->loaded.model, KIND_IMAGE, entry->ns, entry->name);
		struct pruned pruned = { .entry = entry };

		if (is_gone && !context->options.pruning.with_orphans)
			continue; /* builds of no configuration are --orphans' business alone */
		pruned.status = ARENA_NEW(context->arena, struct image_status);
		*pruned.status = *(const struct image_status *)entry->status;
		build_prune(pruned.status, &p->keep, is_gone, context->arena, &pruned.gone);
		if (pruned.gone.n)
			vec_push(context->arena, &p->images, pruned);
		p->n_builds += pruned.gone.n;
	}
}

static const char *build_name(struct context *context, const struct pruned *pruned, size_t i)
{
	return child_name(pruned->entry->name,
			  arena_printf(context->arena, "-build-%lld", (long long)pruned->gone.v[i]),
			  context->arena);
}

static void put_table(const struct prune_builds *p)
{
	struct context *context = p->context;
	AUTO_BUF rows = BUF_INIT(64 << 20);

	buf_puts(&rows, "NAMESPACE\tNAME\n");
	for (size_t i = 0; i < p->images.n; i++)
		for (size_t k = 0; k < p->images.v[i].gone.n; k++)
			buf_printf(&rows, "%s\t%s\n", p->images.v[i].entry->ns,
				   build_name(context, &p->images.v[i], k));
	if (p->n_builds)
		tab_align(buf_text(&rows), &tab_get, &context->out);
}

/* {formatVersion, confirmed, builds: [{namespace, image, number, name}]} */
static struct node *prune_node(const struct prune_builds *p)
{
	struct context *context = p->context;
	struct arena *arena = context->arena;
	struct node *root = node_new(arena, NODE_MAP), *builds = node_new(arena, NODE_SEQ);

	node_set(arena, root, "formatVersion", node_int(arena, 1));
	node_set(arena, root, "confirmed", node_bool(arena, context->options.stream.is_confirmed));
	for (size_t i = 0; i < p->images.n; i++) {
		for (size_t k = 0; k < p->images.v[i].gone.n; k++) {
			const struct pruned *pruned = &p->images.v[i];
			struct node *build = node_new(arena, NODE_MAP);

			node_set_text(arena, build, "namespace", pruned->entry->ns);
			node_set_text(arena, build, "image", pruned->entry->name);
			node_set(arena, build, "number", node_int(arena, pruned->gone.v[k]));
			node_set_text(arena, build, "name", build_name(context, pruned, k));
			node_push(builds, build);
		}
	}
	node_set(arena, root, "builds", builds);
	return root;
}

static void drop_log(struct context *context, struct recorder *recorder, const char *path)
{
	const char *folder = context_log_folder(context);
	struct err err = { 0 };

	if (!folder)
		recorder_put_log(recorder, path, NULL, 0);
	else if (!fs_remove_tree(path_join(context->arena, folder, path), &err))
		log_line(LOG_WARN, "%s", err.text);
}

static void drop_builds(struct context *context, struct recorder *recorder,
			const struct pruned *pruned)
{
	const struct state_entry *entry = pruned->entry;
	struct arena *arena = context->arena;
	struct object *object = ARENA_NEW(arena, struct object); /* its manifest may be gone */

	*object = (struct object){ .kind = KIND_IMAGE,
				   .id = entry->id,
				   .meta = { .name = entry->name, .ns = entry->ns } };
	recorder_put(recorder, object, &entry->origin, pruned->status,
		     arena_printf(arena, "%s: %zu build%s pruned", entry->id, pruned->gone.n,
				  pruned->gone.n == 1 ? "" : "s"));
	for (size_t i = 0; i < pruned->gone.n; i++) {
		long long number = (long long)pruned->gone.v[i];

		recorder_put_file(recorder, entry->id,
				  build_path(entry->ns, entry->name, pruned->gone.v[i], arena),
				  NULL);
		drop_log(context, recorder,
			 arena_printf(arena, "%s/images/%s/%lld.log", entry->ns, entry->name,
				      number));
	}
}

int prune_flush(struct context *context, prune_fill_fn *fill, void *ctx, const char *subject)
{
	struct recorder_spec spec;
	struct recorder *recorder;
	struct strings lost = { 0 };
	struct run_id run;
	struct err err = { 0 };
	bool is_done;

	run_id_make(&run, context->now_s);
	if (!record_spec_make(context, run.text, &spec, &err))
		return context_fail(&err, EXIT_STATE);
	recorder = recorder_new(&spec);
	fill(ctx, recorder);
	is_done = recorder_flush(recorder, subject, false, &lost, &err) &&
		  recorder_has_all(recorder, &err);
	recorder_free(&recorder);
	for (size_t i = 0; i < lost.n; i++)
		log_line(LOG_WARN, "left as it is, somebody else changed it: %s", lost.v[i]);
	return is_done ? EXIT_DONE : context_fail(&err, EXIT_STATE);
}

static void fill_builds(void *ctx, struct recorder *recorder)
{
	const struct prune_builds *p = ctx;

	for (size_t i = 0; i < p->images.n; i++)
		drop_builds(p->context, recorder, &p->images.v[i]);
}

static bool read_keep(struct prune_builds *p, struct err *err)
{
	const struct options *options = &p->context->options;

	return prune_number("keep-complete", options->pruning.keep_complete, KEEP_COMPLETE,
			    &p->keep.complete, err) &&
	       prune_number("keep-failed", options->pruning.keep_failed, KEEP_FAILED,
			    &p->keep.failed, err) &&
	       prune_younger(options, &p->keep.younger_s, err);
}

int cmd_prune_builds(struct context *context)
{
	struct prune_builds p = { .context = context };
	struct err err = { 0 };
	int code;

	if (!read_keep(&p, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_load(context);
	if (code == EXIT_DONE)
		code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	p.keep.now_s = context->now_s;
	find_builds(&p);
	prune_say_dry(context, "builds");
	if (context->options.stream.is_confirmed && p.n_builds)
		code = prune_flush(context, fill_builds, &p,
				   arena_printf(context->arena, "%zu build%s pruned", p.n_builds,
						p.n_builds == 1 ? "" : "s"));
	if (code == EXIT_DONE && !look_print(context, prune_node(&p)))
		put_table(&p);
	return code;
}
