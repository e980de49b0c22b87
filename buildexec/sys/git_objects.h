/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_objects.h — reads the objects of a repository: packs (mapped, deltas resolved) and loose
 * files, with alternates. Reading only; writing is git_pack.h. Why not libgit2's odb: it decodes a
 * delta chain from its root for every object, and ten thousand small files cost several times what
 * a mapped pack does. No hash is checked on reading: packs that come over a wire are verified when
 * they are indexed. One handle per thread. Spec: gitformat-pack(5), gitrepository-layout(5).
 */
#ifndef BUILDEXEC_SYS_GIT_OBJECTS_H
#define BUILDEXEC_SYS_GIT_OBJECTS_H

#include <stdint.h>

#include "buildexec/sys/git_id.h"
#include "model/base/buf.h"

struct git_objects;

/* `path` is the objects folder of a repository. */
MUST_CHECK bool git_objects_open(const char *path, struct git_objects **out, struct err *err);
/* A further objects folder with its alternates, looked through after the others. */
MUST_CHECK bool git_objects_add_folder(struct git_objects *objects, const char *path,
				       struct err *err);
void git_objects_close(struct git_objects **objects);
/* Packs that came since; called by itself once when an object is not found. */
void git_objects_rescan(struct git_objects *objects);

/*
 * Any object by name. *out is NUL-terminated behind *n. Absent is an answer: true with *type =
 * GIT_TYPE_NONE. ERR_INVALID for a damaged object or one of more than `max` bytes. Results in the
 * arena.
 */
struct git_data {
	enum git_type type;
	const char *bytes;
	size_t n;
};
MUST_CHECK bool git_objects_read(struct git_objects *objects, const unsigned char *raw, size_t max,
				 struct arena *arena, struct git_data *out, struct err *err);
/* Same; absent, or another type than asked for, is an error that names the object. */
MUST_CHECK bool git_objects_need(struct git_objects *objects, const unsigned char *raw,
				 enum git_type type, struct arena *arena, struct git_data *out,
				 struct err *err);
bool git_objects_has(struct git_objects *objects, const unsigned char *raw);
/* For reading many: a number that grows with the place on disk, so that sorting by it reads in
 * order. */
uint64_t git_objects_place(struct git_objects *objects, const unsigned char *raw);
size_t git_objects_n_packs(const struct git_objects *objects);

/* The tree and first parent of a commit's bytes; `parent` is none for a root. ERR_INVALID when it
 * is no commit. */
MUST_CHECK bool git_commit_parse(const struct git_data *commit, struct git_id *tree,
				 struct git_id *parent, struct err *err);
/* What an annotated tag's bytes point at. */
MUST_CHECK bool git_tag_parse(const struct git_data *tag, struct git_id *target,
			      enum git_type *type, struct err *err);

/* One entry of a tree's bytes. Iterate: pos = 0; while (git_entry_next(tree, n, &pos, &entry)) …;
 * at the end pos == n unless damaged. */
struct git_entry {
	unsigned mode;    /* 040000, 0100644, 0100755, 0120000, 0160000 */
	const char *name; /* lent, NUL-terminated inside the tree's bytes */
	size_t n_name;
	const unsigned char *raw; /* 20 bytes, lent */
};
enum {
	GIT_MODE_DIR = 0040000,
	GIT_MODE_FILE = 0100644,
	GIT_MODE_EXEC = 0100755,
	GIT_MODE_LINK = 0120000,
	GIT_MODE_SUBMODULE = 0160000
};
bool git_entry_next(const char *tree, size_t n, size_t *pos, struct git_entry *out);
/*
 * A name that may be made on disk: not empty, ".", "..", or ".git" in any of the spellings that
 * some file system takes for it (case, trailing dots and spaces, git~1, HFS ignorables, ":stream");
 * no '/', '\\', NUL or control characters.
 */
bool git_entry_name_is_safe(const char *name, size_t n);

#endif
