/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload.h — what of a workload's manifest is ours: the image fields of its containers, and what says that they follow
 * tags of image streams: the annotation image.openshift.io/triggers, and a DeploymentConfig's own triggers. Nothing else
 * of the document is kept or judged. The same workload may be declared in several files (overlays, rendered charts).
 * Source of the rules: openshift.md §6, §2.8.
 */
#ifndef MODEL_KIND_WORKLOAD_H
#define MODEL_KIND_WORKLOAD_H

#include "model/kind/status.h"

#define TRIGGERS_ANNOTATION      "image.openshift.io/triggers"
#define RESOLVE_NAMES_ANNOTATION "alpha.image.policy.openshift.io/resolve-names"

struct workload_container {
	const char *name;  /* "" when it has none */
	const char *image; /* NULL: none, or no text */
	const char *path;  /* of the image: "spec.template.spec.containers[0].image" */
	struct pos pos;    /* of the image's value; line 0: there is none */
	bool is_init;
};

/* A tag that images follow. */
struct workload_trigger {
	const char *ns, *stream, *tag;
	size_t *containers; /* indexes into workload->containers */
	size_t n_containers;
	bool is_paused;         /* of the annotation: it is as if it were not there */
	bool is_automatic;      /* of the annotation: always */
	const char *last_image; /* lastTriggeredImage as the manifest has it; NULL */
	struct pos pos;
};

struct workload {
	struct list containers; /* struct workload_container; init containers first */
	struct list triggers;   /* struct workload_trigger */
	bool resolves_names;    /* short names mean streams whatever those say */
	/* DeploymentConfig */
	bool has_config_trigger; /* ConfigChange; also when no triggers are written */
	bool is_paused;
	const char *template_digest; /* of spec.template without the images that triggers set */
};

/* What is recorded of a workload. Of others than DeploymentConfigs only those that follow short names have a record. */
struct trigger_status {
	const char *ns, *from;  /* "stream:tag" */
	struct strings names;   /* containerNames */
	const char *last_image; /* lastTriggeredImage */
	/* Not automatic: what stood in the file when the first rollout resolved it; while it still does, the edit is due. */
	struct strings replaced;
};
struct rollout_cause {
	const char *type;      /* "ConfigChange", "ImageChange" */
	const char *ns, *from; /* of an image: "stream:tag"; NULL */
};
struct followed_name {
	const char *path;  /* of the image */
	const char *name;  /* the short name that stood there: "php:7.4" */
	const char *image; /* what was put in its place */
};
struct workload_status {
	struct list conditions;
	int64_t latest_version; /* of rollouts; 0: none yet */
	struct list triggers;   /* struct trigger_status */
	const char *message;    /* details.message */
	struct list causes;     /* struct rollout_cause, of the latest version */
	const char *template_digest;
	struct list follows; /* struct followed_name */
};
extern const struct table workload_status_table;

/* Metadata and images; never complains about what it does not need. `object` has kind, file and tree. */
void workload_decode(struct object *object, struct arena *arena, struct diags *diags);

/*
 * False for one whose name no object can have (a template that is not filled in): nobody's business, but a mistake when it
 * has triggers or a record.
 */
bool workload_is_ours(const struct object *object, struct arena *arena, struct diags *diags);

/*
 * A trigger's fieldPath below the kind's pod spec. `containers` as in struct workload. False with "field path is not valid:
 * …" or "no such container: …"; *is_ours false: it does not begin with the kind's path, and is passed over.
 */
MUST_CHECK bool field_path_find(const char *field_path, enum kind kind,
				const struct list *containers, size_t *out, bool *is_ours,
				struct err *err);
/* "spec.template.spec" */
const char *workload_pod_path(enum kind kind);

/* "php" or "php:7.4": one part without registry and digest, which may mean a stream. False when it is none. */
bool short_name_split(const char *image, struct arena *arena, const char **stream,
		      const char **tag);

#endif
