/* SPDX-License-Identifier: Apache-2.0 */
/* analyze.c — the first phase: what was built before, and what will the new image stand on? See lifecycle.h. */
#include <fcntl.h>
#include <string.h>

#include "buildexec/cnb/lifecycle.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/toml.h"

/* An image that is not there, or a label that cannot be read, is no failure: nothing is known then. */
static bool read_previous(struct lifecycle *life, struct err *err)
{
	const char *name =
		life->options.previous_image ? life->options.previous_image : life->options.image;
	struct platform any = platform_host();
	struct err problem = { 0 };
	const char *label;
	struct node *json;
	struct ref ref;

	if (!ref_parse(name, life->arena, &ref, err))
		return false;
	if (!registry_read_image(life->registry, &ref, &any, life->arena, &life->previous,
				 &problem)) {
		if (problem.kind == ERR_ABSENT) {
			build_log_say("Image with name \"%s\" not found", name);
			return true;
		}
		if (problem.kind == ERR_INVALID) {
			build_log_say("Ignoring image \"%s\": %s", name, problem.text);
			return true;
		}
		*err = problem;
		return false;
	}
	life->has_previous = true;
	label = pairs_get(&life->previous.config.labels, LABEL_LIFECYCLE_METADATA);
	if (!label)
		return true;
	if (!json_parse(label, strlen(label), life->arena, &json, &problem) ||
	    !app_metadata_decode(json, life->arena, &life->previous_metadata, &problem)) {
		build_log_say("Ignoring metadata of image \"%s\": %s", name, problem.text);
		life->previous_metadata = (struct app_metadata){ 0 };
		life->has_previous = false;
	}
	return true;
}

static bool read_run_image(struct lifecycle *life, const char *name, struct err *err)
{
	struct platform want = platform_host();
	struct ref ref;

	if (!ref_parse(name, life->arena, &ref, err))
		return false;
	if (!registry_read_image(life->registry, &ref, &want, life->arena, &life->run_image, err))
		return false;
	life->has_run_image = true;
	life->run_image_name = name;
	return true;
}

/* The image that was given; else the first of run.toml, from the place that can be read and is nearest. */
static bool choose_run_image(struct lifecycle *life, struct err *err)
{
	struct err problem = { 0 };
	struct strings names;
	struct ref ref;
	bool is_read;

	if (life->options.run_image) {
		is_read = read_run_image(life, life->options.run_image, &problem);
		life->run_image_name = life->options.run_image_name ? life->options.run_image_name
								    : life->options.run_image;
		if (is_read)
			return true;
		/* Noticed at the latest when it is needed: by the export. */
		if (problem.kind == ERR_ABSENT)
			return true;
		*err = problem;
		return false;
	}
	if (life->run_images.n == 0) {
		life->exit_code = CNB_EXIT_ARGUMENTS;
		return err_set(err, ERR_INVALID,
			       "a run image must be given: the builder names none");
	}
	if (!ref_parse(life->options.image, life->arena, &ref, err))
		return false;
	names = run_image_candidates(&life->run_images.v[0], ref.registry, life->arena);
	for (size_t i = 0; i < names.n; i++) {
		problem = (struct err){ 0 };
		if (read_run_image(life, names.v[i], &problem))
			return true;
	}
	/* As above: an image that is not there is the export's matter. */
	life->run_image_name = names.v[0];
	if (problem.kind == ERR_ABSENT)
		return true;
	life->exit_code = CNB_EXIT_ARGUMENTS;
	*err = problem;
	return err_prefix(err, "cannot read run image '%s' nor any of its mirrors",
			  life->run_images.v[0].image);
}

static struct node *build_image(const struct lifecycle *life)
{
	const struct remote_image *image = life->container.image;
	struct node *out = node_new(life->arena, NODE_MAP);

	node_set_text(life->arena, out, "reference",
		      ref_pinned(&image->ref, image->desc.digest, life->arena));
	node_set(life->arena, out, "extend",
		 node_bool(life->arena, extend_is_due(&life->dockerfiles, EXTEND_BUILD)));
	return out;
}

bool lifecycle_write_analyzed(struct lifecycle *life, struct err *err)
{
	struct arena *arena = life->arena;
	struct node *root = node_new(arena, NODE_MAP), *image = node_new(arena, NODE_MAP);
	struct node *run = node_new(arena, NODE_MAP);
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);
	struct target target = { .os = "linux", .arch = platform_host().arch };

	if (life->has_run_image)
		target = target_of(&life->run_image.config);
	node_set(arena, image, "reference",
		 node_string(arena, life->has_previous
					    ? ref_pinned(&life->previous.ref,
							 life->previous.desc.digest, arena)
					    : ""));
	node_set(arena, root, "image", image);
	node_set(arena, run, "reference",
		 node_string(arena, life->run_reference ? life->run_reference : ""));
	if (cnb_api_at_least(life->options.platform_api, 12)) {
		node_set_text(arena, run, "image", life->run_image_name);
		node_set(arena, run, "target", target_encode(&target, arena));
	}
	if (life->dockerfiles.n > 0)
		node_set(arena, run, "extend",
			 node_bool(arena, extend_is_due(&life->dockerfiles, EXTEND_RUN)));
	node_set(arena, root, "run-image", run);
	if (life->dockerfiles.n > 0 && life->container.image)
		node_set(arena, root, "build-image", build_image(life));
	toml_print(root, &text);
	return fs_write_atomic(AT_FDCWD,
			       path_join(arena, life->options.layers_dir, "analyzed.toml"),
			       buf_text(&text), text.len, 0644, false, err);
}

static bool settle_run_image(struct lifecycle *life, struct err *err)
{
	const char *os = life->run_image.config.platform.os;

	life->run_reference =
		ref_pinned(&life->run_image.ref, life->run_image.top_digest, life->arena);
	if (!os || !os[0])
		return err_set(err, ERR_INVALID, "the config of run image '%s' names no os",
			       life->run_image_name);
	return image_check_layers(&life->run_image, err);
}

bool lifecycle_take_run_image(struct lifecycle *life, const char *name, struct err *err)
{
	return read_run_image(life, name, err) && settle_run_image(life, err);
}

bool lifecycle_analyze(struct lifecycle *life, struct err *err)
{
	life->exit_code = CNB_EXIT_ANALYZE;
	if (!choose_run_image(life, err) || !read_previous(life, err))
		return false;
	if (life->has_run_image && !settle_run_image(life, err))
		return false;
	if (!lifecycle_write_analyzed(life, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	return true;
}
