/* SPDX-License-Identifier: Apache-2.0 */
/* build_output.c — in the order in which the reference reads them, so that the first mistake is the same. */
#include "buildexec/cnb/guest/build_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "buildexec/cnb/guest/env_dir.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/value.h"

struct layer {
	const char *name, *path;
	struct layer_file file;
};
struct layers {
	struct layer *v;
	size_t n, cap;
};

static bool read_layer(struct guest *guest, const char *dir, const char *file, struct api api,
		       struct layer *out, struct err *err)
{
	const char *path = io_join(guest->arena, dir, file);
	struct node *tree;

	out->name = arena_copy(guest->arena, file, strlen(file) - strlen(".toml"));
	out->path = io_join(guest->arena, dir, out->name);
	/* A link to nothing says nothing. */
	if (!io_read_toml_if_any(path, guest->arena, &tree, NULL, err))
		return err_prefix(err, "cannot read the layer's metadata");
	if (!layer_file_decode(tree, api, &out->file, err))
		return err_prefix(err, "cannot read the layer's metadata: %s", path);
	if (out->file.has_ignored_types)
		say(&guest->speaker, SAY_WARN,
		    "%s: the types table isn't supported in this buildpack api version. The "
		    "launch, "
		    "build and cache flags should be in the top level. Ignoring the values in the "
		    "types table.",
		    path);
	return true;
}

/* A layer for nothing is put aside, so that a later build does not take it for a restored one. */
static bool put_aside(struct guest *guest, const struct layer *layer, struct api api,
		      struct err *err)
{
	const struct layer_file *file = &layer->file;
	const char *aside = arena_printf(guest->arena, "%s.ignore", layer->path);

	if (!api_at_least(api, 6) || file->is_build || file->is_launch || file->is_cache ||
	    rename(layer->path, aside) == 0 || errno == ENOENT)
		return true;
	return err_sys(err, errno, "cannot put layer '%s' aside", layer->path);
}

/* Every *.toml is a layer's, launch.toml and the like too: they carry no flags. */
static bool read_layers(struct guest *guest, const char *dir, struct api api, struct layers *out,
			struct err *err)
{
	struct io_entries entries;

	*out = (struct layers){ 0 };
	if (!io_list(dir, guest->arena, &entries, err))
		return false;
	for (size_t i = 0; i < entries.n; i++) {
		const char *name = entries.v[i].name;
		size_t n = strlen(name);
		struct layer layer;

		if (entries.v[i].is_dir || n < 5 || strcmp(name + n - 5, ".toml") != 0)
			continue;
		if (!read_layer(guest, dir, name, api, &layer, err) ||
		    !put_aside(guest, &layer, api, err))
			return false;
		vec_push(guest->arena, out, layer);
	}
	return true;
}

static bool add_variables(struct guest *guest, const struct layers *layers, struct api api,
			  struct env *env, struct err *err)
{
	enum env_default when_plain = env_default_of(api);

	for (size_t i = 0; i < layers->n; i++) {
		const char *path = layers->v[i].path;

		if (!layers->v[i].file.is_build)
			continue;
		if (!env_dir_apply_roots(env, path, env_build_roots, err) ||
		    !env_dir_apply(env, io_join(guest->arena, path, "env"), when_plain, err) ||
		    !env_dir_apply(env, io_join(guest->arena, path, "env.build"), when_plain, err))
			return false;
	}
	return true;
}

/* build.toml: what the buildpack leaves to the next provider, and BOM tables. */
static bool read_build(struct guest *guest, struct build_step *step, struct build_result *result,
		       struct err *err)
{
	struct node *tree;

	return io_read_toml_if_any(io_join(guest->arena, step->dir, "build.toml"), guest->arena,
				   &tree, NULL, err) &&
	       boms_decode(tree, &step->descriptor->element, guest->arena, &result->build_boms,
			   err) &&
	       buildpack_plan_met(tree, &step->requires, guest->arena, &step->met, err);
}

/* Before Buildpack API 0.5 there is no build.toml: what stays in the plan file is met, and is the bill of materials. */
static bool read_plan(struct guest *guest, struct build_step *step, struct build_result *result,
		      struct err *err)
{
	struct plan_requires left;
	struct node *tree;

	if (!io_read_toml_if_any(step->plan_path, guest->arena, &tree, NULL, err) ||
	    !buildpack_plan_decode(tree, guest->arena, &left, err))
		return err_prefix(err, "cannot read the buildpack plan");
	boms_add(&result->metadata.boms, &left, &step->descriptor->element, guest->arena);
	for (size_t i = 0; i < left.n; i++)
		vec_push(guest->arena, &step->met, left.v[i].name);
	return true;
}

static void add_sbom(struct guest *guest, const struct build_step *step, const char *file,
		     const char *kind, const char *layer, struct build_result *result)
{
	vec_push(guest->arena, &result->sboms,
		 (struct sbom_copy){ io_join(guest->arena, step->dir, file),
				     arena_printf(guest->arena, "%s/%s/%s%s%s", kind,
						  bp_folder(step->element.id, guest->arena), layer,
						  *layer ? "/" : "", sbom_name(file, NULL)) });
}

static bool check_sbom(const struct build_step *step, const char *file, struct err *err)
{
	const char *media_type;

	if (!sbom_name(file, &media_type))
		return err_set(err, ERR_INVALID, "unsupported SBOM file format: '%s/%s'", step->dir,
			       file);
	if (!sbom_is_declared(&step->descriptor->sbom_formats, media_type))
		return err_set(
			err, ERR_INVALID,
			"SBOM file '%s/%s' of buildpack '%s@%s': undeclared SBOM media type: '%s'",
			step->dir, file, step->element.id, step->element.version, media_type);
	return true;
}

static const struct layer *layer_named(const struct layers *layers, const char *name)
{
	for (size_t i = 0; i < layers->n; i++)
		if (strcmp(layers->v[i].name, name) == 0)
			return &layers->v[i];
	return NULL;
}

static bool take_sbom(struct guest *guest, const struct build_step *step, const char *file,
		      const struct layers *layers, struct build_result *result, struct err *err)
{
	const char *name = arena_copy(guest->arena, file, strcspn(file, "."));
	bool is_whole = strcmp(name, "launch") == 0 || strcmp(name, "build") == 0;
	const struct layer *layer = layer_named(layers, name);

	if (!is_whole && !layer)
		return true;
	if (!check_sbom(step, file, err))
		return false;
	if (is_whole) {
		add_sbom(guest, step, file, name, "", result);
		return true;
	}
	add_sbom(guest, step, file, layer->file.is_launch ? "launch" : "build", name, result);
	if (layer->file.is_cache)
		add_sbom(guest, step, file, "cache", name, result);
	return true;
}

static bool read_sboms(struct guest *guest, const struct build_step *step,
		       const struct layers *layers, struct build_result *result, struct err *err)
{
	struct io_entries entries;

	if (!io_list(step->dir, guest->arena, &entries, err))
		return false;
	for (size_t i = 0; i < entries.n; i++) {
		const char *name = entries.v[i].name;

		if (!is_sbom_file(name))
			continue;
		if (!api_at_least(step->descriptor->api, 7))
			say(&guest->speaker, SAY_WARN,
			    "SBOM file '%s/%s' is ignored for buildpack api version < 0.7",
			    step->dir, name);
		else if (!take_sbom(guest, step, name, layers, result, err))
			return false;
	}
	return true;
}

static void warn_of_launch(struct guest *guest, const struct launch_file *file, bool has_sboms)
{
	for (size_t i = 0; i < file->ignored_defaults.n; i++)
		say(&guest->speaker, SAY_WARN,
		    "default processes aren't supported in this buildpack api version: 'default' "
		    "of "
		    "process '%s' is ignored",
		    file->ignored_defaults.v[i]);
	if (file->has_ignored_dir)
		say(&guest->speaker, SAY_WARN,
		    "process working directory isn't supported in this buildpack api version; it "
		    "is ignored");
	if (file->boms.n && !has_sboms)
		say(&guest->speaker, SAY_WARN,
		    "BOM tables are deprecated; buildpack authors should write SBOM files instead");
}

static bool read_launch(struct guest *guest, const struct build_step *step,
			struct build_result *result, struct err *err)
{
	const char *path = io_join(guest->arena, step->dir, "launch.toml"), *lost;
	struct launch_file file;
	struct node *tree;

	if (!io_read_toml_if_any(path, guest->arena, &tree, NULL, err) ||
	    !launch_file_decode(tree, step->descriptor, guest->arena, &file, err))
		return err_prefix(err, "%s", path);
	/* Processes carry the id of group.toml, whatever buildpack.toml says. */
	for (size_t i = 0; i < file.processes.n; i++)
		file.processes.v[i].buildpack_id = step->descriptor->element.id;
	/* The plan file was the bill of materials. */
	if (!api_at_least(step->descriptor->api, 5))
		file.boms.n = 0;
	warn_of_launch(guest, &file, result->sboms.n > 0);
	lost = launch_metadata_add(&result->metadata, &file, guest->arena);
	if (lost)
		say(&guest->speaker, SAY_WARN,
		    "redefining the following default process type with a process not marked as "
		    "default: %s",
		    lost);
	return true;
}

bool build_output_read(struct guest *guest, struct build_step *step, struct build_result *result,
		       struct err *err)
{
	struct api api = step->descriptor->api;
	struct layers layers;

	return read_layers(guest, step->dir, api, &layers, err) &&
	       add_variables(guest, &layers, api, step->env, err) &&
	       (api_at_least(api, 5) ? read_build : read_plan)(guest, step, result, err) &&
	       read_sboms(guest, step, &layers, result, err) &&
	       read_launch(guest, step, result, err);
}

bool build_output_copy_sboms(struct guest *guest, const struct build_result *result,
			     struct err *err)
{
	const char *sbom = io_join(guest->arena, guest->layers, "sbom");

	for (size_t i = 0; i < result->sboms.n; i++)
		if (!io_copy(result->sboms.v[i].from,
			     io_join(guest->arena, sbom, result->sboms.v[i].to), err))
			return false;
	return true;
}
