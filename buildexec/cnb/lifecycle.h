/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.h — the phases of a buildpacks build as a platform runs them: analyze, detect, restore, extend, build, export;
 * and rebase. All but detect and build run here, outside of any container, where the credentials are; those two run our guest
 * program inside the builder image. Each phase reads what the ones before left in the struct.
 * Knows nothing of requests, plans or sources: folders, references and options in, an image out.
 * Spec: buildpacks/spec platform.md; cnb.md §1.
 */
#ifndef BUILDEXEC_CNB_LIFECYCLE_H
#define BUILDEXEC_CNB_LIFECYCLE_H

#include "buildexec/cnb/build_metadata.h"
#include "buildexec/cnb/cache.h"
#include "buildexec/cnb/generated.h"
#include "buildexec/cnb/platform_api.h"
#include "buildexec/cnb/run_images.h"
#include "buildexec/cnb/target.h"
#include "buildexec/image/assemble.h"
#include "buildexec/sandbox/sandbox.h"

/* Where things are inside the container, whatever their folders here. */
#define CNB_APP_DIR      "/workspace"
#define CNB_LAYERS_DIR   "/layers"
#define CNB_PLATFORM_DIR "/platform"
#define CNB_GUEST        "/cnb/reconcile/cnb-guest"

enum lifecycle_phase {
	PHASE_PREPARE,
	PHASE_ANALYZE,
	PHASE_DETECT,
	PHASE_RESTORE,
	PHASE_EXTEND, /* where an image extension wants it */
	PHASE_BUILD,
	PHASE_EXPORT,
	PHASE_COMPLETION,
	PHASE_REBASE,
	LIFECYCLE_PHASES
};
const char *lifecycle_phase_name(enum lifecycle_phase phase); /* "ANALYZE" */

/* Where detect and build run. */
struct lifecycle_container {
	const char *guest_path; /* of our program on this machine                          */
	struct strings
		lowers; /* unpacked layers of the builder image, bottom first; ours above them */
	const struct remote_image *image; /* the builder image; NULL: it cannot be extended      */
	struct strings env; /* of the guest program; buildpacks get a part of it        */
	const struct sandbox_bind *binds; /* further ones: bindings of services, …               */
	size_t n_binds;
	struct sandbox_limits limits; /* its wall_ms is for all of the build: see deadline_ms */
	int64_t deadline_ms; /* of clock_mono_ms: when detect and build are to be over; 0: none */
	enum sandbox_network network;
	const char *runtime;
	bool (*is_cancelled)(void *ctx);
	void *cancel_ctx;
};

/*
 * Who applies Dockerfiles of image extensions to an image. Between begin and finish each one is applied to what the one
 * before gave. Closed by whoever made it.
 */
struct lifecycle_extender {
	void *ctx; /* NULL: there is nobody */
	/* Can it be done here at all? ERR_INVALID says what is missing. Once, before anything else. */
	bool (*open)(void *ctx, struct err *err);
	/* `created_s`: of the images and of files in their layers */
	bool (*begin)(void *ctx, const struct remote_image *base, int64_t created_s,
		      struct err *err);
	/* `out`: config of the image that it gave, without history */
	bool (*apply)(void *ctx, const struct extend_file *file, const char *context,
		      const struct pairs *args, struct image_config *out, struct err *err);
	/* The last one: layers of the base first. */
	bool (*finish)(void *ctx, struct image_draft *out, struct err *err);
	/* Folders of its layers, bottom first. */
	bool (*unpack)(void *ctx, const struct image_draft *draft, struct strings *dirs,
		       struct err *err);
};

struct lifecycle_options {
	const char *platform_api;
	const char *image;          /* what is built: a tag                                     */
	struct strings tags;        /* further tags                                             */
	const char *run_image;      /* given; NULL: chosen from run_images                      */
	const char *run_image_name; /* what the label calls it; NULL: run_image                 */
	const char *build_id;       /* for Dockerfiles of image extensions: a UUID               */
	const char *previous_image; /* NULL: image                                              */
	const char *process_type;   /* given by the user; NULL                                  */
	const char *created;        /* SOURCE_DATE_EPOCH as given; NULL                         */
	const char *exec_env;       /* "production"                                             */
	bool skips_restore, is_forced;
	bool is_base_given;      /* rebase: run_image was decided on, whatever the label names */
	const char *cache_dir;   /* NULL: no cache                                           */
	uint64_t cache_bytes;    /* that may lie in cache_dir; 0: no limit                    */
	const char *cache_image; /* a tag where the cache lies too; cache_dir is needed; NULL */
	const char *app_dir, *layers_dir, *platform_dir; /* here                                 */
	const char *work_dir;         /* for everything that is thrown away                       */
	const char *launcher_path;    /* here: becomes /cnb/lifecycle/launcher of the image       */
	const char *project_metadata; /* file; NULL: none                                         */
	const char *report;           /* file that export and rebase write; NULL: none            */
	uint32_t uid, gid;            /* the CNB user                                             */
	struct pairs annotations;     /* of the image's manifest                                  */
	enum layer_profile profile;
};

/* A layer's folder that came back without being read (kept_layer.h). */
struct taken_layer {
	const char *dir, *diff_id, *print;
	uint64_t n_bytes;
	bool is_compared, is_changed;
};

struct lifecycle {
	struct lifecycle_options options;
	struct lifecycle_container container;
	struct lifecycle_extender extender;
	struct run_images run_images; /* run.toml (stack.toml before Platform API 0.12) */
	struct registry *registry;    /* borrowed */
	const struct image_access *access;
	struct arena *arena;
	void (*on_phase)(void *ctx, enum lifecycle_phase phase); /* NULL: nobody asks */
	void *phase_ctx;

	enum lifecycle_phase phase;
	int exit_code;           /* of a failure: enum cnb_exit */
	bool is_oom, is_timeout; /* of a failure in detect or build */
	bool is_told;            /* the failed phase has said in the log why it failed */

	/* analyze */
	bool has_previous;
	struct remote_image previous;
	struct app_metadata previous_metadata; /* empty when there is none */
	const char *run_image_name;            /* as chosen */
	bool has_run_image;
	struct remote_image run_image;

	/* detect */
	struct group group, extensions;
	struct extend_files dockerfiles; /* of the extensions */
	bool is_run_image_switched;      /* by an extension */

	/* extend */
	struct {
		bool is_done;
		struct image_config
			config; /* of the extended run image, layers and history of the run image */
		VEC(struct image_layer) layers; /* on top of the run image's */
		struct strings names;           /* their history */
		bool is_rebasable;
	} extended;

	/* restore */
	VEC(struct taken_layer) taken;

	/* export, rebase */
	struct digest digest; /* of the manifest */
	size_t manifest_bytes;
	struct strings pushed; /* digests of its layers, by lifecycle_push */
	struct build_metadata metadata;
	const char *run_reference; /* registry/repo@sha256:…, as in the label */
};

/* Each: false with err and exit_code set. They log what they do on stderr. */
MUST_CHECK bool lifecycle_check(struct lifecycle *life, struct err *err); /* platform API */
MUST_CHECK bool lifecycle_analyze(struct lifecycle *life, struct err *err);
MUST_CHECK bool lifecycle_detect(struct lifecycle *life, struct err *err);
MUST_CHECK bool lifecycle_restore(struct lifecycle *life, struct err *err);
/* After restore, where lifecycle_is_extended. */
MUST_CHECK bool lifecycle_extend(struct lifecycle *life, struct err *err);
bool lifecycle_is_extended(const struct lifecycle *life);
MUST_CHECK bool lifecycle_build(struct lifecycle *life, struct err *err);
MUST_CHECK bool lifecycle_export(struct lifecycle *life, struct err *err);
/* All of the above, with a log line before each. */
MUST_CHECK bool lifecycle_create(struct lifecycle *life, struct err *err);
/* Needs options.image, tags, run_image or the label's, previous_image and is_forced only. */
MUST_CHECK bool lifecycle_rebase(struct lifecycle *life, struct err *err);

/* For the phases themselves. */
/* Reads a run image and makes it the one to build on. ERR_ABSENT: there is none. */
MUST_CHECK bool lifecycle_take_run_image(struct lifecycle *life, const char *name, struct err *err);
MUST_CHECK bool lifecycle_write_analyzed(struct lifecycle *life, struct err *err);
/* What the extensions of the group wrote: checked, the run image chosen. After detection. */
MUST_CHECK bool lifecycle_take_generated(struct lifecycle *life, struct err *err);
bool lifecycle_fail(struct lifecycle *life, int exit_code);
/* "===> ANALYZE" */
void lifecycle_begin(struct lifecycle *life, enum lifecycle_phase phase);
/* The time of image and history. */
int64_t lifecycle_created_s(const struct lifecycle *life);
MUST_CHECK bool lifecycle_write_report(struct lifecycle *life, struct err *err);
/* Pushes under image and tags; sets digest and manifest_bytes. */
MUST_CHECK bool lifecycle_push(struct lifecycle *life, const struct image_draft *draft,
			       struct err *err);

#endif
