/* SPDX-License-Identifier: Apache-2.0 */
/* finished.c — see finished.h. Two lines: the build key, and the digest. */
#include "buildexec/custom/finished.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model/base/digest.h"

enum { FILE_MAX_BYTES = 4096 };

static const char *folder(const struct task *task)
{
	return path_join(task->arena, task->cache_dir, "custom");
}

/* Of the build config, or of a build without one. */
static const char *place(const struct task *task)
{
	const struct bc_request *config = task->request->config;
	const char *name = arena_printf(task->arena, "%s/%s", config->ns ? config->ns : "",
					config->config ? config->config : config->build);
	const struct digest digest = digest_of(name, strlen(name));

	return arena_printf(task->arena, "%s/%.32s", folder(task), digest_hex(digest.text));
}

bool custom_finished_read(const struct task *task, const char **digest)
{
	const char *key = task->request->build_key;
	struct err ignored = { 0 };
	char *text, *end;
	size_t len;

	if (!key ||
	    !fs_read_plain(place(task), FILE_MAX_BYTES, task->arena, &text, &len, &ignored) ||
	    !text || strncmp(text, key, strlen(key)) != 0 || text[strlen(key)] != '\n')
		return false;
	text += strlen(key) + 1;
	end = strchr(text, '\n');
	if (!end)
		return false;
	*end = '\0';
	*digest = text;
	return !*text || digest_is_valid(text);
}

bool custom_finished_forget(const struct task *task, struct err *err)
{
	const char *path = place(task);

	return unlink(path) == 0 || errno == ENOENT ||
	       err_sys(err, errno, "cannot remove '%s'", path);
}

void custom_finished_write(const struct task *task, const char *digest)
{
	const char *key = task->request->build_key;
	const char *text = arena_printf(task->arena, "%s\n%s\n", key ? key : "", digest);
	struct err ignored = { 0 };

	if (!key || !fs_make_dirs(folder(task), 0700, &ignored) ||
	    !fs_write_atomic(AT_FDCWD, place(task), text, strlen(text), 0600, true, &ignored))
		return;
}
