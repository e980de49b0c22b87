/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_look.h — one build by what people call it: "cart-12" (of a build config), "cart-build-3" (of an Image), "bc/cart" and
 * "image/cart" (their newest, or that of -b), and "cart" alone where only one of them has that name. Recorded state alone.
 */
#ifndef RECONCILE_BUILD_LOOK_H
#define RECONCILE_BUILD_LOOK_H

#include "model/kind/build_config_status.h"
#include "reconcile/look.h"

struct build_ref {
	const struct state_entry *owner; /* Image, BuildConfig or Build */
	int64_t number;                  /* 0: it has no builds yet */
};
typedef VEC(struct build_ref) build_ref_vec;

/* "cart-12", "cart-build-3" */
char *build_ref_name(const struct build_ref *ref, struct arena *arena);
/* "Build/shop/cart-12": as `why` and --only name other objects. */
char *build_ref_id(const struct build_ref *ref, struct arena *arena);
/* All that the history of an Image or a build config names, oldest first; of a Build its newest attempt. */
void build_refs_of(struct context *context, const struct state_entry *owner, build_ref_vec *out);
/* The newest build of the state's owner; number 0: none. */
struct build_ref build_newest(const struct state_entry *owner);

/* What a word is about: KIND_NONE where it does not say. */
struct build_word {
	enum kind kind; /* KIND_IMAGE, KIND_BUILD_CONFIG: all builds of it; KIND_BUILD; KIND_NONE */
	const char *ns; /* NULL: as -n says */
	const char *name;
};
/* "[KIND/[NS/]]NAME"; oc's "build.build.openshift.io/NAME" too. ERR_INVALID for kinds without builds. */
MUST_CHECK bool build_word_parse(const char *word, struct arena *arena, struct build_word *out,
				 struct err *err);

/* The Image or build config that a word names. False after saying that there is none, or several. */
MUST_CHECK bool build_owner_find(struct context *context, const struct build_word *word,
				 const struct state_entry **out);
/* The build that a word names: by its own name, or the newest, or -b, of what has that name. False after saying why not. */
MUST_CHECK bool build_find(struct context *context, const struct build_word *word,
			   struct build_ref *out);

/* The record of a build config's build. *document NULL: it lies there no more. */
MUST_CHECK bool build_read_config(struct context *context, const struct build_ref *ref,
				  struct bc_build *out, const struct node **document,
				  struct err *err);

#endif
