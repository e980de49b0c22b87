/* SPDX-License-Identifier: Apache-2.0 */
/* rebase.c — an application on another base: manifests and configs only, no layer of the application moves. */
#include <string.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/cnb/rebase_rule.h"
#include "buildexec/sys/build_log.h"
#include "model/doc/json.h"

static bool read_app(struct lifecycle *life, struct err *err)
{
	const char *name =
		life->options.previous_image ? life->options.previous_image : life->options.image;
	struct platform want = platform_host();
	struct ref ref;

	if (!ref_parse(name, life->arena, &ref, err) ||
	    !registry_read_image(life->registry, &ref, &want, life->arena, &life->previous, err))
		return err_prefix(err, "cannot read the image to rebase");
	life->has_previous = true;
	return true;
}

/* The run image that was given, else the nearest of those that the label names. */
static bool read_base(struct lifecycle *life, struct err *err)
{
	const char *label = pairs_get(&life->previous.config.labels, LABEL_LIFECYCLE_METADATA);
	const struct platform *want =
		&life->previous.config.platform; /* the application's, not ours */
	struct app_metadata metadata = { 0 };
	struct strings names = { 0 };
	struct node *json;
	struct ref ref;

	if (life->options.run_image) {
		vec_push(life->arena, &names, life->options.run_image);
	} else {
		if (!label || !json_parse(label, strlen(label), life->arena, &json, err) ||
		    !app_metadata_decode(json, life->arena, &metadata, err) ||
		    !ref_parse(life->options.image, life->arena, &ref, err))
			return err->kind ? false
					 : err_set(err, ERR_INVALID,
						   "a run image must be given: the image has no "
						   "metadata that names one");
		names = run_image_candidates(metadata.run_image.image ? &metadata.run_image
								      : &metadata.stack,
					     ref.registry, life->arena);
	}
	for (size_t i = 0; i < names.n; i++) {
		*err = (struct err){ 0 };
		if (ref_parse(names.v[i], life->arena, &ref, err) &&
		    registry_read_image(life->registry, &ref, want, life->arena, &life->run_image,
					err)) {
			life->run_image_name = life->options.run_image_name
						       ? life->options.run_image_name
						       : names.v[i];
			life->has_run_image = true;
			return true;
		}
	}
	if (names.n == 0)
		return err_set(err, ERR_INVALID, "a run image must be given: the image names none");
	return err_prefix(err, "cannot read run image");
}

static bool save(struct lifecycle *life, const struct rebased *rebased, struct err *err)
{
	struct image_draft base, app, draft;
	struct arena *arena = life->arena;

	image_draft_init(&base, &life->run_image, arena);
	image_draft_find(&base, &life->previous);
	image_draft_init(&app, &life->previous, arena);
	draft = base;
	for (size_t i = rebased->n_old_base; i < app.layers.n; i++)
		vec_push(arena, &draft.layers, app.layers.v[i]);
	draft.config = rebased->config;
	draft.history.n = 0;
	for (size_t i = 0; i < draft.config.n_history; i++)
		vec_push(arena, &draft.history, draft.config.history[i]);
	draft.annotations = life->options.annotations;
	return lifecycle_push(life, &draft, err);
}

bool lifecycle_rebase(struct lifecycle *life, struct err *err)
{
	struct rebase_inputs inputs;
	struct rebased rebased;

	life->exit_code = CNB_EXIT_REBASE;
	if (!read_app(life, err) || !image_check_layers(&life->previous, err) ||
	    !read_base(life, err) || !image_check_layers(&life->run_image, err))
		return false;
	life->run_reference =
		ref_pinned(&life->run_image.ref, life->run_image.top_digest, life->arena);
	inputs = (struct rebase_inputs){
		.app = &life->previous.config,
		.base = &life->run_image.config,
		.base_name = life->run_image_name,
		.base_reference = life->run_reference,
		.platform_api = life->options.platform_api,
		.is_forced = life->options.is_forced,
		.is_base_given = life->options.is_base_given,
		.created_s = CNB_CREATED_S,
	};
	if (!rebase_decide(&inputs, life->arena, &rebased, err))
		return false;
	for (size_t i = 0; i < rebased.warnings.n; i++)
		build_log_warn("%s", rebased.warnings.v[i]);
	if (!save(life, &rebased, err) || !lifecycle_write_report(life, err))
		return false;
	life->exit_code = CNB_EXIT_OK;
	return true;
}
