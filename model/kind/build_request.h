/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_request.h — the worker protocol (design §6): one JSON request on stdin, JSON-lines
 * events on stdout, build output on stderr. The scheduler knows nothing else about a worker.
 */
#ifndef MODEL_KIND_BUILD_REQUEST_H
#define MODEL_KIND_BUILD_REQUEST_H

#include "model/kind/bc_request.h"
#include "model/kind/build_config_status.h"
#include "model/kind/image.h"
#include "model/kind/settings.h"
#include "model/kind/status.h"

#define WORKER_FORMAT 1
/* A request carries secrets and a builder's whole order: generous, but bounded. */
#define LIMIT_REQUEST_BYTES (32u << 20)

struct request_credential { /* registry: by key; git: by scheme and host */
	const char *server; /* "registry.example.com[/path]" or "https://git.example.com" */
	const char *user, *password, *token;
	const char *ssh_key, *known_hosts; /* contents, not paths */
	const char *config;                /* registry: a whole docker config.json instead */
	const char *authorization;         /* blob: the whole header's value */
};
struct request_mount {      /* service bindings: name → files */
	const char *name;   /* "db", or "db/secret" and "db/metadata" of a legacy binding */
	struct pairs files; /* base64 values */
	bool is_public;     /* the values may be seen in logs */
};

struct request_mirror { /* of one image: both ends name its digest */
	const char *from, *to;
	bool is_insecure; /* `from` may be without TLS or with an unknown certificate */
};

struct build_request {
	int64_t format;
	/*
	 * "build", "rebase", "compose", "tag" (previous_image gets the tags), "mirror"; "s2i", "docker", "custom", "pipeline":
	 * a build of a build config
	 */
	const char *action;
	const char *id; /* "Image/shop/cart#12" */
	const char *build_key;
	const char *run_id;
	struct strings tags;                   /* first is the image's tag */
	const char *builder_image, *run_image; /* pinned */
	const char *run_image_name;            /* as the builder names it, for the label */
	struct strings run_image_mirrors;
	struct source source; /* resolved */
	const char *git_tree, *content, *part;
	struct list env;      /* struct env_var */
	struct list bindings; /* struct request_mount */
	struct resources resources;
	int64_t timeout_s;
	const char *previous_image; /* last success, pinned */
	const char *default_process, *project_descriptor, *creation_time;
	const char *cache_key; /* of the build cache; NULL: none */
	const char *cache_image;
	int64_t cache_bytes;                      /* at most, of the folder; 0: no limit */
	struct strings reasons;                   /* lines for the log, already formatted */
	struct list registries;                   /* struct settings_registry: absolute paths */
	struct list git_hosts;                    /* struct settings_git */
	struct list credentials, git_credentials; /* struct request_credential */
	struct list blob_credentials;             /* struct request_credential */
	bool with_helpers;                        /* docker-credential-* may be run */
	bool with_user_credentials;               /* also Docker's files of the user */
	struct strings user_environment;          /* NAME=value, by which these are found */
	bool trusts_repositories;                 /* also local ones that belong to another user */
	const char *manifest_dir;                 /* absolute: local paths are relative to it */
	const char *cache_dir, *temp_dir;         /* absolute */
	const char *runtime, *network, *compression;
	const char *engine;    /* of Dockerfiles: "auto", "buildah", "docker"; NULL: auto */
	const char *isolation; /* of buildah: "oci", "chroot"; NULL: what works here */
	int64_t now_s;
	/* compose */
	struct compose *compose;
	struct list mirrors;       /* struct request_mirror */
	struct bc_request *config; /* of a build config; NULL: of another kind */
};

/* Everything that makes a builder image (kpack.md §3). Layers are taken from where they lie. */
struct compose_buildpack {
	struct buildpack_id id;
	const char *image; /* …@sha256:… it lies in */
	const char *diff_id;
	int64_t size_bytes;
	struct list order, stacks, targets;
};
struct compose {
	const char *tag;
	const char *build_image, *run_image; /* pinned sources */
	const char *stack_id;
	struct strings mixins;
	const char *lifecycle_image, *lifecycle_version; /* NULL: ours */
	struct lifecycle_apis apis;
	struct list buildpacks; /* struct compose_buildpack */
	struct list order;      /* struct order_group, resolved */
	struct pairs labels;
	const char *key;
};

extern const struct table build_request_table;

enum event_type {
	EVENT_PHASE, /* name: "DETECT"                                                             */
	EVENT_NOTICE, /* text: a warning for the user                                               */
	EVENT_RESULT, /* the result below: the last event of a success                              */
	EVENT_FAILURE, /* failure, phase, text: the last event of a failure                          */
	EVENT_TYPES
};
struct build_event {
	enum event_type type;
	const char *name, *text;
	const char *failure; /* err_kind_name or "build" */
	int64_t exit_code;   /* lifecycle exit code of a build's own failure */
	bool is_oom, is_timeout;
	/* result */
	const char *image;     /* …@sha256:… */
	const char *run_image; /* …@sha256:… as in the label */
	const char *stack_id, *lifecycle_version;
	struct list buildpacks; /* struct buildpack_id */
	bool is_adopted;        /* found by its build key, not built */
	const char *chosen_run; /* the run image as an extension named it; NULL: none did */
	/* It says that it cannot be rebased, or stands on a run image that an extension chose, not the stack's. */
	bool is_not_rebasable;
	/* JSON of the image's manifest and config, for image streams; NULL when they are large (LIMIT_EVENT_METADATA) */
	const char *manifest, *config;
	/* of a build config's build; a Custom or pipeline build may give no image */
	const char *reason;               /* failure: StatusReason (build_phase.h) */
	struct source_revision *revision; /* of the git source that was fetched */
	const char *engine;               /* "buildah 1.28.2": what built it */
	struct pairs bases;               /* image as the Dockerfile names it → pinned */
	const char *url;                  /* of the run of a pipeline */
	struct list stages;               /* struct build_stage: of a pipeline */
};
extern const struct table build_event_table;
/* One line of the worker's stdout, without the newline. Untrusted. */
MUST_CHECK bool event_read(const char *line, size_t n, struct arena *arena, struct build_event *out,
			   struct err *err);
char *event_print(const struct build_event *event, struct arena *arena);

#endif
