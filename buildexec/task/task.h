/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h — what a worker's actions share, whatever they build: the request, open registries, caches, folders that go with the
 * process, limits, and the line to the scheduler. Strategies build on it and never on each other; which action is whose is
 * in buildexec/worker.
 */
#ifndef BUILDEXEC_TASK_TASK_H
#define BUILDEXEC_TASK_TASK_H

#include "buildexec/image/assemble.h"
#include "buildexec/image/unpack.h"
#include "buildexec/sandbox/sandbox.h"
#include "buildexec/source/access.h"
#include "buildexec/sys/fs.h"
#include "model/kind/build_request.h"

/* Of the manifests that we push: by it a result is found again that was pushed and not recorded (design §4). */
#define BUILD_KEY_ANNOTATION "reconcile.dev/build-key"

/* Phases as logs show them, "===> EXPORT", and as the scheduler is told of them. Strategies have more of their own. */
#define TASK_PREPARE    "PREPARE"
#define TASK_EXPORT     "EXPORT"
#define TASK_COMPLETION "COMPLETION"

struct task {
	const struct build_request *request;
	struct arena *arena;
	int out_fd;
	struct access access;
	struct registry_access registries;
	struct image_access image_access;
	struct registry *registry;
	struct registry_shared *shared;
	struct layer_store *store;
	struct tmpdir work;
	const char *cache_dir;
	int64_t started_ms; /* of clock_mono_ms */
	const char *phase;
	int exit_code; /* of a build's own failure, else 0 */
	bool is_oom, is_timeout;
	bool is_told; /* the log says already why it failed */
	const char *
		reason; /* StatusReason of a failure (build_phase.h); NULL: the strategy has none */
	struct build_event result; /* filled by the action */
};

/* One action: fills task->result. False with err; exit_code or reason where the strategy has one. */
typedef bool task_fn(struct task *task, struct err *err);

/* All tags of the request name previous_image. */
MUST_CHECK bool task_tag(struct task *task, struct err *err);
/* Images of streams are copied to the integrated registry. */
MUST_CHECK bool task_mirror(struct task *task, struct err *err);

/* Tells that a phase begins; `phase` outlives the task. */
void task_begin(struct task *task, const char *phase);
/* The same without a line in the log, where somebody else writes it. */
void task_tell_phase(struct task *task, const char *phase);
void task_send(struct task *task, const struct build_event *event);
/* A warning: in the log, and told to whoever runs us. */
void task_notice(struct task *task, const char *fmt, ...) PRINTF(2, 3);
/* The request's reasons, line by line. */
void task_say_reasons(const struct task *task);
/* Sets the StatusReason, unless a more exact one is set; always false. */
bool task_fail(struct task *task, const char *reason);

/* Folder for what must be on one file system and gone afterwards: <work>/<name>, made. */
MUST_CHECK bool task_dir(struct task *task, const char *name, mode_t mode, const char **out,
			 struct err *err);
/* An image by reference, for this machine. */
MUST_CHECK bool task_read_image(struct task *task, const char *reference, struct remote_image *out,
				struct err *err);
/* Before anything is spent: may every tag of the request be written? ERR_INVALID when it has none. */
MUST_CHECK bool task_check_tags(struct task *task, struct err *err);
/*
 * Does the first tag hold an image of this build key already? Then it was pushed by a run that died: *found, all tags are
 * made to name it.
 */
MUST_CHECK bool task_adopt(struct task *task, const struct strings *tags, const char *key,
			   struct remote_image *image, bool *found, struct err *err);
/* The same with tags and key of the request; when found, the result names the image. */
MUST_CHECK bool task_adopt_request(struct task *task, struct remote_image *image, bool *found,
				   struct err *err);
/* "reg/repo@sha256:…" for a tag and a digest. */
MUST_CHECK bool task_pinned(struct task *task, const char *tag, const char *digest,
			    const char **out, struct err *err);
/* Of every manifest that is pushed for the request: its build key. */
struct pairs task_annotations(const struct task *task);
/* How hard layers are compressed. */
enum layer_profile task_profile(const struct task *task);

/* The request's resources and timeout as limits of a container; with a limit on processes though none was asked for. */
MUST_CHECK bool task_limits(const struct task *task, struct sandbox_limits *out, struct err *err);
enum sandbox_network task_network(const struct task *task);
/* Of clock_mono_ms: when the build must be over; 0: whenever it likes. */
int64_t task_deadline_ms(const struct task *task);
/* From now on SIGTERM and SIGINT make task_is_cancelled true instead of ending the process. */
void task_catch_signals(void);
bool task_is_cancelled(void *unused);

#endif
