/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h — an image made ready to run scripts in: its layers unpacked, a folder for what changes, its user, files put
 * there from outside, scripts run.
 */
#ifndef BUILDEXEC_S2I_CONTAINER_H
#define BUILDEXEC_S2I_CONTAINER_H

#include "buildexec/image/rootfs.h"
#include "buildexec/s2i/s2i.h"
#include "buildexec/task/user.h"

struct container {
	const struct s2i_spec *spec;
	struct remote_image image;
	struct rootfs base;    /* the image */
	struct rootfs all;     /* with what the container changed on top */
	const char *upper_dir; /* for the sandbox */
	const char *upper;     /* the changes: <upper_dir>/fs */
	const char *user_text; /* what `user` was resolved from */
	struct user user;
	const char *working_dir;
	bool is_rootless;
	VEC(struct sandbox_bind) volumes; /* resolved: places without links */
};

/* Reads and unpacks; `name` is a folder below work_dir, for the changes. Err says what, the caller whose image. */
MUST_CHECK bool container_open(struct container *container, const struct s2i_spec *spec,
			       const char *reference, const char *name, struct err *err);
/* Who scripts run as: `text`, or when NULL the label of an assemble user, or the image's USER. */
MUST_CHECK bool container_set_user(struct container *container, const char *text, struct err *err);

/* A label of the image, by its name or an older one, or a variable; NULL. */
const char *container_label(const struct container *container, const char *name,
			    const char *old_name, const char *variable);
/* Makes the folder, with all above it, in the changes; what the image has keeps its mode and owner, new ones are the
 * user's. *host is where it is. ERR_INVALID when something else is in the way. */
MUST_CHECK bool container_make_dir(struct container *container, const char *path, const char **host,
				   struct err *err);
/* May the user make files in that folder of the container? */
MUST_CHECK bool container_may_write(struct container *container, const char *path, bool *out,
				    struct err *err);
/*
 * Moves the folder `from` of this machine to `path` in the container, replacing what has that name, joining with a folder:
 * modes 0755 and 0644, all the user's, of the time mtime_s.
 */
MUST_CHECK bool container_put_tree(struct container *container, const char *from, const char *path,
				   int64_t mtime_s, struct err *err);
/* The same for all that is in `from`, each by its name, into the folder `path`, which keeps mode and owner. */
MUST_CHECK bool container_join_tree(struct container *container, const char *from, const char *path,
				    int64_t mtime_s, struct err *err);
/* A file in a folder that container_make_dir gave; stays open for the caller when fd is given. */
MUST_CHECK bool container_put_file(struct container *container, const char *host_dir,
				   const struct s2i_file *file, int *fd, struct err *err);
/* The files in a folder of this machine, the user's, to be mounted where scripts run whose changes are kept. */
MUST_CHECK bool container_add_volume(struct container *container, const struct s2i_files *files,
				     struct err *err);

struct script_run {
	const char *path;             /* in the container */
	const struct pairs *env;      /* of the build; the image's own is added */
	sandbox_output_fn *stdout_fn; /* NULL: the log */
	void *stdout_ctx;
	bool is_kept;    /* what it changes; else it is thrown away */
	bool has_failed; /* set, with what below says, when it ran and failed */
	struct sandbox_result result;
};
/* False also when the script failed: run->has_failed and an err that says how. */
MUST_CHECK bool container_run(struct container *container, struct script_run *run, struct err *err);

/* Also told to whoever asked for notices. */
void s2i_warn(const struct s2i_spec *spec, const char *fmt, ...) PRINTF(2, 3);
/* created_s or its default. */
int64_t s2i_created_s(const struct s2i_spec *spec);

#endif
