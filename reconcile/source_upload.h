/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_upload.h — `--local-path` as kp takes it: the folder or archive goes to the registry as a source image, and the
 * manifest names it by digest. Lines are kp's (kpack.md §5.3); tags are those that kpack gives what it saves (§3.1).
 */
#ifndef RECONCILE_SOURCE_UPLOAD_H
#define RECONCILE_SOURCE_UPLOAD_H

#include "reconcile/context.h"

struct source_upload {
	struct context *context;
	const char *path;        /* as given */
	const char *tag;         /* of the image */
	const char *destination; /* NULL: <repository of the tag>-source */
	const char *account;     /* whose secrets go along; NULL: "default" */
	void (*say)(struct context *context, const char *line, bool is_step);
};
/*
 * *image: "registry/repo@sha256:…". With --dry-run nothing is sent. ERR_ABSENT: no such path; ERR_DENIED: no right to push.
 */
MUST_CHECK bool source_upload(const struct source_upload *upload, const char **image,
			      struct err *err);

#endif
