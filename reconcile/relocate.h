/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relocate.h — kp's relocation: images of builder parts are copied to the default repository and named there by digest, so
 * that what a builder is made of stays. Decided first (who is where, asked of the registries), copied only when the manifests
 * have been found in order. Without a default repository images stay where they are and are named as given.
 */
#ifndef RECONCILE_RELOCATE_H
#define RECONCILE_RELOCATE_H

#include "reconcile/command_registry.h"

struct relocation {
	struct ref from, to; /* both by digest */
};
struct relocator {
	struct context *context;
	const char *repository;           /* NULL: none */
	struct command_registry registry; /* opened with the first question */
	VEC(struct relocation) uploads;
};
/* Opens nothing yet. */
void relocator_init(struct relocator *relocator, struct context *context, const char *repository);
void relocator_release(struct relocator *relocator);

/* What the manifest is to say for `image`; notes the copy and says where it goes. With --dry-run=offline nobody is asked. */
MUST_CHECK bool relocate(struct relocator *relocator, const char *image, const char **out,
			 struct err *err);
/* Copies what is not there yet. */
MUST_CHECK bool relocator_upload(struct relocator *relocator, struct err *err);
/* The stack id that both images carry. ERR_INVALID when there is none, or two. */
MUST_CHECK bool relocator_stack_id(struct relocator *relocator, const char *build_image,
				   const char *run_image, const char **out, struct err *err);

#endif
