/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s2i.h — source-to-image: a source folder and a builder image become a runnable image of one layer more. The builder's
 * `assemble` script does the work, in a container, as the image's user, without privileges. Knows nothing of requests,
 * build configs or clusters.
 *
 * As source-to-image does it, but for these on purpose:
 *  - the source is put into the container's file system directly, with the owners and modes that its tar gives: images
 *    need neither tar nor a shell, and there is no layered build;
 *  - times are made equal: created_s for the source, the layer and the image, one second less for artifacts of the image
 *    before, so that tools that compare times build again what came from them; SOURCE_DATE_EPOCH says so to the scripts,
 *    but is not kept. Same inputs and a script that depends on nothing else ⇒ the same digest;
 *  - an image's own scripts are looked for before they are counted on; a user must be able to write where the source goes.
 * Spec: openshift.md §3.7, §4; source-to-image docs/cli.md, docs/builder_image.md, docs/runtime_image.md.
 */
#ifndef BUILDEXEC_S2I_S2I_H
#define BUILDEXEC_S2I_S2I_H

#include "buildexec/image/assemble.h"
#include "buildexec/s2i/reason.h"
#include "buildexec/s2i/text.h"
#include "buildexec/sandbox/sandbox.h"
#include "buildexec/sys/http.h"

enum s2i_phase {
	S2I_PULL,     /* images read and unpacked, users checked          */
	S2I_PREPARE,  /* source, scripts and inputs laid out              */
	S2I_RETRIEVE, /* save-artifacts of the image before               */
	S2I_ASSEMBLE, /* assemble                                         */
	S2I_RUNTIME,  /* assemble-runtime in the runtime image            */
	S2I_COMMIT,   /* the layer, config and labels                     */
	S2I_PUSH,
	S2I_PHASES
};
const char *s2i_phase_name(enum s2i_phase phase); /* "ASSEMBLE" */

/* Where the source is from; for labels and OPENSHIFT_BUILD_… variables. Any may be NULL. */
struct s2i_identity {
	const char *name, *namespace; /* of the build */
	const char *display_name;     /* NULL: the first tag */
	const char *description;
	const char *source_location, *source_ref;
	const char *commit_id, *commit_ref, *commit_author, *commit_date, *commit_message;
};

/* A secret or config map: files put into a folder of the container before assemble. */
struct s2i_file {
	const char *
		name; /* without '/', but for volumes; those that begin with ".." are passed over */
	const void *bytes;
	size_t n;
};
struct s2i_files {
	const char *destination; /* below the image's working folder unless absolute */
	VEC(struct s2i_file) list;
	bool is_secret; /* emptied after assemble, wherever they are by then */
	mode_t mode;    /* of a volume's files; 0: 0644 */
};

/* An image that is made and not pushed: layers unpacked, bottom first, with what assemble changed on top. */
struct s2i_made {
	struct strings lowers;
	const struct image_config *config;
};

struct s2i_spec {
	const char *builder_image; /* pinned */
	const char *builder_name;  /* what the label calls it; NULL: builder_image */
	struct strings tags; /* all get the image; the first names it; none: nothing is pushed */
	const char *
		source; /* folder, as it was fetched; it is changed and moved from: the caller's no more */
	const char *context_dir;   /* below it; NULL or "": all of it */
	const char *scripts_url;   /* image://, http(s)://, file://; NULL */
	bool may_read_files;       /* file:// is this machine's: only for URLs of someone trusted */
	struct http *http;         /* for scripts, borrowed; NULL: http(s):// is refused */
	const char *destination;   /* NULL: what the image says, or "/tmp" */
	const char *assemble_user; /* NULL: what the image says */
	const char *runtime_user;  /* of assemble-runtime; NULL: what the runtime image says */
	const char *allowed_uids;  /* "1-", …; NULL: everybody */
	struct pairs env;          /* in order; later wins */
	struct pairs image_labels; /* in order; over those that are generated */
	const char *label_prefix;  /* NULL: "io.openshift." */
	struct s2i_identity identity;
	bool is_incremental;
	const char *previous_image;     /* NULL: the first tag, if there is one */
	const char *runtime_image;      /* pinned; NULL: none */
	struct artifact_list artifacts; /* none: what the runtime image says */
	VEC(struct s2i_files) files;
	/* Read-only mounts while assemble runs, at absolute destinations; in no layer. */
	VEC(struct s2i_files) volumes;
	struct pairs annotations; /* of the manifest */

	struct sandbox_limits limits; /* wall_ms is for all scripts together */
	int64_t deadline_ms;          /* of clock_mono_ms; 0: none */
	enum sandbox_network network;
	const char *runtime;                               /* NULL: "crun" */
	bool is_rootless;                                  /* even as root; for tests */
	bool (*is_cancelled)(void *ctx);                   /* NULL: never */
	void (*on_phase)(void *ctx, enum s2i_phase phase); /* NULL: nobody asks */
	void (*on_notice)(void *ctx,
			  const char *text); /* warnings for the user; they are in the log too */
	/* A last look before the image is pushed: false with err, and the build has failed. NULL: nobody looks. */
	bool (*on_made)(void *ctx, const struct s2i_made *image, struct err *err);
	void *ctx;

	struct registry *registry;
	const struct image_access *access;
	struct layer_store *store;
	const char *
		work_dir; /* for all that is thrown away; on the source's file system, or the source is copied */
	int64_t created_s; /* 0: TAR_FIXED_MTIME_S */
	enum layer_profile profile;
	struct arena *arena; /* results live there */
};

struct s2i_result {
	enum s2i_reason reason; /* S2I_COMPLETED, or why not: name and message by s2i_reason_… */
	enum s2i_phase phase;   /* of the failure */
	int exit_code;          /* of a script that failed */
	bool is_oom, is_timeout;
	bool is_incremental; /* artifacts of the image before were used */
	const char *image;   /* the first tag, pinned; NULL without tags */
	struct image_bytes bytes;
	struct strings tags;
	uint64_t n_entries; /* of the new layer */
	struct descriptor layer;
};

/*
 * False with err, and result->reason. ERR_INVALID is the build's own failure; other kinds are the registry's, the network's
 * and this machine's. Logs on stderr, through the redactor.
 */
MUST_CHECK bool s2i_build(const struct s2i_spec *spec, struct s2i_result *result, struct err *err);

#endif
