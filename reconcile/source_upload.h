/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_upload.h — `--local-path` as kp takes it: the folder or archive goes to the registry as a source image, and the
 * manifest names it by digest. Lines are kp's (kpack.md §5.3); tags are those that kpack gives what it saves (§3.1).
 */
#ifndef RECONCILE_SOURCE_UPLOAD_H
#define RECONCILE_SOURCE_UPLOAD_H

#include "buildexec/image/assemble.h"
#include "buildexec/sys/fs.h"
#include "reconcile/context.h"

struct source_upload {
	const char *path;        /* as given */
	const char *tag;         /* of the image */
	const char *destination; /* NULL: <repository of the tag>-source */
	const char *account;     /* whose secrets go along; NULL: "default" */
	/* Of what was packed: */
	struct tmpdir work;
	struct image_draft draft;
	struct image_bytes bytes;
	struct ref to;
	const char *image; /* "registry/repo@sha256:…"; NULL: nothing is to be uploaded */
};
/* Fills in `image`; asks nobody. ERR_ABSENT: no such path; ERR_INVALID: no source, or no place for it. */
MUST_CHECK bool source_upload_pack(struct source_upload *upload, struct arena *arena,
				   struct err *err);
/* Says what goes where, and sends it unless it is a dry run. ERR_DENIED: no right to push. */
MUST_CHECK bool source_upload_send(const struct source_upload *upload, struct context *context,
				   struct err *err);
void source_upload_release(struct source_upload *upload);

#endif
