/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h — an archive that somebody else made, unpacked into a folder: zip (jar, war), tar, and tar in gzip, zstd or xz,
 * told apart by content. libarchive reads; everything on disk is made here, below descriptors that the kernel resolved inside
 * the folder. Modes become 0755 and 0644, times and owners are not kept, entries named ".git" are left out as in every source.
 * Refused as a whole: absolute names, "..", names behind a link, links that lead out, devices, pipes, sockets, what is too
 * long, too deep, too much or too well packed. Spec: kpack.md §4.3 (types, stripComponents).
 */
#ifndef BUILDEXEC_SOURCE_ARCHIVE_H
#define BUILDEXEC_SOURCE_ARCHIVE_H

#include <stdint.h>

#include "model/base/err.h"

struct archive_limits {
	uint64_t bytes, entries, ratio, free_bytes; /* as LIMIT_SOURCE_… */
};

struct archive_spec {
	int fd;           /* a file; read from its beginning */
	const char *dest; /* an empty folder of ours; for a layer it may hold the layers below */
	int64_t strip;    /* leading parts of every name to drop; names with no more are left out */
	/*
	 * A layer of an image instead: tar only; whiteouts remove what is below, links may point anywhere and are resolved as
	 * in a chroot, devices are left out.
	 */
	bool is_layer;
	const struct archive_limits *limits; /* NULL: LIMIT_SOURCE_… */
};
/* ERR_INVALID for hostile, broken and unknown archives; the folder is then unfit for use. */
MUST_CHECK bool archive_unpack(const struct archive_spec *spec, struct err *err);

#endif
