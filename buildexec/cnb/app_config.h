/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_config.h — the config of an application image made from its run image's: environment, entrypoint, labels, history.
 * Pure. Spec: buildpacks/spec platform.md "Exporter"; exact order of everything: cnb.md §1.6.
 */
#ifndef BUILDEXEC_CNB_APP_CONFIG_H
#define BUILDEXEC_CNB_APP_CONFIG_H

#include "model/oci/image.h"

/* When nobody asks for another time: 1980-01-01T00:00:01Z, of layers and of the image. */
#define CNB_CREATED_S 315532801

struct app_layer {
	const char *diff_id;
	const char *created_by; /* text of the history */
};

struct app_config_spec {
	const struct image_config *base;
	const char *app_dir, *layers_dir; /* inside the container */
	const char *platform_api;
	const char *process;        /* default process type; NULL: the launcher itself */
	const struct pairs *labels; /* in order of definition: later ones win */
	const struct app_layer *layers;
	size_t n_layers;
	int64_t created_s;
};

/* Texts are lent from the spec or live in the arena. */
void app_config_make(const struct app_config_spec *spec, struct arena *arena,
		     struct image_config *out);

/* Replaces in place, else appends. */
void app_config_set_label(struct arena *arena, struct pairs *labels, const char *key,
			  const char *value);
/* A label's JSON, as Go's encoder writes it. */
const char *app_config_label_text(const struct node *json, struct arena *arena);
/* created of the image and of each history entry. */
void app_config_stamp(struct image_config *config, int64_t created_s, struct arena *arena);
/* n entries without text, of the image's time. */
void app_config_blank_history(struct image_config *config, size_t n, struct arena *arena);

#endif
