/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.c — the last phase: layers in their order, config, labels, manifest; then the build cache. See lifecycle.h.
 * Nothing that a buildpack could have left behind is trusted to be a folder or a file: see foreign.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/export_state.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/slices.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

static void place(struct export *export, const char *diff_id, const char *created_by,
		  const struct image_layer *layer)
{
	vec_push(export->arena, &export->layers,
		 (struct placed_layer){
			 .diff_id = diff_id, .created_by = created_by, .layer = *layer });
}

/* A layer of the previous image as one of the new. False when it has no such layer. */
static bool reuse(struct export *export, const char *diff_id, const char *created_by)
{
	const struct descriptor *desc = lifecycle_previous_layer(export->life, diff_id);
	struct image_layer layer = { .from = &export->life->previous.ref };

	if (!desc)
		return false;
	layer.desc = *desc;
	layer.desc.media_type = media_to_oci(desc->media_type);
	layer.diff_id = arena_strdup(export->arena, diff_id);
	place(export, layer.diff_id, created_by, &layer);
	return true;
}

const struct layer_result *export_write_layer(struct export *export,
					      const struct layer_source *source, struct err *err)
{
	struct layer_result *result = ARENA_NEW(export->arena, struct layer_result);

	if (!layer_source_write(export->life, source, result, err))
		return NULL;
	if (source->kind == LAYER_DIR)
		map_set(export->arena, &export->written, source->dir, result);
	return result;
}

/* Hashed first where it may be an old one, since hashing is cheap beside compressing and sending. */
static bool add_layer(struct export *export, const struct layer_source *source,
		      const char *created_by, const char *known_sha, const char **diff_id,
		      struct err *err)
{
	const struct layer_result *result;
	struct image_layer layer = { 0 };
	struct digest digest;

	if (known_sha && known_sha[0]) {
		if (!layer_source_hash(export->life, source, &digest, err))
			return false;
		if (strcmp(digest.text, known_sha) == 0 && reuse(export, digest.text, created_by)) {
			build_log_say("Reusing layer '%s'", source->id);
			*diff_id = arena_strdup(export->arena, digest.text);
			return true;
		}
	}
	result = export_write_layer(export, source, err);
	if (!result)
		return false;
	build_log_say("Adding layer '%s'", source->id);
	layer = (struct image_layer){
		.desc = { .media_type = MEDIA_OCI_LAYER_GZIP,
			  .digest = result->digest.text,
			  .size_bytes = (int64_t)result->size_bytes },
		.diff_id = result->diff_id.text,
		.path = result->path,
	};
	*diff_id = result->diff_id.text;
	place(export, *diff_id, created_by, &layer);
	return true;
}

static bool add_launch_layer(struct export *export, const struct group_element *element,
			     struct fs_layer *layer, struct err *err)
{
	struct arena *arena = export->arena;
	const struct layer_record *old = layer_record_find(
		buildpack_record_find(&export->life->previous_metadata.buildpacks, element->id),
		layer->record.name);
	const char *id = arena_printf(arena, "%s:%s", element->id, layer->record.name);
	const char *created_by = arena_printf(arena, "Layer: '%s', Created by buildpack: %s@%s",
					      layer->record.name, element->id, element->version);
	struct layer_source source = {
		.kind = LAYER_DIR,
		.id = id,
		.dir = layer->path,
		.name = arena_printf(arena, CNB_LAYERS_DIR "/%s/%s",
				     cnb_escape_id(element->id, arena), layer->record.name),
	};

	if (layer->has_contents)
		return add_layer(export, &source, created_by, old ? old->sha : NULL,
				 &layer->record.sha, err);
	if (layer->record.is_cache)
		return err_set(err, ERR_INVALID, "layer '%s' is cache=true but has no contents",
			       id);
	if (!old || !reuse(export, old->sha, created_by))
		return err_set(err, ERR_INVALID,
			       "cannot reuse '%s', previous image has no metadata for layer '%s'",
			       id, id);
	build_log_say("Reusing layer '%s'", id);
	layer->record.sha = old->sha;
	return true;
}

static bool add_buildpack(struct export *export, const struct group_element *element,
			  struct err *err)
{
	struct buildpack_record record = { .id = element->id, .version = element->version };
	const char *path = path_join(export->arena, export->life->options.layers_dir,
				     cnb_escape_id(element->id, export->arena));
	struct layers_dir dir;
	struct api api;

	if (!group_element_api(element, &api, err) ||
	    !layers_dir_read(path, api, export->arena, &dir, err))
		return false;
	for (size_t i = 0; i < dir.n; i++) {
		if (!dir.v[i].record.is_launch)
			continue;
		if (!add_launch_layer(export, element, &dir.v[i], err))
			return false;
		vec_push(export->arena, &record.layers, dir.v[i].record);
	}
	for (size_t i = 0; i < dir.n; i++)
		if (dir.v[i].problem)
			return err_set(err, ERR_INVALID,
				       "failed to parse metadata for layer '%s:%s': %s",
				       element->id, dir.v[i].record.name, dir.v[i].problem);
	record.store = dir.store;
	vec_push(export->arena, &export->metadata.buildpacks, record);
	vec_push(export->arena, &export->dirs, dir);
	return true;
}

static bool add_sbom(struct export *export, struct err *err)
{
	const struct lifecycle *life = export->life;
	struct layer_source source = {
		.kind = LAYER_DIR,
		.id = "buildpacksio/lifecycle:launch.sbom",
		.dir = path_join(export->arena, life->options.layers_dir, "sbom/launch"),
		.name = CNB_LAYERS_DIR "/sbom/launch",
	};

	if (!cnb_api_at_least(life->options.platform_api, 8) ||
	    !foreign_is_dir_below(life->options.layers_dir, "sbom/launch", export->arena))
		return true;
	return add_layer(export, &source, "Software Bill-of-Materials",
			 life->previous_metadata.sbom, &export->metadata.sbom, err);
}

/* The application's listing as the slices want it. */
static struct slice_entry *slice_entries(const struct strings *paths, struct arena *arena)
{
	struct slice_entry *out = arena_array(arena, paths->n, sizeof(*out));
	struct map by_path = { 0 };

	for (size_t i = 0; i < paths->n; i++) {
		const char *slash = strrchr(paths->v[i], '/');
		const char *above =
			slash ? arena_copy(arena, paths->v[i], (size_t)(slash - paths->v[i])) : "";

		out[i].path = paths->v[i];
		out[i].parent = i == 0 ? SLICE_NO_PARENT
				       : (size_t)((uintptr_t)map_get(&by_path, above) - 1);
		map_set(arena, &by_path, paths->v[i], (void *)(uintptr_t)(i + 1));
	}
	return out;
}

static const char *known_app_layer(const struct lifecycle *life)
{
	return life->previous_metadata.app.n > 0 ? life->previous_metadata.app.v[0] : NULL;
}

/* Any layer of the previous application will do, whatever its place was. */
static bool add_app_layer(struct export *export, const struct layer_source *source,
			  const char *created_by, struct err *err)
{
	const struct strings *old = &export->life->previous_metadata.app;
	const char *diff_id, *known = NULL;
	struct digest digest;

	if (known_app_layer(export->life)) {
		if (!layer_source_hash(export->life, source, &digest, err))
			return false;
		known = strings_has(old, digest.text) ? digest.text : NULL;
	}
	if (known && reuse(export, known, created_by)) {
		build_log_say("Reusing layer '%s'", source->id);
		diff_id = arena_strdup(export->arena, known);
	} else if (!add_layer(export, source, created_by, NULL, &diff_id, err)) {
		return false;
	}
	vec_push(export->arena, &export->metadata.app, diff_id);
	return true;
}

static bool add_app(struct export *export, struct err *err)
{
	const struct build_metadata *build = &export->life->metadata;
	struct arena *arena = export->arena;
	struct strings paths = { 0 };
	struct slice_layer *cut;

	if (!tree_list(export->life->options.app_dir, arena, &paths, err) ||
	    !slices_cut(slice_entries(&paths, arena), paths.n, build->slices, build->n_slices,
			arena, &cut, err))
		return false;
	for (size_t i = 0; i <= build->n_slices; i++) {
		struct strings chosen = { 0 };
		struct layer_source source = { .kind = LAYER_PATHS,
					       .id = arena_printf(arena, "slice-%zu", i + 1),
					       .paths = &chosen };

		for (size_t j = 0; j < cut[i].n; j++)
			vec_push(arena, &chosen, paths.v[cut[i].v[j]]);
		if (!add_app_layer(export, &source,
				   build->n_slices == 0
					   ? "Application Layer"
					   : arena_printf(arena, "Application Slice: %zu", i + 1),
				   err))
			return false;
	}
	return true;
}

static bool add_launcher(struct export *export, struct err *err)
{
	const struct lifecycle *life = export->life;
	const struct app_metadata *old = &life->previous_metadata;
	struct layer_source launcher = { .kind = LAYER_LAUNCHER,
					 .id = "buildpacksio/lifecycle:launcher",
					 .dir = life->options.launcher_path };
	struct layer_source config = {
		.kind = LAYER_DIR,
		.id = "buildpacksio/lifecycle:config",
		.dir = path_join(export->arena, life->options.layers_dir, "config"),
		.name = CNB_LAYERS_DIR "/config",
	};
	struct layer_source processes = { .kind = LAYER_PROCESSES,
					  .id = "buildpacksio/lifecycle:process-types",
					  .paths = &life->metadata.process_types };

	export->metadata.process_types = "";
	if (!foreign_is_dir(config.dir))
		return err_set(err, ERR_INVALID, "the build left no folder '%s'", config.name);
	return add_layer(export, &launcher, "Buildpacks Application Launcher", old->launcher,
			 &export->metadata.launcher, err) &&
	       add_layer(export, &config, "Buildpacks Launcher Config", old->config,
			 &export->metadata.config, err) &&
	       (processes.paths->n == 0 ||
		add_layer(export, &processes, "Buildpacks Process Types", old->process_types,
			  &export->metadata.process_types, err));
}

/* What extensions put on the run image lies right above it. */
static void add_extended(struct export *export)
{
	const struct lifecycle *life = export->life;

	for (size_t i = 0; i < life->extended.layers.n; i++) {
		const struct image_layer *layer = &life->extended.layers.v[i];
		const char *created_by = life->extended.names.v[i];
		bool is_old = reuse(export, layer->diff_id, created_by);

		build_log_say("%s layer '%s'", is_old ? "Reusing" : "Adding", layer->diff_id);
		if (!is_old)
			place(export, layer->diff_id, created_by, layer);
	}
}

/* What the label says about the run image. */
static void name_run_image(struct export *export)
{
	const struct lifecycle *life = export->life;
	const struct image_config *base = &life->run_image.config;
	struct app_metadata *metadata = &export->metadata;
	const struct run_image_names *names =
		cnb_api_at_least(life->options.platform_api, 12)
			? run_images_for_label(&life->run_images, life->run_image_name,
					       export->arena)
			: (life->run_images.n > 0 ? &life->run_images.v[0] : NULL);
	const struct run_image_names switched = { .image = life->run_image_name };

	metadata->top_layer = base->diff_ids.v[base->diff_ids.n - 1];
	metadata->run_reference = life->run_reference;
	metadata->has_stack = true;
	/* The first of the list is a guess, and wrong where an extension knew better. */
	if (life->is_run_image_switched &&
	    (!names || !run_image_names_have(names, life->run_image_name, export->arena)))
		names = &switched;
	if (!names)
		return;
	metadata->stack = *names;
	if (cnb_api_at_least(life->options.platform_api, 12))
		metadata->run_image = *names;
}

/* JSON has no NaN and no infinities; the reference's export ends with that (encoding/json, UnsupportedValueError). */
static bool fits_json(const struct node *node)
{
	bool fits = node->kind != NODE_FLOAT || isfinite(node->f);

	if (node->kind == NODE_SEQ || node->kind == NODE_MAP)
		for (const struct node *child = node->first; fits && child; child = child->next)
			fits = fits_json(child);
	return fits;
}

static bool make_labels(struct export *export, const struct node *project, struct pairs *out,
			struct err *err)
{
	static const struct launcher_source launcher = { .version = RECONCILE_VERSION,
							 .repository = "",
							 .commit = "" };
	const struct lifecycle *life = export->life;
	struct arena *arena = export->arena;
	const struct build_metadata *build = &life->metadata;
	const struct node *metadata = app_metadata_encode(&export->metadata, arena);
	const char *lifecycle_text;

	if (!fits_json(metadata))
		return err_set(err, ERR_INVALID,
			       "metadata of the layers has a number that a label cannot hold: NaN "
			       "or infinite");
	lifecycle_text = app_config_label_text(metadata, arena);
	if (strlen(lifecycle_text) >= LIMIT_LABEL_BYTES - 1)
		return err_set(err, ERR_INVALID, "metadata of the layers is too long for a label");
	app_config_set_label(arena, out, LABEL_LIFECYCLE_METADATA, lifecycle_text);
	app_config_set_label(
		arena, out, LABEL_BUILD_METADATA,
		app_config_label_text(
			build_metadata_label(build, &launcher, life->options.platform_api, arena),
			arena));
	app_config_set_label(arena, out, LABEL_PROJECT_METADATA,
			     app_config_label_text(project_metadata_label(project, arena), arena));
	for (size_t i = 0; i < build->labels.n; i++)
		app_config_set_label(arena, out, build->labels.v[i].key, build->labels.v[i].value);
	/* No layer of ours changes the base: it can be put on another one, unless the base itself says no. */
	if (life->extended.is_done)
		app_config_set_label(arena, out, LABEL_REBASABLE,
				     life->extended.is_rebasable ? "true" : "false");
	else if (cnb_api_at_least(life->options.platform_api, 12) &&
		 !pairs_get(&life->run_image.config.labels, LABEL_REBASABLE))
		app_config_set_label(arena, out, LABEL_REBASABLE, "true");
	if (cnb_api_at_least(life->options.platform_api, 15) && life->options.exec_env)
		app_config_set_label(arena, out, LABEL_EXEC_ENV, life->options.exec_env);
	return true;
}

/* The user's choice must be there; a buildpack's is taken as it is. */
static bool choose_process(const struct lifecycle *life, const char **out, struct err *err)
{
	const struct build_metadata *build = &life->metadata;

	*out = build->default_process;
	if (!life->options.process_type)
		return true;
	*out = life->options.process_type;
	if (!strings_has(&build->process_types, *out))
		return err_set(err, ERR_INVALID, "tried to set %s to default but it doesn't exist",
			       *out);
	return true;
}

static bool save(struct export *export, const struct pairs *labels, struct err *err)
{
	struct lifecycle *life = export->life;
	struct arena *arena = export->arena;
	struct app_layer *layers = arena_array(arena, export->layers.n, sizeof(*layers));
	struct app_config_spec spec = {
		.base = life->extended.is_done ? &life->extended.config : &life->run_image.config,
		.app_dir = CNB_APP_DIR,
		.layers_dir = CNB_LAYERS_DIR,
		.platform_api = life->options.platform_api,
		.labels = labels,
		.layers = layers,
		.n_layers = export->layers.n,
		.created_s = lifecycle_created_s(life),
	};
	struct image_draft draft;

	if (!choose_process(life, &spec.process, err))
		return false;
	image_draft_init(&draft, &life->run_image, arena);
	if (life->has_previous)
		image_draft_find(&draft, &life->previous);
	for (size_t i = 0; i < export->layers.n; i++) {
		layers[i] = (struct app_layer){ .diff_id = export->layers.v[i].diff_id,
						.created_by = export->layers.v[i].created_by };
		vec_push(arena, &draft.layers, export->layers.v[i].layer);
	}
	app_config_make(&spec, arena, &draft.config);
	draft.history.n = 0;
	for (size_t i = 0; i < draft.config.n_history; i++)
		vec_push(arena, &draft.history, draft.config.history[i]);
	draft.annotations = life->options.annotations;
	build_log_say("Saving %s...", life->options.image);
	return lifecycle_push(life, &draft, err);
}

/* project-metadata.toml and the build's own metadata.toml: wrong ones are no errors of the export itself. */
static bool read_inputs(struct export *export, struct node **project, struct err *err)
{
	struct lifecycle *life = export->life;
	const char *path =
		path_join(export->arena, life->options.layers_dir, "config/metadata.toml");
	struct node *toml = NULL;

	*project = NULL;
	life->exit_code = CNB_EXIT_FAILED;
	if (life->options.project_metadata &&
	    (!foreign_toml(life->options.project_metadata, export->arena, project, err) ||
	     !project_metadata_check(*project, err)))
		return err_prefix(err, "failed to read project metadata file");
	life->exit_code = CNB_EXIT_EXPORT;
	if (!life->has_run_image || life->run_image.config.diff_ids.n == 0)
		return err_set(err, ERR_INVALID, "cannot read run image '%s', or it has no layers",
			       life->run_image_name);
	if (!foreign_is_dir_below(life->options.layers_dir, "config", export->arena) ||
	    !foreign_toml(path, export->arena, &toml, err))
		return err_prefix(err, "cannot read metadata of the build");
	if (!toml)
		return err_set(err, ERR_INVALID, "the build left no metadata.toml");
	return build_metadata_read(toml, export->arena, &life->metadata, err);
}

bool lifecycle_export(struct lifecycle *life, struct err *err)
{
	struct export export = { .life = life, .arena = life->arena };
	struct pairs labels = { 0 };
	struct err problem = { 0 };
	struct node *project;

	if (!read_inputs(&export, &project, err))
		return false;
	add_extended(&export);
	for (size_t i = 0; i < life->group.n; i++)
		if (!add_buildpack(&export, &life->group.v[i], err))
			return false;
	name_run_image(&export);
	if (!add_sbom(&export, err) || !add_app(&export, err) || !add_launcher(&export, err) ||
	    !make_labels(&export, project, &labels, err) || !save(&export, &labels, err) ||
	    !lifecycle_write_report(life, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	/* The image is there; without a cache the next build only takes longer. */
	if (life->options.cache_dir && !export_cache(&export, &problem))
		build_log_warn("Failed to export cache: %s", problem.text);
	return true;
}
