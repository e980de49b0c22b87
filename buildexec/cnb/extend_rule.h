/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extend_rule.h — what Dockerfiles of image extensions may say, and what they ask for. Pure.
 * Spec: buildpacks/spec image_extension.md "Dockerfile Requirements", "extend-config.toml"; platform.md "Detector" (which run
 * image), "Extender". Where they leave something open, it is as the reference has it.
 */
#ifndef BUILDEXEC_CNB_EXTEND_RULE_H
#define BUILDEXEC_CNB_EXTEND_RULE_H

#include "buildexec/engine/dockerfile.h"
#include "model/base/vec.h"
#include "model/doc/node.h"

enum extend_kind { EXTEND_BUILD, EXTEND_RUN, EXTEND_KINDS };
/* "build", "run" */
const char *extend_kind_name(enum extend_kind kind);

/* A Dockerfile that an extension wrote. */
struct extend_file {
	enum extend_kind kind;
	const char *id, *version; /* of the extension */
	const char *context;      /* a folder of its own; NULL: the application */
	struct dockerfile text;
	struct pairs args;    /* of extend-config.toml, those for this kind */
	const char *new_base; /* run: another image than the one there is; NULL: that one */
	bool has_changes;     /* something stands behind FROM */
	bool is_ignored; /* run: a later one takes another run image, so it would have no effect */
};
struct extend_files {
	struct extend_file *v; /* in the order of the group */
	size_t n, cap;
};

/*
 * Fills new_base and has_changes from kind and text. ERR_INVALID for what the specification forbids; for what it advises
 * against a line of `warnings`.
 */
MUST_CHECK bool extend_file_check(struct extend_file *file, struct arena *arena,
				  struct strings *warnings, struct err *err);
/* The arguments of a kind in extend-config.toml; `toml` NULL: none. ERR_INVALID for a wrong form, and for names that are ours to set. */
MUST_CHECK bool extend_config_read(const struct node *toml, enum extend_kind kind,
				   struct arena *arena, struct pairs *out, struct err *err);
/* The file whose image is the run image; NULL: it stays. Sets is_ignored of those before it. */
const struct extend_file *extend_choose_run(struct extend_files *files);
/* Is there something to be done to the image of this kind? */
bool extend_is_due(const struct extend_files *files, enum extend_kind kind);

/* Does a Dockerfile have an ARG of that name? */
bool extend_declares(const struct dockerfile *file, const char *name);
/* By the label io.buildpacks.rebasable; an image that does not say so is not. */
bool extend_is_rebasable(const struct pairs *labels);
/* "1000:1000": the parts of an image's USER; "" where there is none. */
void extend_split_user(const char *user, struct arena *arena, const char **uid, const char **gid);
bool extend_is_root(const char *uid);
/*
 * Adds the history texts of the `n` layers that a file gave ("Layer: 'RUN make', Created by extension: a/b"): each of its
 * instruction where they are as many as instructions that make layers, else of the file as a whole.
 */
void extend_name_layers(const struct extend_file *file, size_t n, struct arena *arena,
			struct strings *out);
/* A UUID (RFC 9562, version 8) that is the same for the same text. */
const char *extend_uuid(const char *text, struct arena *arena);

#endif
