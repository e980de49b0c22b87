/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_pack.h — a folder or archive of this machine as a source image: what kp uploads, one layer with the files, which
 * source_image.h reads back. The same files give the same digest, whoever packs them where and when: modes are 0755 and 0644,
 * owners and times fixed, nothing named ".git", an archive unpacked as every source is.
 */
#ifndef BUILDEXEC_SOURCE_SOURCE_PACK_H
#define BUILDEXEC_SOURCE_SOURCE_PACK_H

#include "buildexec/image/assemble.h"

struct source_pack {
	const char *path;     /* absolute, of a folder or an archive */
	const char *work_dir; /* for the files and the layer; must live until the draft is pushed */
};
/* ERR_INVALID for what is no source: hostile archives, devices, other types. */
MUST_CHECK bool source_pack(const struct source_pack *spec, struct arena *arena,
			    struct image_draft *out, struct err *err);

#endif
