/* SPDX-License-Identifier: Apache-2.0 */
/* log_place.c — see log_place.h. A log that cannot be kept is a warning: the result of its build is worth more. */
#include "reconcile/apply/log_place.h"

#include <fcntl.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"

bool log_keep(const struct log_place *place, const char *path, const char *id,
	      const struct buf *log, struct arena *arena)
{
	struct err err = { 0 };
	char *file, *folder;

	if (place->is_none)
		return false;
	if (!place->folder) {
		recorder_put_log(place->recorder, path, buf_text(log), log->len);
		return true;
	}
	file = path_join(arena, place->folder, path);
	folder = arena_copy(arena, file, (size_t)(strrchr(file, '/') - file));
	if (fs_make_dirs(folder, 0755, &err) &&
	    fs_write_atomic(AT_FDCWD, file, buf_text(log), log->len, 0644, false, &err))
		return true;
	log_line(LOG_WARN, "cannot keep the log of %s: %s", id, err.text);
	return false;
}

void log_drop(const struct log_place *place, const char *path, struct arena *arena)
{
	struct err err = { 0 };

	if (place->is_none)
		return;
	if (!place->folder)
		recorder_put_log(place->recorder, path, NULL, 0);
	else if (!fs_remove_tree(path_join(arena, place->folder, path), &err))
		log_line(LOG_WARN, "%s", err.text);
}
