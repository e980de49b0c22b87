/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h — how the `check` functions of the kinds say what is wrong: a text in knative's form
 * ("<message>: <path>", details on a second line) at the place in the manifest that the path names.
 * The path is followed through the document only when something is wrong, so that the structs need
 * not carry a position per field.
 */
#ifndef MODEL_KIND_CHECK_H
#define MODEL_KIND_CHECK_H

#include "model/kind/image.h"

struct checker {
	const struct object *object;
	struct arena *arena;
	struct diags *diags;
};

/*
 * The node that a path names ("spec.build.env[0].name", "data[a.b]"), or the nearest one above it
 * that is there. *exact tells which.
 */
const struct node *check_locate(const struct node *document, const char *path, bool *exact);

/* An error at `path`; the text is `fmt` alone and should name the path itself. */
void check_fail(const struct checker *c, const char *path, const char *fmt, ...) PRINTF(3, 4);
void check_warn(const struct checker *c, const char *path, const char *fmt, ...) PRINTF(3, 4);

/* "invalid value: <value>: <path>", then the details on their own line when not NULL. */
void check_invalid(const struct checker *c, const char *path, const char *value,
		   const char *details);
/* "missing field(s): <path>" when value is NULL or empty; true when it is there. */
bool check_present(const struct checker *c, const char *path, const char *value);
/* The same for fields that the table requires: it has already spoken of absent ones, so only "" is
 * said here. */
bool check_filled(const struct checker *c, const char *path, const char *value);
/* A tag to push to: a reference without digest. NULL and "" pass. */
void check_tag(const struct checker *c, const char *path, const char *value);
/* Any image reference. NULL and "" pass. */
void check_image(const struct checker *c, const char *path, const char *value);
/* serviceAccountRef: absent, or both name and namespace. */
void check_account_ref(const struct checker *c, const char *path, const struct object_ref *ref);
/* Limits and requests as written, where `cpu: 1` is a quantity too: as texts, and whether they are quantities. */
struct pairs check_quantities_read(const struct checker *c, const char *path,
				   const struct node *written);
void check_quantities(const struct checker *c, const char *path, const struct pairs *pairs);
/* host[:port][/path] of a setting; `may_be_wild`: "*." may stand for subdomains. NULL passes. */
void check_location(const struct checker *c, const char *path, const char *text, bool may_be_wild);
/* As names of all kinds but Image must be: a DNS subdomain. */
bool check_name_is_valid(const char *name);
/* A label: at most 63 lower case letters, digits or '-'. */
bool name_is_label(const char *name);
/* metadata.name and metadata.namespace. */
void check_names(const struct checker *c);

/* settings_streams.c: `streams` of Settings. */
struct settings_streams;
void settings_streams_adapt(struct settings_streams *streams, const struct checker *c);
void settings_streams_check(const struct settings_streams *streams, const struct checker *c);

/* image_convert.c: the annotations of a converted v1alpha1 Image into its fields. */
void image_convert(const struct checker *c, struct image_spec *spec);

#endif
