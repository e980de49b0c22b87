/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config.h — BuildConfig: sources, a strategy (Docker, Source, Custom, JenkinsPipeline), an output and what triggers
 * builds; and Build, one execution of it. Groups build.openshift.io/v1 and the legacy v1 without a group.
 * Source of fields, defaults and rules: OpenShift build API (openshift.md §3.1–3.3).
 */
#ifndef MODEL_KIND_BUILD_CONFIG_H
#define MODEL_KIND_BUILD_CONFIG_H

#include "model/kind/image.h"

struct checker;

#define FROM_STREAM_TAG   "ImageStreamTag"
#define FROM_STREAM_IMAGE "ImageStreamImage"
#define FROM_DOCKER_IMAGE "DockerImage"

#define POLICY_PARALLEL           "Parallel"
#define POLICY_SERIAL             "Serial"
#define POLICY_SERIAL_LATEST_ONLY "SerialLatestOnly"

/* ---- what is built from ---- */

struct build_git {
	const char *uri, *ref;                           /* ref NULL or "": the remote's HEAD */
	const char *http_proxy, *https_proxy, *no_proxy; /* NULL: as the environment says */
};
struct build_binary {        /* sent along with the request for a build */
	const char *as_file; /* NULL or "": an archive; else the one file's name */
};
struct image_path {
	const char *source_path, *destination_dir;
};
struct build_image_source {
	struct object_ref from;
	struct strings as; /* names that stand for it in a Dockerfile */
	struct list paths; /* struct image_path */
	struct named *pull_secret;
};
struct file_source { /* a Secret's or ConfigMap's keys as files */
	struct named name;
	const char *destination_dir; /* NULL or "": the top */
};
struct build_source {
	const char *type; /* legacy, said again by what is there */
	struct build_binary *binary;
	const char *dockerfile; /* its text; NULL: that of the source */
	struct build_git *git;
	struct list images;      /* struct build_image_source */
	const char *context_dir; /* clean, below the source; NULL: all of it */
	struct named *secret;
	struct list secrets, config_maps; /* struct file_source */
};

struct source_user {
	const char *name, *email;
};
struct commit_revision {
	const char *commit, *message;
	struct source_user author, committer;
};
struct source_revision {
	const char *type;
	struct commit_revision *git;
};

struct volume_files { /* of a Secret or ConfigMap volume */
	const char *name;
	struct list items; /* struct volume_item */
	int64_t default_mode;
	bool has_default_mode, is_optional;
};
struct volume_item {
	const char *key, *path;
	int64_t mode;
	bool has_mode;
};
struct volume_mount {
	const char *destination_path;
};
struct build_volume {
	const char *name;
	const char *type; /* Secret, ConfigMap or CSI: the one that is there */
	struct volume_files *secret, *config_map;
	const struct node *csi;
	struct list mounts; /* struct volume_mount */
};

struct docker_strategy {
	struct object_ref *from; /* replaces the image of the last FROM; NULL: nothing does */
	struct named *pull_secret;
	bool is_uncached, is_pull_forced;
	struct list env, build_args; /* struct env_var */
	const char *dockerfile_path; /* clean, below the context folder; NULL: Dockerfile */
	const char *optimization;    /* None, SkipLayers, SkipLayersAndWarn; NULL: None */
	struct list volumes;         /* struct build_volume */
};
struct source_strategy {
	struct object_ref from;
	struct named *pull_secret;
	struct list env;     /* struct env_var */
	const char *scripts; /* URL */
	bool is_incremental, has_incremental, is_pull_forced;
	struct list volumes; /* struct build_volume */
};
struct secret_spec_mount {
	struct named secret;
	const char *mount_path;
};
struct custom_strategy {
	struct object_ref from;
	struct named *pull_secret;
	struct list env; /* struct env_var */
	bool has_docker_socket, is_pull_forced;
	struct list secrets; /* struct secret_spec_mount */
	const char *api_version;
};
struct pipeline_strategy {
	const char *path; /* jenkinsfilePath, clean; NULL: Jenkinsfile */
	const char *text; /* jenkinsfile */
	struct list env;  /* struct env_var */
};
struct build_strategy {
	const char *type;               /* legacy, said again by what is there */
	struct docker_strategy *docker; /* exactly one of the four is not NULL */
	struct source_strategy *source;
	struct custom_strategy *custom;
	struct pipeline_strategy *pipeline;
};

struct image_label {
	const char *name, *value;
};
struct build_output {
	struct object_ref *to; /* ImageStreamTag or DockerImage; NULL: nothing is pushed */
	struct named *push_secret;
	struct list labels; /* struct image_label */
};
struct post_commit {
	struct strings command, args;
	const char *script;
};

/* CommonSpec: what build configs and builds share. */
struct build_common {
	const char *service_account; /* "builder" */
	struct build_source source;
	struct source_revision *revision; /* NULL: git.ref as it is found */
	struct build_strategy strategy;
	struct build_output output;
	struct resources resources;           /* of limits and requests, by build_resources_read */
	const struct node *limits, *requests; /* as written */
	struct post_commit post_commit;
	int64_t deadline_s; /* completionDeadlineSeconds */
	bool has_deadline;
	struct pairs node_selector; /* accepted; there are no nodes here */
	bool trusts_ca;             /* mountTrustedCA */
};

struct webhook {
	const char *secret; /* deprecated: in the clear */
	struct named *secret_ref;
	bool may_set_env; /* allowEnv, generic only */
};
struct image_change {
	struct object_ref *from; /* NULL: the strategy's from */
	bool is_paused;
	const char *last_image; /* lastTriggeredImageID, deprecated: state has it */
};
struct build_trigger {
	const char *type; /* as TRIGGER_…; others are dropped by adapt */
	struct webhook *github, *gitlab, *bitbucket, *generic;
	struct image_change *image_change; /* never NULL for TRIGGER_IMAGE_CHANGE after adapt */
	size_t index;                      /* in the manifest */
};
#define TRIGGER_GITHUB        "GitHub"
#define TRIGGER_GITLAB        "GitLab"
#define TRIGGER_BITBUCKET     "Bitbucket"
#define TRIGGER_GENERIC       "Generic"
#define TRIGGER_IMAGE_CHANGE  "ImageChange"
#define TRIGGER_CONFIG_CHANGE "ConfigChange"

struct build_config_spec {
	struct build_common common; /* first: tables of both kinds reach into it */
	struct list triggers;       /* struct build_trigger, in written order */
	const char *run_policy;     /* POLICY_… */
	/* Without has_…: all are kept, which is what the legacy group asks for by silence. */
	int64_t success_limit, failed_limit;
	bool has_success_limit, has_failed_limit;
};

/* Why a build was made: BuildTriggerCause. */
struct hook_cause {
	struct source_revision *revision;
	const char *secret; /* veiled: "<secret>" */
};
struct image_cause {
	const char *image; /* pull spec */
	struct object_ref *from;
};
struct build_cause {
	const char *message; /* CAUSE_… */
	struct hook_cause *github, *gitlab, *bitbucket, *generic;
	struct image_cause *image;
};
#define CAUSE_MANUAL    "Manually triggered"
#define CAUSE_CONFIG    "Build configuration change"
#define CAUSE_IMAGE     "Image change"
#define CAUSE_GITHUB    "GitHub WebHook"
#define CAUSE_GITLAB    "GitLab WebHook"
#define CAUSE_BITBUCKET "Bitbucket WebHook"
#define CAUSE_GENERIC   "Generic WebHook"

struct build_spec {
	union { /* first: whoever builds either kind sees a build config; without triggers, this one */
		struct build_common common;
		struct build_config_spec config;
	};
	struct list triggered_by; /* struct build_cause */
	bool is_export;           /* a cluster made it, or ran it to its end: it asks for nothing */
};
_Static_assert(offsetof(struct build_config_spec, common) == 0, "tables count on it");
_Static_assert(offsetof(struct build_spec, common) == 0, "tables count on it");

extern const struct table build_config_spec_table, build_spec_table, source_revision_table,
	build_cause_table, build_common_table; /* the last: of the shared fields alone */

/* The spec begins as struct build_config_spec; what is built of it is recorded as struct bc_build. */
bool kind_has_builds(enum kind kind);
/* A Build with is_export. */
bool build_is_export(const struct object *object);
/* "Docker", "Source", "Custom", "JenkinsPipeline"; "" when there is none. */
const char *strategy_type(const struct build_strategy *strategy);
/* "Git", "Binary", "Dockerfile", "Image", "None" (openshift.md §5.5 shows them). */
const char *source_type(const struct build_source *source);
/* The strategy's own `from` (GetInputReference); NULL: it has none. */
const struct object_ref *strategy_from(const struct build_strategy *strategy);
/* The strategy's variables; NULL: no strategy. */
struct list *strategy_env(const struct build_strategy *strategy);
/* What its image is pulled with; NULL: nothing of its own. */
const struct named *strategy_pull_secret(const struct build_strategy *strategy);
/* Quantities of limits and requests; mistakes go to `c`, or nowhere when it is NULL. */
void build_resources_read(struct build_common *common, const struct checker *c,
			  struct arena *arena);
/* Old forms made new, defaults, paths made clean. Warnings go to `c`, or nowhere when it is NULL (records). */
void build_common_adapt(struct build_common *common, const struct checker *c, struct arena *arena);

#endif
