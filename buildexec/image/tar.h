/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.h — writes tar archives byte for byte as the reference lifecycle does, so that layers have
 * the same diff ids. USTAR headers; a PAX header before an entry only where a field does not fit;
 * 512-byte padding; 1024 zero bytes at the end. Reads nothing: tar_tree.h walks folders. Foreign
 * archives are read by unpack.h, with libarchive. Spec: POSIX.1-2017 pax "ustar Interchange
 * Format"; Go archive/tar Writer (reference/cnb.md §1.9).
 */
#ifndef BUILDEXEC_IMAGE_TAR_H
#define BUILDEXEC_IMAGE_TAR_H

#include <stdint.h>
#include <sys/types.h>

#include "model/base/digest.h"

/* 1980-01-01T00:00:01Z, the modification time of everything in a buildpacks layer. */
#define TAR_FIXED_MTIME_S 315532801

enum { TAR_RECORDS_MAX = 64 * 1024 };

enum tar_type {
	TAR_FILE,
	TAR_DIR,
	TAR_SYMLINK,
	TAR_HARDLINK,
	TAR_FIFO,
	TAR_CHAR,
	TAR_BLOCK,
	TAR_TYPES
};

/* An extended attribute; the value may hold any bytes. */
struct tar_xattr {
	const char *name; /* "user.mime_type", without '=' */
	const char *value;
	size_t n;
};

/* Does an attribute of that name belong into a layer? user.* and file capabilities, but for overlayfs's own. */
bool tar_keeps_xattr(const char *name);

struct tar_entry {
	const char *name; /* written as it is: a leading '/' stays, folders have no trailing '/' */
	enum tar_type type;
	mode_t mode; /* permissions with setuid, setgid and sticky; other bits are dropped */
	uint64_t uid, gid;
	int64_t mtime_s;
	uint64_t size_bytes;  /* of a file; must be 0 for others */
	const char *linkname; /* of links */
	const struct tar_xattr
		*xattrs; /* sorted by name; they become PAX records "SCHILY.xattr.*" */
	size_t n_xattrs;
};

/* Takes the archive's bytes in order. */
typedef bool tar_sink_fn(void *ctx, const void *bytes, size_t n, struct err *err);

/* Where the sink would put its next bytes, and how many fit (at least one): what is read to there and then given to the
 * sink need not be copied. Lent until the sink is called. */
typedef void *tar_room_fn(void *ctx, size_t *n);

/* An open archive: set sink and ctx, and room where there is one, the rest zero. */
struct tar {
	tar_sink_fn *sink;
	tar_room_fn *room;
	void *ctx;
	uint64_t left;    /* data bytes that the open entry still needs */
	unsigned padding; /* zero bytes behind them */
	uint64_t total_bytes;
};

/* ERR_INVALID for what no tar can hold (an empty name, a negative time, more than TAR_RECORDS_MAX of attributes). The
 * entry before must be complete. */
MUST_CHECK bool tar_begin(struct tar *tar, const struct tar_entry *entry, struct err *err);
/* Exactly size_bytes in all, in any pieces; more is a BUG. */
MUST_CHECK bool tar_data(struct tar *tar, const void *bytes, size_t n, struct err *err);
/* The end of the archive. */
MUST_CHECK bool tar_finish(struct tar *tar, struct err *err);

/* A whole entry; for a file its size_bytes is `n`. */
MUST_CHECK bool tar_add(struct tar *tar, const struct tar_entry *entry, const void *bytes, size_t n,
			struct err *err);

/* A sink that only hashes: `ctx` is a struct sha256. For a diff id without a layer. */
bool tar_hash_sink(void *ctx, const void *bytes, size_t n, struct err *err);

#endif
