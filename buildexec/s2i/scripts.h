/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scripts.h — where a build's scripts come from. For each: the URL of the spec, .s2i/bin (or the old .sti/bin) of the
 * source, the URL that the image says. Scripts of an image stay where they are; others are moved or fetched into a folder
 * that is put into the container. Spec: source-to-image docs/builder_image.md (openshift.md §4.1).
 */
#ifndef BUILDEXEC_S2I_SCRIPTS_H
#define BUILDEXEC_S2I_SCRIPTS_H

#include "buildexec/s2i/container.h"

enum script_kind {
	SCRIPT_ASSEMBLE,
	SCRIPT_RUN,
	SCRIPT_SAVE_ARTIFACTS,
	SCRIPT_ASSEMBLE_RUNTIME,
	SCRIPT_KINDS
};

struct script {
	bool is_found, is_external; /* external: in `dir`, and not in the image */
	const char *path;           /* in the image, of one that is there */
};

struct scripts {
	const struct s2i_spec *spec;
	const struct rootfs *source; /* the source as a tree of its own */
	const struct container *builder;
	const struct container *runtime; /* NULL: none, and no assemble-runtime */
	const char *dir;                 /* of external scripts, on this machine; exists */
	struct script v[SCRIPT_KINDS];
	bool has_url_script; /* one at least was found at the spec's URL */
};

const char *script_name(enum script_kind kind); /* "save-artifacts" */
/* Finds all that there are; *reason is set with an err: no script at the URL at all, a required one nowhere. */
MUST_CHECK bool scripts_find(struct scripts *scripts, enum s2i_reason *reason, struct err *err);
/* What an image says of its scripts' place, or NULL. */
const char *scripts_url(const struct container *container);
/* "image:///usr/libexec/s2i" → "/usr/libexec/s2i"; NULL for other schemes. */
const char *scripts_image_dir(const char *url);

#endif
