/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_command.h — shared by the commands that change manifests: what they say, as kp says it, and their end. With -o json
 * or yaml the documents are the result, and the progress goes to stderr.
 */
#ifndef RECONCILE_EDIT_COMMAND_H
#define RECONCILE_EDIT_COMMAND_H

#include "reconcile/manifest.h"

/* A line with " (dry run)" behind it where it is one. */
void edit_say(struct context *context, const char *fmt, ...) PRINTF(2, 3);
/* A line as it is. */
void edit_note(struct context *context, const char *fmt, ...) PRINTF(2, 3);
/* Shows what was said so far: what comes next takes long. */
void edit_flush(struct context *context);
/* Images go to registries: no dry run, or kp's dry run with image upload. */
bool edit_uploads(const struct context *context);

struct relocator;
struct source_upload;
struct edit_result {
	struct manifests *all;
	struct relocator *relocator;        /* NULL: no image is copied */
	const struct source_upload *source; /* NULL: no source is uploaded */
	const struct manifest_id *waited;   /* what --wait builds; NULL: nothing */
	const struct declared *const *shown;
	size_t n_shown;
	const char *what; /* said at the end; NULL: nothing */
};
/*
 * Checks, copies images and uploads the source, writes, prints the documents with -o, says what was done; with --wait runs the
 * main job for it. An exit code.
 */
int edit_finish(const struct edit_result *result);

/* Say why and give an exit code. */
int edit_absent(const struct context *context, const struct manifest_id *id);
int edit_exists(const struct manifest_id *id, const struct declared *manifest);

#endif
