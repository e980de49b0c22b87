/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h — what a worker's actions share: the request, open registries, caches, folders that go with the process, and the
 * line to the scheduler.
 */
#ifndef BUILDEXEC_CNB_TASK_H
#define BUILDEXEC_CNB_TASK_H

#include "buildexec/cnb/lifecycle.h"
#include "buildexec/image/unpack.h"
#include "buildexec/source/access.h"

/* Of the manifests that we push: by it a result is found again that was pushed and not recorded (design §4). */
#define BUILD_KEY_ANNOTATION "reconcile.dev/build-key"

struct task {
	const struct build_request *request;
	struct arena *arena;
	int out_fd;
	struct access access;
	struct registry_access registries;
	struct image_access image_access;
	struct registry *registry;
	struct layer_store *store;
	struct tmpdir work;
	const char *cache_dir;
	int64_t started_ms; /* of clock_mono_ms */
	enum lifecycle_phase phase;
	int exit_code; /* of a build's own failure, else 0 */
	bool is_oom, is_timeout;
	bool is_told;              /* the log says already why it failed */
	struct build_event result; /* filled by the action */
};

/* Each action: fills task->result. False with err; exit_code where the lifecycle has one. */
MUST_CHECK bool task_build(struct task *task, struct err *err);
MUST_CHECK bool task_rebase(struct task *task, struct err *err);
MUST_CHECK bool task_compose(struct task *task, struct err *err);
MUST_CHECK bool task_tag(struct task *task, struct err *err);
MUST_CHECK bool task_mirror(struct task *task, struct err *err);

void task_begin(struct task *task, enum lifecycle_phase phase);
void task_send(struct task *task, const struct build_event *event);
void task_notice(struct task *task, const char *fmt, ...) PRINTF(2, 3);

/* Folder for what must be on one file system and gone afterwards: <work>/<name>, made. */
MUST_CHECK bool task_dir(struct task *task, const char *name, mode_t mode, const char **out,
			 struct err *err);
/* An image by reference, for this machine. */
MUST_CHECK bool task_read_image(struct task *task, const char *reference, struct remote_image *out,
				struct err *err);
/*
 * Does the first tag hold an image of this build key already? Then it was pushed by a run that died: *found, all tags are
 * made to name it.
 */
MUST_CHECK bool task_adopt(struct task *task, const struct strings *tags, const char *key,
			   struct remote_image *image, bool *found, struct err *err);
/* "reg/repo@sha256:…" for a tag and a digest. */
MUST_CHECK bool task_pinned(struct task *task, const char *tag, const char *digest,
			    const char **out, struct err *err);

#endif
