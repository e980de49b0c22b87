/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_edit.h — what the options of `image create`, `patch` and `save` mean for the document of an Image. Flags, rules and
 * the texts of mistakes are kp's (kpack.md §5.3); what may not change is said as kpack's admission says it (§2.4).
 */
#ifndef RECONCILE_IMAGE_EDIT_H
#define RECONCILE_IMAGE_EDIT_H

#include "reconcile/manifest.h"

/* Rules between options alone. `is_new`: exactly one source, else at most one. */
MUST_CHECK bool image_options_check(const struct image_options *options, bool is_new,
				    struct err *err);
/* apiVersion, kind, metadata and the tag; image_edit does the rest. */
struct node *image_document(const char *name, const char *ns, const char *tag, struct arena *arena);
/* Changes the document at manifest->at. */
MUST_CHECK bool image_edit(struct manifest *manifest, const struct image_options *options,
			   struct err *err);

#endif
