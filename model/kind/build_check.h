/* SPDX-License-Identifier: Apache-2.0 */
/* build_check.h — what the two files of rules of BuildConfig and Build share. */
#ifndef MODEL_KIND_BUILD_CHECK_H
#define MODEL_KIND_BUILD_CHECK_H

#include "model/kind/build_config.h"
#include "model/kind/check.h"

/* How OpenShift speaks of images that are read and of those that are written. */
struct from_texts {
	const char *form, *syntax, *ns, *no_ns, *pull_spec, *kinds;
	bool may_be_image; /* an ImageStreamImage */
};
extern const struct from_texts FROM_TEXTS, TO_TEXTS;

/* "<why>: <path>" */
void check_refuse(const struct checker *c, const char *path, const char *why);
/* Kind, name and namespace of a reference to an image. */
void check_from(const struct checker *c, const char *path, const struct object_ref *from,
		const struct from_texts *texts);
void check_pull_secret(const struct checker *c, const char *strategy, const struct named *ref);
/* Exactly one, and the rules of that one. */
void check_strategy(const struct checker *c, const struct build_strategy *strategy);
/* Why a text with "://" is no URL, or has bytes that none has; NULL: nothing is wrong. */
const char *url_mistake(const char *text, struct arena *arena);

#endif
