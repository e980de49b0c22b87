/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h — shared by the commands that look at recorded state: finding objects by namespace and name, and giving a result
 * as text, JSON or YAML.
 */
#ifndef RECONCILE_LOOK_H
#define RECONCILE_LOOK_H

#include "model/doc/node.h"
#include "reconcile/context.h"

struct entries {
	const struct state_entry **v;
	size_t n, cap;
};
/* Of a kind, in the namespace of -n (all with -A; cluster kinds have none), by name. */
void look_list(struct context *context, enum kind kind, struct entries *out);
/* One by name; NULL after saying that it is not there, with a suggestion. */
const struct state_entry *look_one(struct context *context, enum kind kind, const char *name);
/* The recorded file of an entry as a tree; NULL after saying why not. */
const struct node *look_document(struct context *context, const struct state_entry *entry);
/*
 * The manifests of --manifests, or of the folder we are in where that is a folder of manifests: nobody's home is searched for
 * them. NULL: they are not at hand. Mistakes in them are `validate`'s business.
 */
const struct model *look_manifests(struct context *context);

/* -o json or yaml: prints and returns true. */
bool look_print(struct context *context, const struct node *document);
/* The same of what is recorded, and -o name: as --only and `why` take it. A list becomes {apiVersion: v1, kind: List, items}. */
bool look_print_one(struct context *context, const struct state_entry *entry);
bool look_print_list(struct context *context, const struct entries *entries);
/* -o json or yaml. */
bool look_is_document(const struct context *context);
/* {apiVersion: v1, kind: List, items} */
struct node *look_items(struct context *context, struct node *items);

/* A line of one of oc's tables, before it is aligned: cells of foreign text, cleaned; NULL: the column is not shown. */
void look_row(const char *const *cells, size_t n, struct buf *rows);

/* "2026-11-22 03:14:55", "--" for 0. */
char *look_time(struct context *context, int64_t unix_s);

/* kp's table of buildpacks; nothing for an empty list. `buildpacks`: struct buildpack_id. */
void look_buildpacks(struct context *context, const struct list *buildpacks);
/* Those of a build: id and version, as in the requirement document; the homepage with -o wide. */
void look_used_buildpacks(struct context *context, const struct list *buildpacks);

#endif
