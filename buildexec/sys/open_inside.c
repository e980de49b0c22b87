/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_inside.c — see open_inside.h. The walk keeps a path of which it knows that no part is a link, and what is left of the
 * name; a link's target is put before what is left.
 */
#include "buildexec/sys/open_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

static const uint64_t resolves[] = {
	[INSIDE_ROOT] = RESOLVE_IN_ROOT,
	[INSIDE_BENEATH] = RESOLVE_BENEATH,
	[INSIDE_NO_LINKS] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
};
_Static_assert(sizeof(resolves) / sizeof(*resolves) == INSIDES, "say how each is resolved");

struct walk {
	int root_fd;
	enum inside inside;
	bool keeps_last; /* a link at the end is not followed */
	unsigned n_links;
	char real[PATH_MAX]; /* without links; "" is the root */
	char rest[PATH_MAX];
	size_t at; /* what of `rest` is done */
};

static bool stop(int sys)
{
	errno = sys;
	return false;
}

static bool has_more(const struct walk *walk)
{
	const char *at = walk->rest + walk->at;

	return at[strspn(at, "/")] != '\0';
}

static bool go_up(struct walk *walk)
{
	char *slash = strrchr(walk->real, '/');

	if (!*walk->real && walk->inside != INSIDE_ROOT)
		return stop(EXDEV);
	*(slash ? slash : walk->real) = '\0';
	return true;
}

/* The link at `real` is replaced by its target. */
static bool follow(struct walk *walk, const char *target)
{
	char rest[PATH_MAX];

	if (walk->inside == INSIDE_NO_LINKS || ++walk->n_links > LINKS_MAX)
		return stop(ELOOP);
	if (*target == '/' && walk->inside != INSIDE_ROOT)
		return stop(EXDEV);
	if (snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest + walk->at) >=
	    (int)sizeof(rest))
		return stop(ENAMETOOLONG);
	memcpy(walk->rest, rest, strlen(rest) + 1);
	walk->at = 0;
	if (*target == '/')
		*walk->real = '\0';
	else
		*(strrchr(walk->real, '/') ? strrchr(walk->real, '/') : walk->real) = '\0';
	return true;
}

static bool go_down(struct walk *walk, const char *name, size_t n)
{
	bool is_last = !has_more(walk);
	size_t len = strlen(walk->real);
	char target[PATH_MAX];
	struct stat st;
	ssize_t got;

	if (snprintf(walk->real + len, sizeof(walk->real) - len, "%s%.*s", len ? "/" : "", (int)n,
		     name) >= (int)(sizeof(walk->real) - len))
		return stop(ENAMETOOLONG);
	if (is_last && walk->keeps_last)
		return true;
	got = readlinkat(walk->root_fd, walk->real, target, sizeof(target) - 1);
	if (got >= 0) {
		target[got] = '\0';
		return follow(walk, target);
	}
	if (is_last)
		return true; /* opening says what is wrong */
	if (errno != EINVAL || fstatat(walk->root_fd, walk->real, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return S_ISDIR(st.st_mode) || stop(ENOTDIR);
}

static bool take_part(struct walk *walk)
{
	char name[NAME_MAX + 1];
	const char *at = walk->rest + walk->at;
	size_t n;

	at += strspn(at, "/");
	n = strcspn(at, "/");
	if (n > NAME_MAX)
		return stop(ENAMETOOLONG);
	memcpy(name, at, n); /* a link's target takes the place of the rest */
	walk->at = (size_t)(at - walk->rest) + n;
	if (n == 0 || (n == 1 && *name == '.'))
		return true;
	if (n == 2 && memcmp(name, "..", 2) == 0)
		return go_up(walk);
	return go_down(walk, name, n);
}

int open_inside_walk(int root_fd, const char *path, uint64_t flags, enum inside inside)
{
	struct walk walk = { .root_fd = root_fd,
			     .inside = inside,
			     .keeps_last = flags & O_NOFOLLOW };

	if (strlen(path) >= sizeof(walk.rest))
		return errno = ENAMETOOLONG, -1;
	if (*path == '/' && inside != INSIDE_ROOT)
		return errno = EXDEV, -1;
	memcpy(walk.rest, path, strlen(path) + 1);
	while (has_more(&walk))
		if (!take_part(&walk))
			return -1;
	return openat(root_fd, *walk.real ? walk.real : ".", (int)flags | O_NOFOLLOW | O_CLOEXEC);
}

int open_inside(int root_fd, const char *path, uint64_t flags, enum inside inside)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolves[inside] };
	int fd = (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 && errno == ENOSYS ? open_inside_walk(root_fd, path, flags, inside) : fd;
}
