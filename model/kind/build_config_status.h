/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_status.h — what is recorded of a build config and of each of its builds, in OpenShift's shape (openshift.md
 * §3.1; design §4). What is ours stands behind the fields that OpenShift has. Read back, it is untrusted: numbers, digests,
 * references and phases are checked.
 */
#ifndef MODEL_KIND_BUILD_CONFIG_STATUS_H
#define MODEL_KIND_BUILD_CONFIG_STATUS_H

#include "model/kind/build_config.h"
#include "model/kind/status.h"

/* One ImageChange trigger of the spec, by the tag it follows: all are written anew with every build. */
struct image_change_status {
	const char *ns, *name;  /* from: as in the spec, ns NULL for the build config's own */
	const char *last_image; /* lastTriggeredImageID: a pull spec; NULL: never resolved */
	int64_t triggered_s;    /* lastTriggerTime: of the one that caused the build; 0: none */
};

/* A build in short, for limits, policies and tables without opening records. */
struct bc_history_entry {
	int64_t number;
	const char *phase;    /* PHASE_NAMES */
	const char *reason;   /* status reason of one that ended badly */
	const char *strategy; /* strategy_type() */
	const char *cause;    /* "Image change", …: the first */
	const char *policy;   /* run policy of the build config when it was made */
	const char *commit;
	const char *image;     /* output by digest */
	const char *build_key; /* digest over everything that can change the image */
	int64_t created_s, started_s, finished_s;
	int64_t lease_s;    /* claim until, Unix seconds; 0: none */
	const char *run_id; /* who claims it; NULL: nobody */
};

/* What the newest build was made of and who makes it: enough to plan the next without opening its record. */
struct bc_attempt {
	int64_t number;
	const char *reasons; /* "COMMIT,CONFIG" */
	struct list causes;  /* struct build_cause: a build that is tried again has them too */
	const char *git_url, *git_ref; /* as followed, without a login; ref NULL: HEAD */
	const char *commit;            /* that the ref was at, whatever was built */
	const char *tree;              /* id of contextDir in that commit; NULL: not known */
	const char *build_key;         /* NULL: it waits for what it names (New) */
	const char *failure;           /* err_kind_name, "build" when the build's own; NULL: none */
	int64_t tries;                 /* in a row with this key that failed for foreign reasons */
	const char *trigger;           /* value of the trigger annotation it answered */
	const char *run_id;            /* claim: who builds */
	int64_t lease_s;               /* claim: until when, Unix seconds; 0: none */
	/* Made of what came along with a start (a commit, variables, a clone, a binary): never tried again by itself. */
	bool is_once;
};

struct build_config_status {
	struct list conditions; /* struct condition */
	int64_t last_version;   /* number of the newest build; never decreases */
	struct list triggers;   /* struct image_change_status, in the spec's order */
	/* ours: of the effective spec that the newest build was made from (ConfigChange) */
	const char *config_digest;
	struct bc_attempt *last; /* NULL: never built */
	/* of the last success that pushed one: where to, with its tag, and the image by digest; NULL: none */
	const char *output_reference, *output_image;
	struct list history; /* struct bc_history_entry, oldest first */
};
extern const struct table build_config_status_table, bc_attempt_table;
/* What the table cannot say: order of numbers, digests. */
MUST_CHECK bool build_config_status_holds(const struct build_config_status *status,
					  struct arena *arena, struct err *err);

struct bc_condition { /* one for each phase that was reached; True: the current one */
	const char *type, *status, *reason, *message;
	int64_t updated_s, changed_s;
};
struct build_step {
	const char *name; /* FetchGitSource, PullBaseImage, … */
	int64_t started_s, ms;
};
struct build_stage {
	const char *name; /* FetchInputs, PullImages, Build, PostCommit, PushImage */
	int64_t started_s, ms;
	struct list steps; /* struct build_step */
};

/* A Build as recorded: <namespace>/buildconfigs/<name>/builds/<n>.yaml, or below builds/<name> when it stands alone. */
struct bc_build {
	const char *name, *ns, *config; /* the build config's name; NULL: it has none */
	int64_t number;
	struct pairs labels;  /* build_labels */
	const char *clone_of; /* NULL: of no other build */
	int64_t created_s;
	struct build_spec spec; /* as it was run: references to streams are pull specs */
	const char *phase, *reason, *message;
	bool is_cancelled; /* asked for; the phase follows */
	int64_t started_s, finished_s;
	const char *output_reference; /* outputDockerImageReference: pushed, with its tag */
	const char *output_digest;    /* status.output.to.imageDigest */
	struct list stages;           /* struct build_stage */
	const char *log_snippet;      /* log_snippet() of one that failed */
	struct list conditions;       /* struct bc_condition */
	/* ours */
	const char *build_key;
	const char *run_id, *run_source; /* who builds; commit of the manifests */
	int64_t lease_s;                 /* claim until, Unix seconds; 0: none */
	const char *failure;             /* err_kind_name, "build" when the build's own */
	int64_t tries;   /* in a row with this key that failed for foreign reasons */
	const char *log; /* path on the logs branch, or a file */
	bool is_adopted;
	const char *reasons; /* "COMMIT,CONFIG" (design §5) */
	const char *engine;  /* "buildah 1.28.2" */
	struct pairs bases;  /* image as the Dockerfile names it → pinned */
	const char *url;     /* of the run of a pipeline */
};
extern const struct table build_stage_table;

/* "shop/buildconfigs/cart/builds/12.yaml"; `kind` has builds. */
char *bc_build_path(enum kind kind, const char *ns, const char *name, int64_t number,
		    struct arena *arena);
/* The whole file. The duration is that between start and end. */
struct node *bc_build_encode(const struct bc_build *build, struct arena *arena);
/* ERR_INVALID names the field. */
MUST_CHECK bool bc_build_read(const struct node *document, struct arena *arena,
			      struct bc_build *out, struct err *err);
/* The newest phase is current: the others of `conditions` turn False. Times move on a change of status only. */
void bc_build_set_phase(struct bc_build *build, const char *phase, int64_t now_s,
			struct arena *arena);
/* What the build config's status keeps of it. */
struct bc_history_entry bc_history_of(const struct bc_build *build, struct arena *arena);

#endif
