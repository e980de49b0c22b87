/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object_edit.h — one object of the manifests that is being created or changed: the steps that all kinds share, and by kind
 * what the options of its commands mean for its document. Flags, rules and texts are kp's (kpack.md §5.3, §5.5).
 */
#ifndef RECONCILE_OBJECT_EDIT_H
#define RECONCILE_OBJECT_EDIT_H

#include "reconcile/kp_config.h"
#include "reconcile/manifest.h"
#include "reconcile/relocate.h"
#include "reconcile/source_upload.h"

/* What kpack composes with where nothing else is said; `lifecycle patch` without a name is about it, as with older kp. */
#define DEFAULT_LIFECYCLE "default-lifecycle"

struct object_edit {
	struct context *context;
	struct manifests *all;
	struct manifest_id id;
	struct declared *manifest;
	struct relocator *relocator;
	struct source_upload *source; /* of an image; filled in when its files are to be uploaded */
	const struct kp_config *config;
	struct edit_path spec;
	bool is_new;
	struct err *err;
};
/* With everything but err filled in from the first four. */
void object_edit_begin(struct object_edit *e, struct declared *manifest, bool is_new);

struct edit_path object_path(const struct object_edit *e, const char *first, const char *second);
const struct node *object_node(const struct object_edit *e, const char *first, const char *second);
/* NULL text: nothing is done. */
MUST_CHECK bool object_set(const struct object_edit *e, const struct edit_path *path,
			   const char *text);
MUST_CHECK bool object_put(const struct object_edit *e, const struct edit_path *path,
			   const struct node *value);
MUST_CHECK bool object_append(const struct object_edit *e, const struct edit_path *list,
			      const struct node *item);
MUST_CHECK bool object_remove(const struct object_edit *e, const struct edit_path *path);

typedef bool match_fn(const struct node *item, const void *wanted);
bool object_find_item(const struct object_edit *e, const struct edit_path *list, match_fn *matches,
		      const void *wanted, size_t *index);
/* Takes an item away; with the last one its list goes, and a mapping around it that held nothing else. */
MUST_CHECK bool object_remove_item(const struct object_edit *e, const struct edit_path *list,
				   size_t index);

/* By kind, in the form of the table in cmd_object_edit.c. Options come from e->context. */
typedef bool object_check_fn(struct context *context, bool is_new, struct err *err);
typedef bool object_edit_fn(struct object_edit *e);
object_check_fn image_options_check, builder_options_check, stack_options_check,
	store_options_check, part_options_check;
object_edit_fn image_edit, builder_edit, stack_edit, store_edit, part_edit;

/* `clusterstore remove`: says what it removes. */
MUST_CHECK bool store_remove(struct object_edit *e);

/* What import has instead of options. */
struct stack_images {
	const char *build, *run;
};
MUST_CHECK bool stack_put(struct object_edit *e, const struct stack_images *images);
MUST_CHECK bool store_add(struct object_edit *e, const char *image);
MUST_CHECK bool part_put(struct object_edit *e, const char *image);
struct builder_parts {
	const char *tag, *stack, *store;
	const struct node *order; /* NULL: as it is */
};
MUST_CHECK bool builder_put(struct object_edit *e, const struct builder_parts *parts);
/* serviceAccountRef of a new cluster object, as kp-config says; `is_needed`: also when there is no kp-config. */
MUST_CHECK bool object_put_account(struct object_edit *e, bool is_needed);
/* "<repository>:clusterbuilder-<name>"; NULL without a default repository. */
const char *builder_default_tag(const struct object_edit *e);

#endif
