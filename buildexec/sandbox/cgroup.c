/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c — a controller lives either in a version 1 hierarchy of its own or in the version 2 tree. Where we may make a
 * group depends on the machine: below our own group, beside it (version 2 allows no processes in inner groups), or at the
 * top. The candidates are tried in that order; the first that has the control file wins.
 */
#include "buildexec/sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sandbox/devices.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"

enum { TEXT_MAX = 256 * 1024, CANDIDATES = 4, REMOVE_TRIES = 100, CPU_PERIOD_US = 100000 };

static const char group_prefix[] = "reconcile-";

/* In the order of the directories of struct cgroup. */
static const struct controller {
	unsigned bit;
	const char *name, *v1_file, *v2_file;
} controllers[CGROUP_DIRS] = {
	{ SANDBOX_MEMORY, "memory", "memory.limit_in_bytes", "memory.max" },
	{ SANDBOX_CPU, "cpu", "cpu.cfs_quota_us", "cpu.max" },
	{ SANDBOX_PIDS, "pids", "pids.max", "pids.max" },
	{ 0, "devices", "devices.allow", NULL },
};

/* Where groups of a controller may be made. */
struct place {
	bool is_v2;
	char candidates[CANDIDATES][PATH_MAX];
	size_t n;
};

static char *read_text(struct arena *arena, const char *path)
{
	struct err ignored = { 0 };
	char *text;
	size_t len;

	return fs_read(AT_FDCWD, path, TEXT_MAX, arena, &text, &len, &ignored) ? text : NULL;
}

/* Control files take a value with one write. */
static bool write_value(const char *dir, const char *file, const char *value)
{
	char path[PATH_MAX + 64];
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
}

static bool has_file(const char *dir, const char *file)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

/* True when `list`, separated by commas or blanks, holds the word. */
static bool has_word(const char *list, size_t len, const char *word)
{
	const char *end = list + len;

	while (list < end) {
		size_t n = 0;

		while (list + n < end && !strchr(", \n", list[n]))
			n++;
		if (n == strlen(word) && memcmp(list, word, n) == 0)
			return true;
		list += n + 1;
	}
	return false;
}

/* Our path in a hierarchy: the line "id:controllers:path" of /proc/self/cgroup; version 2 has no controllers there. */
static bool own_path(const char *text, const char *controller, char *out, size_t cap)
{
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *names = strchr(line, ':');
		const char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			return false;
		names++;
		if (controller ? has_word(names, (size_t)(path - names), controller)
			       : path == names)
			return snprintf(out, cap, "%.*s", (int)strcspn(path + 1, "\n"), path + 1) <
			       (int)cap;
	}
	return false;
}

/*
 * The mount point of a hierarchy from /proc/self/mountinfo: "… root point options … - type source super-options".
 * `controller` NULL: version 2.
 */
static bool mount_point(const char *text, const char *controller, char *out, size_t cap)
{
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t len = strcspn(line, "\n");
		const char *dash = memmem(line, len, " - ", 3);
		char point[1024], type[64], options[1024] = "";

		if (!dash || sscanf(line, "%*s %*s %*s %*s %1023s", point) != 1 ||
		    sscanf(dash + 3, "%63s %*s %1023s", type, options) < 1)
			continue;
		if (strcmp(type, controller ? "cgroup" : "cgroup2") != 0)
			continue;
		if (!controller || has_word(options, strlen(options), controller))
			return snprintf(out, cap, "%s", point) < (int)cap;
	}
	return false;
}

static void add_candidate(struct place *place, const char *point, const char *path)
{
	struct stat st;
	char *at = place->candidates[place->n];
	int n = snprintf(at, PATH_MAX, "%s%s", point, strcmp(path, "/") == 0 ? "" : path);

	if (n > 0 && n < PATH_MAX && stat(at, &st) == 0 && place->n < CANDIDATES - 1)
		place->n++;
}

static bool find_place(struct arena *arena, const struct controller *controller,
		       struct place *place)
{
	char *mounts = read_text(arena, "/proc/self/mountinfo");
	char *own = read_text(arena, "/proc/self/cgroup");
	char point[1024], path[PATH_MAX] = "/";
	char *slash;

	*place = (struct place){ 0 };
	if (!mounts || !own)
		return false;
	if (mount_point(mounts, controller->name, point, sizeof(point))) {
		own_path(own, controller->name, path, sizeof(path));
		add_candidate(place, point, path);
		add_candidate(place, point, "/");
		return place->n > 0;
	}
	if (!mount_point(mounts, NULL, point, sizeof(point)))
		return false;
	place->is_v2 = true;
	own_path(own, NULL, path, sizeof(path));
	slash = strrchr(path, '/');
	if (slash && slash != path) {
		*slash = '\0';
		add_candidate(place, point, path);
		*slash = '/';
	}
	add_candidate(place, point, path);
	add_candidate(place, point, "/");
	return place->n > 0;
}

static void value_of(const struct controller *controller, const struct sandbox_limits *limits,
		     bool is_v2, char out[64])
{
	int64_t quota_us = limits->cpu_millis * CPU_PERIOD_US / 1000;

	if (controller->bit == SANDBOX_MEMORY)
		snprintf(out, 64, "%" PRId64, limits->memory_bytes);
	else if (controller->bit == SANDBOX_PIDS)
		/* The runtime waits in the group too. */
		snprintf(out, 64, "%" PRId64, limits->n_pids + 1);
	else if (is_v2)
		snprintf(out, 64, "%" PRId64 " %d", quota_us, CPU_PERIOD_US);
	else
		snprintf(out, 64, "%" PRId64, quota_us);
}

static bool is_wanted(const struct controller *controller, const struct sandbox_limits *limits)
{
	return (controller->bit == SANDBOX_MEMORY && limits->memory_bytes > 0) ||
	       (controller->bit == SANDBOX_CPU && limits->cpu_millis > 0) ||
	       (controller->bit == SANDBOX_PIDS && limits->n_pids > 0) ||
	       (controller->bit == 0 && geteuid() == 0);
}

/* Swap would let the limit be passed; a kernel that does not count it has no such file. */
static void forbid_swap(const char *dir, bool is_v2, const char *value)
{
	(void)!write_value(dir, is_v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
			   is_v2 ? "0" : value);
}

static bool set_value(const char *dir, const struct place *place,
		      const struct controller *controller, const struct sandbox_limits *limits)
{
	char value[64];

	if (!controller->bit)
		return devices_limit(dir, place->is_v2);
	value_of(controller, limits, place->is_v2, value);
	if (!write_value(dir, place->is_v2 ? controller->v2_file : controller->v1_file, value))
		return false;
	if (controller->bit == SANDBOX_MEMORY)
		forbid_swap(dir, place->is_v2, value);
	return true;
}

static bool make_in(char *dir, const struct place *place, const char *name,
		    const struct controller *controller, const struct sandbox_limits *limits)
{
	const char *file = place->is_v2 ? controller->v2_file : controller->v1_file;
	char enable[64];

	snprintf(enable, sizeof(enable), "+%s", controller->name);
	for (size_t i = 0; i < place->n; i++) {
		int n = snprintf(dir, PATH_MAX, "%s/%s", place->candidates[i], name);

		bool is_new;

		if (n < 0 || n >= PATH_MAX)
			continue;
		is_new = mkdir(dir, 0755) == 0;
		if (!is_new && errno != EEXIST)
			continue;
		if (place->is_v2 && file && !has_file(dir, file))
			(void)!write_value(place->candidates[i], "cgroup.subtree_control", enable);
		if (set_value(dir, place, controller, limits))
			return true;
		/* In version 2 the controllers share one. */
		if (is_new)
			rmdir(dir);
	}
	dir[0] = '\0';
	return false;
}

/* "<prefix><pid>-<start time>-<random>": whether the owner lives can be told from the name. */
static void make_name(char out[96])
{
	unsigned char raw[6];
	char hex[13];

	random_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	snprintf(out, 96, "%s%d-%llu-%s", group_prefix, (int)getpid(), proc_start_time(getpid()),
		 hex);
}

void cgroup_make(struct cgroup *cgroup, const struct sandbox_limits *limits)
{
	struct arena *arena = arena_new();
	char name[96];

	*cgroup = (struct cgroup){ 0 };
	make_name(name);
	for (size_t i = 0; i < CGROUP_DIRS; i++) {
		struct place place;

		if (!is_wanted(&controllers[i], limits))
			continue;
		if (!find_place(arena, &controllers[i], &place) ||
		    !make_in(cgroup->dirs[i], &place, name, &controllers[i], limits))
			cgroup->missed |= controllers[i].bit;
	}
	arena_free(arena);
}

void cgroup_add(struct cgroup *cgroup, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < CGROUP_DIRS; i++)
		if (cgroup->dirs[i][0] && !write_value(cgroup->dirs[i], "cgroup.procs", text))
			cgroup->missed |= controllers[i].bit;
}

bool cgroup_had_oom(const struct cgroup *cgroup)
{
	static const char *const files[] = { "memory.events", "memory.oom_control" };
	struct arena *arena = arena_new();
	bool is_oom = false;

	for (size_t i = 0; i < COUNTOF(files) && cgroup->dirs[0][0]; i++) {
		const char *text = read_text(arena, path_join(arena, cgroup->dirs[0], files[i]));
		const char *at = text ? strstr(text, "oom_kill ") : NULL;

		if (at && strtoull(at + 9, NULL, 10) > 0)
			is_oom = true;
	}
	arena_free(arena);
	return is_oom;
}

void cgroup_remove(struct cgroup *cgroup)
{
	for (size_t i = 0; i < CGROUP_DIRS; i++) {
		/* The kernel takes a moment to let go of processes that it has reported dead. */
		for (int try = 0; cgroup->dirs[i][0] && try < REMOVE_TRIES; try++) {
			if (rmdir(cgroup->dirs[i]) == 0 || errno != EBUSY)
				cgroup->dirs[i][0] = '\0';
			else
				clock_sleep_ms(5);
		}
	}
}

static void sweep_dir(const char *dir)
{
	const struct dirent *entry;
	DIR *list = opendir(dir);

	if (!list)
		return;
	while ((entry = readdir(list))) {
		unsigned long long started;
		int pid;

		if (sscanf(entry->d_name, "reconcile-%d-%llu-", &pid, &started) == 2 &&
		    proc_start_time(pid) != started)
			unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
	}
	closedir(list);
}

void cgroup_sweep(void)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < CGROUP_DIRS; i++) {
		struct place place;

		if (!find_place(arena, &controllers[i], &place))
			continue;
		for (size_t k = 0; k < place.n; k++)
			sweep_dir(place.candidates[k]);
	}
	arena_free(arena);
}
