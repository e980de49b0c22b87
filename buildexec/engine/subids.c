/* SPDX-License-Identifier: Apache-2.0 */
/* subids.c — see subids.h. */
#include "buildexec/engine/subids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

enum { FILE_MAX_BYTES = 1 << 20, MAP_TIMEOUT_MS = 10000 };

static bool read_number(const char **at, unsigned long *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*out = strtoul(*at, &end, 10);
	*at = end;
	return errno == 0 && *out <= UINT32_MAX;
}

static bool parse_line(const char *line, const char *name, unsigned long id, unsigned long *first,
		       unsigned long *n)
{
	const char *colon = strchr(line, ':');
	size_t len = colon ? (size_t)(colon - line) : 0;
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%lu", id);
	if (!len || ((!name || strlen(name) != len || strncmp(line, name, len) != 0) &&
		     (strlen(digits) != len || strncmp(line, digits, len) != 0)))
		return false;
	line = colon + 1;
	return read_number(&line, first) && *line++ == ':' && read_number(&line, n) && *n > 0 &&
	       (*line == '\n' || !*line) && *first + *n <= UINT32_MAX;
}

bool subids_parse(const char *text, const char *name, unsigned long id, unsigned long *first,
		  unsigned long *n)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (parse_line(line, name, id, first, n))
			return true;
	}
	*first = *n = 0;
	return false;
}

static bool read_range(const char *path, const char *name, struct arena *arena,
		       unsigned long *first, unsigned long *n, struct err *err)
{
	char *text;
	size_t len;

	if (!fs_read(AT_FDCWD, path, FILE_MAX_BYTES, arena, &text, &len, err))
		return false;
	(void)subids_parse(text ? text : "", name, geteuid(), first, n);
	return true;
}

bool subids_read(struct arena *arena, struct subids *out, struct err *err)
{
	char path[PATH_MAX], text[4096];
	struct passwd entry, *found = NULL;
	const char *name;

	*out = (struct subids){ .arena = arena };
	if (geteuid() == 0 || !proc_find("newuidmap", path) || !proc_find("newgidmap", path))
		return true;
	if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) != 0)
		found = NULL;
	name = found ? arena_strdup(arena, found->pw_name) : NULL;
	if (!read_range("/etc/subuid", name, arena, &out->first_uid, &out->n_uids, err) ||
	    !read_range("/etc/subgid", name, arena, &out->first_gid, &out->n_gids, err))
		return false;
	if (!out->n_uids || !out->n_gids)
		out->n_uids = out->n_gids = 0;
	return true;
}

static bool map_one(struct arena *arena, const char *program, pid_t pid, unsigned own,
		    unsigned long first, unsigned long n)
{
	const char *const argv[] = { program,
				     arena_printf(arena, "%d", (int)pid),
				     "0",
				     arena_printf(arena, "%u", own),
				     "1",
				     "1",
				     arena_printf(arena, "%lu", first),
				     arena_printf(arena, "%lu", n),
				     NULL };
	const struct proc_spec spec = { .argv = argv, .timeout_ms = MAP_TIMEOUT_MS };
	struct proc_result result = { 0 };
	struct err ignored = { 0 };

	if (proc_run(&spec, &result, &ignored) && result.exit_code == 0)
		return true;
	errno = EPERM;
	return false;
}

bool subids_map(const struct subids *ids, pid_t pid)
{
	return map_one(ids->arena, "newuidmap", pid, (unsigned)geteuid(), ids->first_uid,
		       ids->n_uids) &&
	       map_one(ids->arena, "newgidmap", pid, (unsigned)getegid(), ids->first_gid,
		       ids->n_gids);
}
