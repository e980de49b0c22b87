/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h — what is recorded about every object on the state branch, in kpack's shape (design
 * §4, kpack.md §1.11, §2). Each has a field table: the YAML is printed and read through it. Texts
 * are as recorded and untrusted when read back: digests and references are checked by status_read.
 */
#ifndef MODEL_KIND_STATUS_H
#define MODEL_KIND_STATUS_H

#include "model/kind/builder.h"
#include "model/kind/origin.h"

struct condition {
	const char *type;   /* Ready, BuilderReady, BuilderUpToDate, UpToDate, Succeeded */
	const char *status; /* True, False, Unknown */
	const char *reason, *message;
	int64_t changed_s; /* lastTransitionTime: moves only when status moves */
};
struct conditions {
	struct condition *v;
	size_t n;
};
const struct condition *condition_find(const struct list *conditions, const char *type);

struct image_pin {
	const char *image;  /* as declared */
	const char *latest; /* latestImage: registry/repo@sha256:… ; NULL until resolved */
};

struct buildpack_id {
	const char *id, *version, *homepage, *api;
};

/* ClusterStack */
struct stack_status {
	struct list conditions;
	const char *id;
	struct image_pin build, run;
	struct strings mixins;
	int64_t user_id, group_id;
	struct pairs run_labels; /* io.buildpacks.base.*, of the run image: targets */
	const char *os, *arch, *variant;
};

/* A buildpack in a store image (ClusterStore, Buildpack, ClusterBuildpack). */
struct store_buildpack {
	const char *id, *version, *homepage, *api;
	const char *store_image; /* registry/repo@sha256:… it lies in */
	const char *diff_id, *digest;
	int64_t size_bytes;
	struct list order;           /* struct order_group: a composite */
	struct list stacks;          /* struct buildpack_stack */
	struct list targets;         /* struct buildpack_target */
	struct buildpack_id package; /* buildpackage */
};
struct buildpack_stack {
	const char *id;
	struct strings mixins;
};
struct buildpack_target {
	const char *os, *arch, *variant;
	struct list distros; /* struct distro */
};
struct distro {
	const char *name, *version;
};
struct store_status { /* also of Buildpack and ClusterBuildpack: one source */
	struct list conditions;
	struct list sources;    /* struct image_pin */
	struct list buildpacks; /* struct store_buildpack */
};

struct lifecycle_apis {
	struct strings buildpack_deprecated, buildpack_supported, platform_deprecated,
		platform_supported;
};
struct lifecycle_status {
	struct list conditions;
	struct image_pin image;
	const char *version;
	struct lifecycle_apis apis;
	const char *layer_diff_id; /* the last layer */
};

/* Builder, ClusterBuilder */
struct builder_status {
	struct list conditions;
	const char *latest_image; /* …@sha256:… */
	/* digest over everything that makes the image; NULL for a ready-made one */
	const char *compose_key;
	struct list buildpacks;                 /* struct buildpack_id: builderMetadata */
	struct list order;                      /* struct order_group, versions resolved */
	const char *stack_id, *stack_run_image; /* …@sha256:… (relocated beside the builder) */
	const char *lifecycle_version;
	const char *os;
	struct image_pin ready_made; /* spec.image */
};

/* What an attempt was made of: enough to plan the next one without opening the build record. */
struct attempt {
	int64_t number;
	const char *result; /* "Building", "Succeeded", "Failed", "Interrupted" */
	const char *reason; /* "COMMIT,STACK" */
	const char *build_key;
	struct source source; /* resolved: git revision is the commit, registry image is pinned */
	const char *git_revision; /* as followed ("main") */
	const char *git_tree;     /* tree id of subPath (or of the whole), when known */
	const char *content;      /* digest of blob, registry or local content */
	const char *part;         /* not git: digest of what is below subPath */
	const char *validator;    /* blob: ETag or Last-Modified that `content` came with */
	struct list env, services, bindings;
	struct resources resources;
	const char *default_process, *project_descriptor, *creation_time;
	/*
	 * What the bindings hold: "<key id>:<64 hex>", by a keyed hash, so that what is recorded tells nobody a value; NULL when
	 * there are no bindings or no key (secret_spec.hash).
	 */
	const char *binding_contents;
	const char *builder, *builder_kind, *builder_image, *run_image;
	const char *stack_id, *lifecycle_version;
	struct list buildpacks; /* struct buildpack_id: those that took part (successes) */
	const char *image;      /* …@sha256:… of a success */
	bool is_not_rebasable;  /* that success can get another run image by a build only */
	struct image_pin
		chosen_run;  /* run image that an image extension chose; as followed since */
	const char *failure; /* err_kind_name, "build" when the build's own */
	int64_t tries; /* attempts in a row with this build key that failed for foreign reasons */
	const char *trigger; /* value of the trigger annotation it answered */
	const char *run_id;  /* claim: who builds */
	int64_t lease_s;     /* claim: until when, Unix seconds; 0: none */
	/* Tags of image streams that the image watches ("shop/base:latest") → what they gave; unresolved ones are absent. */
	struct pairs watched;
};

struct image_status {
	struct list conditions;
	int64_t build_counter;
	const char *latest_build; /* name of the newest build */
	const char *latest_reason;
	const char *latest_image, *latest_stack;
	/* that point at latest_image: spec.tag and additionalTags as last pushed */
	struct strings tags;
	struct attempt *last;         /* the newest attempt; NULL: never built */
	struct attempt *last_success; /* NULL: none, or `last` is it */
	/* struct history_entry, oldest first: for limits and tables without opening records */
	struct list history;
};
struct history_entry {
	int64_t number;
	const char *result, *reason, *image;
	int64_t started_s, finished_s;
};

/* A build record: <namespace>/images/<name>/builds/<n>.yaml, kpack's Build (design §9). */
struct build_change {
	const char *reason;
	const struct node *old_value, *new_value; /* strings or objects; NULL prints null */
};
struct build_record {
	const char *name, *ns, *image_name;
	int64_t number;
	const char *reason;
	struct list changes; /* struct build_change */
	const char *builder_name, *builder_kind;
	struct strings tags;
	struct attempt inputs;                  /* what it was made of */
	const char *last_image, *last_stack_id; /* spec.lastBuild */
	struct list conditions;                 /* Succeeded */
	const char *latest_image, *stack_run_image;
	struct list steps;      /* struct step_state: phases with their times */
	const char *log;        /* where the log is: path on the logs branch, or a file */
	struct strings tail;    /* last lines of a failed build */
	const char *run_source; /* commit of the manifests */
	int64_t started_s, finished_s;
	bool is_rebase, is_adopted;
};
struct step_state {
	const char *name;
	int64_t ms;
	const char *result;
};

extern const struct table stack_status_table, store_status_table, lifecycle_status_table,
	builder_status_table;
extern const struct table image_status_table, attempt_table;

/*
 * Paths on the state branch: "shop/images/cart.yaml", "cluster/stacks/base.yaml",
 * "shop/images/cart/builds/12.yaml".
 */
char *status_path(enum kind kind, const char *ns, const char *name, struct arena *arena);
/*
 * Of the path of a status: the namespace, where its kind has one, and the name. Of a name that is too long for a path a hash
 * is there: then it is the one that the file says, or NULL where the path is not that one's.
 */
const char *path_namespace(const char *path, struct arena *arena);
const char *path_name(const char *path, const char *said, struct arena *arena);
char *build_path(const char *ns, const char *image, int64_t number, struct arena *arena);

/* The whole file: apiVersion, kind, metadata, status. */
struct node *status_encode(const struct object *object, const struct origin *origin,
			   const void *status, struct arena *arena);
struct node *build_encode(const struct build_record *record, struct arena *arena);
/* `kind` decides the struct that *out points at. ERR_INVALID names the field. */
MUST_CHECK bool status_read(enum kind kind, const struct node *document, struct arena *arena,
			    void **out, struct err *err);
MUST_CHECK bool build_read(const struct node *document, struct arena *arena,
			   struct build_record *out, struct err *err);

/*
 * Compact JSON as kpack annotates it (kpack.md §1.5): [{"reason":…,"old":…,"new":…}]; NULL when
 * there is none.
 */
const char *build_changes_print(const struct list *changes, struct arena *arena);

/* The recorded world: what the state branch held at one commit. */
struct state_entry {
	enum kind kind;
	const char *ns, *name, *id, *path;
	const void *status; /* by kind */
	struct origin origin;
};
struct state {
	struct arena *arena;
	const char *commit; /* NULL: the branch does not exist yet */
	struct map by_id;   /* id → struct state_entry */
	/* id → const int64_t *: highest number of a build's record, where the status does not know of it */
	struct map numbers;
};
/* The number that the last build of that object has, where its status says `counted`. */
int64_t state_last_number(const struct state *state, const char *id, int64_t counted);
const void *state_status(const struct state *state, const char *id); /* NULL: nothing recorded */

#endif
