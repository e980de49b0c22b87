/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.h — the kinds that manifests declare, as one table, and the object that every document
 * becomes. Group, version and field names are those of kpack.io (v1alpha1 and v1alpha2),
 * Kubernetes core and our own reconcile.dev/v1. Old kind names (CustomBuilder,
 * CustomClusterBuilder) and old spellings load as the new ones.
 */
#ifndef MODEL_KIND_KIND_H
#define MODEL_KIND_KIND_H

#include "model/base/map.h"
#include "model/doc/field.h"

enum kind {
	KIND_NONE,
	KIND_CLUSTER_STACK,
	KIND_CLUSTER_STORE,
	KIND_BUILDPACK,
	KIND_CLUSTER_BUILDPACK,
	KIND_CLUSTER_LIFECYCLE,
	KIND_BUILDER,
	KIND_CLUSTER_BUILDER,
	KIND_IMAGE,
	KIND_IMAGE_STREAM,
	KIND_IMAGE_STREAM_TAG,
	KIND_IMAGE_STREAM_MAPPING,
	KIND_IMAGE_STREAM_IMPORT,
	KIND_BUILD_CONFIG,
	KIND_BUILD,
	KIND_IMAGE_POLICY,
	KIND_IMAGE_REPOSITORY,
	KIND_DEPLOYMENT,
	KIND_STATEFUL_SET,
	KIND_DAEMON_SET,
	KIND_REPLICA_SET,
	KIND_JOB,
	KIND_CRON_JOB,
	KIND_POD,
	KIND_POD_TEMPLATE,
	KIND_REPLICATION_CONTROLLER,
	KIND_DEPLOYMENT_CONFIG,
	KIND_SECRET,
	KIND_SERVICE_ACCOUNT,
	KIND_CONFIG_MAP,
	KIND_SETTINGS,
	KINDS
};

struct meta {
	const char *name;
	const char *ns; /* "" for cluster kinds; "default" when a namespaced document names none */
	struct pairs labels, annotations;
	struct pos name_pos;
};

/* Where a reference is written that the spec keeps no place of, for what is said when it leads nowhere. */
struct place {
	const char *path; /* "spec.serviceAccountName" */
	struct pos pos;
};

struct object {
	enum kind kind;
	struct meta meta;
	const char *id; /* "Image/shop/cart", "ClusterStack/base": unique in a model */
	const struct source_file *file;
	struct pos pos;          /* of the document */
	const struct node *tree; /* as read; NULL once the loader has dropped it */
	struct place *places;
	size_t n_places;
	/* of the tags it pushes, in the spec's order, as model_link compares them */
	const char **tag_keys;
	size_t index; /* in model->objects, once linked */
	/* Workloads: the same one in a file before this (model_add); NULL: none. It has the record. */
	const struct object *twin_of;
	const char *api_version; /* as written: some rules differ in v1alpha1 */
	const void *spec; /* struct image_spec, builder_spec, … by kind; see the kind's header */
};

/* One row per kind. */
struct kind_info {
	const char *name;             /* "ClusterStack" */
	const char *group;            /* "kpack.io", "" for core */
	const char *const *versions;  /* accepted, NULL-terminated; the first is the one we print */
	const char *const *old_names; /* NULL-terminated or NULL */
	const char *const *words; /* of the command line, lower case, singular; NULL-terminated */
	bool is_cluster;          /* has no namespace */
	/*
	 * Only its image fields are ours: read by workload_decode, without table and schema, and unknown fields are nobody's
	 * mistake. May be declared in several files.
	 */
	bool is_workload;
	const char *const *more_versions; /* "extensions/v1beta1", NULL-terminated or NULL */
	bool is_core_too; /* OpenShift: the group-less v1 of its first versions names it as well */
	const char *state_folder; /* "images": below <namespace>/ or cluster/; NULL: has no state */
	/* of the `spec` mapping; whole-document kinds (Secret, …): of the document */
	const struct table *spec_table;
	bool is_whole; /* spec_table decodes the document, not its spec */
	/* Old forms made new and defaults that depend on several fields; `spec` is the decoded struct. May be NULL. */
	void (*adapt)(void *spec, const struct object *object, struct arena *arena,
		      struct diags *diags);
	/* Rules beyond the table (kpack.md §2.4 …): every mistake as a diagnostic, knative's texts. May be NULL. */
	void (*check)(const struct object *object, struct arena *arena, struct diags *diags);
	const char *doc;
};
const struct kind_info *kind_info(enum kind kind);
const char *kind_name(enum kind kind);
/* By apiVersion and kind as written; KIND_NONE when it is none of ours. */
enum kind kind_find(const char *api_version, const char *kind);
/* By a word of the command line: "image", "images", "Image", "clusterbuilder", "cb"… */
enum kind kind_by_word(const char *word);
/*
 * A kind of a later step or of a workload that is recognised but not reconciled yet (ImageStream,
 * BuildConfig, …).
 */
bool kind_is_known_elsewhere(const char *api_version, const char *kind);

/* "Image/shop/cart" or "ClusterStack/base" */
char *object_id(enum kind kind, const char *ns, const char *name, struct arena *arena);
/* knative ChildName: parent + suffix in at most 63 characters (kpack.md §2.3). */
char *child_name(const char *parent, const char *suffix, struct arena *arena);

/* Everything that was declared. */
struct settings;
struct model {
	struct arena *arena;
	VEC(struct object *) objects;    /* in order of id */
	struct map by_id;                /* id → struct object */
	const struct settings *settings; /* never NULL: defaults when no file says otherwise */
	size_t n_files, n_documents;
	size_t n_ignored; /* documents of kinds that are nobody's business here */
	struct map later; /* kind name → count (as uintptr_t): recognised, not reconciled yet */
	struct list markers; /* struct marker, in order of file and place (marker.h) */
};

/*
 * Turns one document into an object (NULL when it is not one of ours; counts go to the model),
 * with all diagnostics of decoding and checking. Thread-safe as long as arena and diags are the
 * caller's own.
 */
struct object *object_decode(const struct node *document, const struct source_file *file,
			     struct arena *arena, struct diags *diags);
enum document_class { DOCUMENT_OURS, DOCUMENT_LATER, DOCUMENT_FOREIGN, DOCUMENT_BROKEN };
/*
 * What a document is, by apiVersion and kind alone; `kind` is set for DOCUMENT_OURS. BROKEN: it
 * means to be one of ours and cannot be (a misspelt kind, a missing apiVersion); object_decode
 * says what is wrong. List documents are split by the loader.
 */
enum document_class document_class(const struct node *document, enum kind *kind);

/* A zeroed model that is ready: default settings, no objects. */
void model_init(struct model *model, struct arena *arena);
/*
 * Adds an object; a second one of the same id is an error at both places. Settings go to
 * model->settings.
 */
void model_add(struct model *model, struct object *object, struct diags *diags);
/*
 * After all were added: sorts, checks references between objects (absent ones are errors that name
 * both positions) and cycles.
 */
void model_link(struct model *model, struct diags *diags);
const struct object *model_find(const struct model *model, enum kind kind, const char *ns,
				const char *name);

/*
 * JSON Schema (draft-07) of whole documents of one kind; of any of ours, chosen by apiVersion and
 * kind.
 */
struct node *kind_schema(enum kind kind, struct arena *arena);
struct node *kinds_schema(struct arena *arena);

#endif
