/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_packfile.h — one pack and its index, mapped: find a name, look at an entry. Inflates nothing.
 * For git_objects.c and git_fold.c. The bytes are foreign: a damaged index or offset reads as "not
 * here" or ERR_INVALID. GAP(gitformat-pack(5) version 1 index): not read; git has written version 2
 * since 2007.
 */
#ifndef BUILDEXEC_SYS_GIT_PACKFILE_H
#define BUILDEXEC_SYS_GIT_PACKFILE_H

#include <stdint.h>

#include "buildexec/sys/git_id.h"
#include "model/base/err.h"

struct git_packfile {
	char *path; /* "….pack", owned */
	const unsigned char *idx, *pack;
	size_t n_idx, n_pack;
	uint32_t n_objects;
	bool is_gone; /* the pack was removed under us */
};

/* idx_path ends in ".idx". The pack itself is mapped on the first git_packfile_entry. */
MUST_CHECK bool git_packfile_open(const char *idx_path, struct git_packfile *out, struct err *err);
void git_packfile_close(struct git_packfile *file);
/* False when it is not here. */
bool git_packfile_find(const struct git_packfile *file, const unsigned char *raw, uint64_t *offset);
/* The i-th name in the index (sorted by name) and its place. */
const unsigned char *git_packfile_name(const struct git_packfile *file, uint32_t i);
uint64_t git_packfile_offset(const struct git_packfile *file, uint32_t i);

enum { GIT_ENTRY_OFS_DELTA = 6, GIT_ENTRY_REF_DELTA = 7 };
struct git_packfile_entry {
	unsigned type;                  /* enum git_type, or one of the two above      */
	size_t size;                    /* inflated                                    */
	uint64_t data;                  /* where the deflated bytes begin              */
	uint64_t base_offset;           /* of OFS_DELTA                                */
	const unsigned char *base_name; /* of REF_DELTA, lent                */
};
MUST_CHECK bool git_packfile_entry(struct git_packfile *file, uint64_t offset,
				   struct git_packfile_entry *out, struct err *err);
/* Whether the pack can be had at all; false sets is_gone. */
bool git_packfile_map(struct git_packfile *file);

#endif
