/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h — files as the programs inside images need them: whole, small, read and written at once.
 * They use nothing of the host rows (buildexec/sys), since they are linked statically into a few hundred KiB.
 */
#ifndef BUILDEXEC_CNB_GUEST_IO_H
#define BUILDEXEC_CNB_GUEST_IO_H

#include "model/base/buf.h"
#include "model/base/vec.h"
#include "model/doc/node.h"

/* Reads at most `max` bytes; more is an ERR_INVALID, no such file an ERR_ABSENT. */
MUST_CHECK bool io_read(const char *path, size_t max, struct arena *arena, char **text, size_t *len,
			struct err *err);
MUST_CHECK bool io_read_toml(const char *path, struct arena *arena, struct node **out,
			     struct err *err);
/* As above; no such file gives an empty table, and `*is_there` says so when it is not NULL. */
MUST_CHECK bool io_read_toml_if_any(const char *path, struct arena *arena, struct node **out,
				    bool *is_there, struct err *err);
/* Makes the folders above it, then writes the file anew. */
MUST_CHECK bool io_write(const char *path, const char *text, size_t len, struct err *err);
MUST_CHECK bool io_write_toml(const char *path, const struct node *tree, struct err *err);

struct io_entry {
	const char *name;
	bool is_dir, is_link; /* of the entry itself */
};
struct io_entries {
	struct io_entry *v;
	size_t n, cap;
};
/* In byte order of names. No such folder: no entries. */
MUST_CHECK bool io_list(const char *path, struct arena *arena, struct io_entries *out,
			struct err *err);

MUST_CHECK bool io_make_dirs(const char *path, struct err *err);
/* A regular file with its mode, or a link as a link. */
MUST_CHECK bool io_copy(const char *from, const char *to, struct err *err);
/* A folder with all that is in it, to a new name; no such folder: nothing is made. ERR_INVALID for pipes and devices. */
MUST_CHECK bool io_copy_tree(const char *from, const char *to, struct arena *arena,
			     struct err *err);
/* Everything below too; links are not followed. No such file is fine. */
MUST_CHECK bool io_remove_tree(const char *path, struct err *err);

/* True when there is a file or folder, links followed. */
bool io_is_dir(const char *path);
bool io_exists(const char *path);
char *io_join(struct arena *arena, const char *folder, const char *name);

#endif
