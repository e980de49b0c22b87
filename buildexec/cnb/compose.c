/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose.c — the worker's action `compose`: a builder image from a build image, buildpacks where they lie, and an order.
 * Layers of buildpacks are never downloaded to be put into the same registry. Our own lifecycle needs no layer of its own;
 * one that a ClusterLifecycle names is added for those who run the builder otherwise.
 * Spec: kpack.md §3.1–3.3; cnb.md §2.
 */
#include <string.h>

#include "buildexec/cnb/actions.h"
#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/builder.h"
#include "buildexec/cnb/compose_files.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/base/map.h"
#include "model/base/time.h"
#include "model/doc/toml.h"

struct composing {
	struct task *task;
	const struct compose *compose;
	struct remote_image base;
	struct image_draft draft;
	struct map images; /* reference → struct remote_image */
	uint32_t uid, gid;
	const char *run_image; /* as the builder names it: beside the builder, by digest */
};

/* Each image is asked for once, however many buildpacks lie in it. */
static const struct remote_image *find_image(struct composing *composing, const char *reference,
					     struct err *err)
{
	struct arena *arena = composing->task->arena;
	struct remote_image *image = map_get(&composing->images, reference);

	if (image)
		return image;
	image = ARENA_NEW(arena, struct remote_image);
	if (!task_read_image(composing->task, reference, image, err))
		return NULL;
	map_set(arena, &composing->images, reference, image);
	return image;
}

static void add_history(struct composing *composing, const char *created_by)
{
	vec_push(composing->task->arena, &composing->draft.history,
		 (struct history){ .created_by = created_by });
}

static bool has_layer(const struct composing *composing, const char *diff_id)
{
	return strings_has(&composing->draft.config.diff_ids, diff_id);
}

/* The i-th layer of another image on top of ours. */
static bool add_layer_of(struct composing *composing, const struct remote_image *image, size_t i,
			 const char *created_by, struct err *err)
{
	struct arena *arena = composing->task->arena;
	struct image_layer layer = { .from = &image->ref };

	if (i >= image->manifest.n_layers || i >= image->config.diff_ids.n)
		return err_set(err, ERR_INVALID, "manifest and config of '%s' do not fit together",
			       ref_format(&image->ref, arena));
	layer.desc = image->manifest.layers[i];
	layer.desc.media_type = media_to_oci(layer.desc.media_type);
	layer.diff_id = image->config.diff_ids.v[i];
	vec_push(arena, &composing->draft.layers, layer);
	vec_push(arena, &composing->draft.config.diff_ids, layer.diff_id);
	add_history(composing, created_by);
	return true;
}

static bool add_buildpack(struct composing *composing, const struct compose_buildpack *buildpack,
			  struct err *err)
{
	const struct remote_image *image = find_image(composing, buildpack->image, err);
	const char *created_by = arena_printf(composing->task->arena, "Buildpack: %s@%s",
					      buildpack->id.id, buildpack->id.version);

	if (!image)
		return false;
	for (size_t i = 0; i < image->config.diff_ids.n; i++)
		if (strcmp(image->config.diff_ids.v[i], buildpack->diff_id) == 0)
			return add_layer_of(composing, image, i, created_by, err);
	return err_set(err, ERR_INVALID, "'%s' has no layer '%s'", buildpack->image,
		       buildpack->diff_id);
}

/* Several buildpacks may share a layer: it is put there once. */
static bool add_buildpacks(struct composing *composing, struct err *err)
{
	struct compose_order sorted = compose_sorted(composing->compose, composing->task->arena);

	for (size_t i = 0; i < sorted.n; i++)
		if (!has_layer(composing, sorted.v[i]->diff_id) &&
		    !add_buildpack(composing, sorted.v[i], err))
			return err_prefix(err, "buildpack '%s@%s'", sorted.v[i]->id.id,
					  sorted.v[i]->id.version);
	return true;
}

static bool add_lifecycle(struct composing *composing, struct err *err)
{
	const char *reference = composing->compose->lifecycle_image;
	const struct remote_image *image;

	if (!reference)
		return true;
	image = find_image(composing, reference, err);
	if (!image)
		return err_prefix(err, "lifecycle image");
	if (image->config.diff_ids.n == 0)
		return err_set(err, ERR_INVALID, "lifecycle image '%s' has no layer", reference);
	return add_layer_of(composing, image, image->config.diff_ids.n - 1, "Lifecycle", err);
}

struct small_entry {
	const char *name;
	const char *text; /* NULL: a folder */
	bool is_users;    /* belongs to the CNB user, not to root */
};

static bool write_entries(struct composing *composing, struct tar *tar,
			  const struct small_entry *entries, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = entries[i].text;
		struct tar_entry entry = {
			.name = entries[i].name,
			.type = text ? TAR_FILE : TAR_DIR,
			.mode = text ? 0644 : 0755,
			.uid = entries[i].is_users ? composing->uid : 0,
			.gid = entries[i].is_users ? composing->gid : 0,
			.mtime_s = TAR_FIXED_MTIME_S,
			.size_bytes = text ? strlen(text) : 0,
		};

		if (!tar_add(tar, &entry, text, text ? strlen(text) : 0, err))
			return false;
	}
	return true;
}

static bool add_entries(struct composing *composing, const char *created_by,
			const struct small_entry *entries, size_t n, struct err *err)
{
	struct task *task = composing->task;
	struct layer_options options = { .blob_dir =
						 path_join(task->arena, task->work.path, "blobs") };
	struct layer_result *result = ARENA_NEW(task->arena, struct layer_result);
	struct history history = { .created_by = created_by };
	AUTO_LAYER *layer = NULL;

	if (!layer_open(&options, &layer, err) ||
	    !write_entries(composing, layer_tar(layer), entries, n, err) ||
	    !layer_commit(&layer, result, err))
		return false;
	image_draft_add(&composing->draft, result, &history, task->arena);
	return true;
}

static const char *toml_text(const struct node *toml, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(LIMIT_TOML_BYTES);

	toml_print(toml, &out);
	return buf_copy(&out, arena);
}

static bool add_layers(struct composing *composing, struct err *err)
{
	static const struct small_entry folders[] = {
		{ "/workspace", NULL, true },
		{ "/layers", NULL, true },
		{ "/cnb", NULL, false },
		{ "/cnb/buildpacks", NULL, false },
		{ "/cnb/extensions", NULL, false },
		{ "/cnb/build-config", NULL, false },
		{ "/cnb/build-config/env", NULL, false },
		{ "/platform", NULL, false },
		{ "/platform/env", NULL, false },
	};
	struct arena *arena = composing->task->arena;
	const struct small_entry stack = {
		"/cnb/stack.toml",
		toml_text(compose_stack_toml(composing->run_image, arena), arena), false
	};
	const struct small_entry run = {
		"/cnb/run.toml", toml_text(compose_run_toml(composing->run_image, arena), arena),
		false
	};
	const struct small_entry order = {
		"/cnb/order.toml", toml_text(compose_order_toml(composing->compose, arena), arena),
		false
	};

	return add_entries(composing, "Builder folders", folders, COUNTOF(folders), err) &&
	       add_lifecycle(composing, err) && add_buildpacks(composing, err) &&
	       add_entries(composing, "Builder stack", &stack, 1, err) &&
	       add_entries(composing, "Builder run images", &run, 1, err) &&
	       add_entries(composing, "Builder order", &order, 1, err);
}

/* The run image lies beside the builder, so that both go together wherever the builder is copied from. */
static bool relocate_run_image(struct composing *composing, struct err *err)
{
	struct arena *arena = composing->task->arena;
	struct ref from, to;

	if (!ref_parse(composing->compose->run_image, arena, &from, err) ||
	    !ref_parse(composing->compose->tag, arena, &to, err))
		return false;
	if (!from.digest)
		return err_set(err, ERR_INVALID, "run image '%s' has no digest",
			       composing->compose->run_image);
	to.tag = arena_printf(arena, "%s-run-image", to.tag);
	to.has_tag = true;
	to.digest = NULL;
	if (!registry_copy(composing->task->registry, &from, &to, err))
		return err_prefix(err, "cannot copy the run image beside the builder");
	composing->run_image = ref_pinned(&to, from.digest, arena);
	return true;
}

static void set_config(struct composing *composing)
{
	struct arena *arena = composing->task->arena;
	struct pairs labels = compose_labels(composing->compose, composing->run_image, arena);
	struct image_config *config = &composing->draft.config;
	struct pairs all = { 0 };

	for (size_t i = 0; i < config->labels.n; i++)
		app_config_set_label(arena, &all, config->labels.v[i].key,
				     config->labels.v[i].value);
	for (size_t i = 0; i < labels.n; i++)
		app_config_set_label(arena, &all, labels.v[i].key, labels.v[i].value);
	config->labels = all;
	config->working_dir = CNB_LAYERS_DIR;
	app_config_stamp(config, CNB_CREATED_S, arena);
	for (size_t i = 0; i < composing->draft.history.n; i++)
		composing->draft.history.v[i].created = config->created;
	if (composing->compose->key)
		vec_push(arena, &composing->draft.annotations,
			 (struct pair){ .key = BUILD_KEY_ANNOTATION,
					.value = composing->compose->key });
}

/*
 * kpack gives every builder that it pushes a tag of the time too, by which an older one is found again; what its tag names
 * already is not pushed again (kpack.md §3.1). *out NULL: that is so.
 */
static bool time_tag(struct composing *composing, const struct ref *builder, struct ref **out,
		     struct err *err)
{
	struct task *task = composing->task;
	struct civil t = time_civil(task->request->now_s);
	struct descriptor there;
	struct image_bytes bytes;

	*out = NULL;
	image_draft_print(&composing->draft, task->arena, &bytes);
	if (!registry_resolve(task->registry, builder, task->arena, &there, err))
		return false;
	if (there.digest && strcmp(there.digest, bytes.manifest_desc.digest) == 0)
		return true;
	*out = ARENA_NEW(task->arena, struct ref);
	**out = *builder;
	(*out)->tag = arena_printf(task->arena, "%04d%02d%02d%02d%02d%02d", t.year, t.month, t.day,
				   t.hour, t.minute, t.second);
	return true;
}

static bool push(struct composing *composing, struct err *err)
{
	struct task *task = composing->task;
	size_t n = task->request->tags.n;
	const struct ref **tags = arena_array(task->arena, n + 2, sizeof(*tags));
	struct image_push job = { .draft = &composing->draft,
				  .access = &task->image_access,
				  .tags = tags };
	struct image_bytes bytes;
	struct ref *at_time;

	set_config(composing);
	for (size_t i = 0; i <= n; i++) {
		const char *tag = i == 0 ? composing->compose->tag : task->request->tags.v[i - 1];
		struct ref *ref = ARENA_NEW(task->arena, struct ref);

		if (i > 0 && strcmp(tag, composing->compose->tag) == 0)
			continue;
		if (!ref_parse(tag, task->arena, ref, err))
			return false;
		tags[job.n_tags++] = ref;
	}
	if (!time_tag(composing, tags[0], &at_time, err))
		return false;
	if (at_time)
		tags[job.n_tags++] = at_time;
	return image_push(&job, task->arena, &bytes, err) &&
	       task_pinned(task, composing->compose->tag, bytes.manifest_desc.digest,
			   &task->result.image, err);
}

static void fill_result(struct composing *composing)
{
	const struct list *buildpacks = &composing->compose->buildpacks;
	struct buildpack_id *ids = arena_array(composing->task->arena, buildpacks->n, sizeof(*ids));
	struct build_event *result = &composing->task->result;

	for (size_t i = 0; i < buildpacks->n; i++)
		ids[i] = LIST_AT(*buildpacks, const struct compose_buildpack, i)->id;
	result->buildpacks = (struct list){ .v = ids, .n = buildpacks->n };
	result->run_image = composing->run_image;
	result->stack_id = composing->compose->stack_id;
	result->lifecycle_version = composing->compose->lifecycle_version
					    ? composing->compose->lifecycle_version
					    : RECONCILE_VERSION;
}

static bool compose_new(struct composing *composing, struct err *err)
{
	struct task *task = composing->task;

	if (!task_read_image(task, composing->compose->build_image, &composing->base, err))
		return err_prefix(err, "cannot read the build image");
	if (!builder_user(&composing->base.config, &composing->uid, &composing->gid, err))
		return false;
	image_draft_init(&composing->draft, &composing->base, task->arena);
	task_begin(task, TASK_EXPORT);
	return add_layers(composing, err) && push(composing, err);
}

bool task_compose(struct task *task, struct err *err)
{
	struct composing composing = { .task = task, .compose = task->request->compose };
	struct strings tags = { 0 };
	struct remote_image there;
	bool is_adopted;

	if (!composing.compose)
		return err_set(err, ERR_INVALID, "build request: compose is missing");
	task_begin(task, TASK_PREPARE);
	vec_push(task->arena, &tags, composing.compose->tag);
	for (size_t i = 0; i < task->request->tags.n; i++)
		if (!strings_has(&tags, task->request->tags.v[i]))
			vec_push(task->arena, &tags, task->request->tags.v[i]);
	if (!relocate_run_image(&composing, err) ||
	    !task_adopt(task, &tags, composing.compose->key, &there, &is_adopted, err))
		return false;
	task->result.is_adopted = is_adopted;
	if (is_adopted ? !task_pinned(task, tags.v[0], there.desc.digest, &task->result.image, err)
		       : !compose_new(&composing, err))
		return false;
	fill_result(&composing);
	task_begin(task, TASK_COMPLETION);
	build_log_say("Builder composed: %s", task->result.image);
	return true;
}
