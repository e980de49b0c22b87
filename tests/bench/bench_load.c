/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_load.c — manifests into a checked model, against reading and against a bare libyaml event scan of the same files
 * (one thread, one parser per file: what any loader on libyaml pays at least), and against programs of other people.
 * Options: --smoke (20 files, one round), --images=N, --rounds=N, --folder=F (of the manifests; kept), --threads=N,
 * --profile (our loader alone, for perf and callgrind).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "reconcile/load.h"
#include "tests/bench/contest.h"
#include "tests/bench/fixture.h"

struct work {
	const char *folder;
	size_t n_objects; /* to be found: images and what they refer to */
	size_t threads;
	bool is_scan;
};

static bool load(void *ctx, struct err *err)
{
	const struct work *work = ctx;
	struct load_spec spec = { .path = work->folder, .threads = work->threads };
	struct arena *arena = arena_new();
	struct loaded loaded;
	bool done;

	if (!load_manifests(&spec, arena, &loaded, err))
		return false;
	if (loaded.diags.n_errors)
		return err_set(err, ERR_INVALID, "%s", loaded.diags.list.v[0].text);
	done = loaded.model.objects.n == work->n_objects;
	if (!done)
		err_set(err, ERR_INVALID, "%zu objects found of %zu", loaded.model.objects.n,
			work->n_objects);
	loaded_release(&loaded);
	arena_free(arena);
	return done;
}

static bool scan(const char *text, size_t len)
{
	yaml_parser_t parser;
	bool done = false;

	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;

		if (!yaml_parser_parse(&parser, &event))
			break;
		type = event.type;
		yaml_event_delete(&event);
		done = type == YAML_STREAM_END_EVENT;
		if (done)
			break;
	}
	yaml_parser_delete(&parser);
	return done;
}

static bool scan_file(int dir, const char *name, bool is_scan)
{
	char text[16384];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return n > 0 && (!is_scan || scan(text, (size_t)n));
}

static bool scan_folder(const char *path, bool is_scan, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool done = dir != NULL;

	while (done && (entry = readdir(dir)) != NULL) {
		char below[512];

		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type != DT_DIR) {
			done = scan_file(dirfd(dir), entry->d_name, is_scan);
			continue;
		}
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		done = scan_folder(below, is_scan, err);
	}
	if (dir)
		closedir(dir);
	return done || err_set(err, ERR_INVALID, "cannot scan '%s'", path);
}

static bool scan_all(void *ctx, struct err *err)
{
	const struct work *work = ctx;

	return scan_folder(work->folder, work->is_scan, err);
}

static const char python[] = "import sys,os,yaml\n"
			     "for d,_,fs in os.walk(sys.argv[1]):\n"
			     "  for f in fs:\n"
			     "    for x in yaml.load_all(open(os.path.join(d,f),'rb'),"
			     "Loader=yaml.CSafeLoader): pass\n";

/* kustomize wants a list of its files, and 1,000 of them take it a second: measured once. */
static void write_kustomization(const char *folder, size_t n_images)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(1 << 24);
	struct err err = { 0 };

	buf_printf(&text, "resources:\n- base.yaml\n");
	for (size_t i = 0; i < n_images && i < FIXTURE_NAMESPACES; i++)
		buf_printf(&text, "- %s/builder.yaml\n", fixture_namespace(i, arena));
	for (size_t i = 0; i < n_images; i++)
		buf_printf(&text, "- %s/%s.yaml\n", fixture_namespace(i, arena),
			   fixture_image(i, arena));
	if (!fs_write_atomic(AT_FDCWD, path_join(arena, folder, "kustomization.yaml"), text.data,
			     text.len, 0644, false, &err))
		bench_die("%s", err.text);
	arena_free(arena);
}

static void run_peers(const struct work *work, const struct entrant *base, size_t n_images)
{
	const char *argv_python[] = { "python3", "-c", python, work->folder, NULL };
	const char *argv_kustomize[] = { "kubectl", "kustomize", work->folder, NULL };
	struct entrant peers[] = { { .name = "python3, yaml.CSafeLoader", .argv = argv_python },
				   { .name = "kubectl kustomize", .argv = argv_kustomize } };

	printf("\npeers, once; ratio to the libyaml scan\n");
	if (bench_has((const char *const[]){ "python3", "-c", "from yaml import CSafeLoader",
					     NULL })) {
		contest_run(&peers[0], 1, 1);
		contest_print("", &peers[0], 1, base);
	}
	/* It is worse than linear: minutes for 10,000. */
	if (n_images <= 1000 &&
	    bench_has((const char *const[]){ "kubectl", "version", "--client", NULL })) {
		write_kustomization(work->folder, n_images);
		contest_run(&peers[1], 1, 1);
		contest_print("", &peers[1], 1, base);
	}
}

int main(int argc, char **argv)
{
	bool is_smoke = bench_option(argc, argv, "--smoke") != NULL;
	const char *images = bench_option(argc, argv, "--images"),
		   *rounds = bench_option(argc, argv, "--rounds"),
		   *kept = bench_option(argc, argv, "--folder"),
		   *threads = bench_option(argc, argv, "--threads");
	size_t n = is_smoke ? 20 : images ? strtoul(images, NULL, 10) : 10000;
	size_t n_spaces = n < FIXTURE_NAMESPACES ? n : FIXTURE_NAMESPACES;
	struct work work = { .n_objects = n + 2 * n_spaces + 2,
			     .threads = threads ? strtoul(threads, NULL, 10) : 0 };
	struct work one = work, scanning, reading;
	struct err err = { 0 };
	struct arena *arena = arena_new();
	char title[100];

	work.folder = kept ? kept : path_join(arena, bench_folder(), "manifests");
	if (!fs_exists(work.folder) &&
	    !fixture_write(&(struct fixture){ .n_images = n }, work.folder, &err))
		bench_die("%s", err.text);
	one.folder = work.folder;
	one.threads = 1;
	reading = scanning = work;
	scanning.is_scan = true;
	if (bench_option(argc, argv, "--profile"))
		return load(&one, &err) ? 0 : 1;
	struct entrant entrants[] = {
		{ .name = "libyaml event scan, 1 thread", .run = scan_all, .ctx = &scanning },
		{ .name = "reading the files", .run = scan_all, .ctx = &reading },
		{ .name = "our loader: decode, validate, link; all cores",
		  .run = load,
		  .ctx = &work },
		{ .name = "our loader, 1 thread", .run = load, .ctx = &one },
	};
	contest_run(entrants, COUNTOF(entrants),
		    is_smoke ? 1
		    : rounds ? (unsigned)strtoul(rounds, NULL, 10)
			     : 15);
	snprintf(title, sizeof(title), "load: %zu images, one file each", n);
	contest_print(title, entrants, COUNTOF(entrants), &entrants[0]);
	contest_goal("loader / scan", entrants[2].wall_ms / entrants[0].wall_ms, 1.0, "x");
	if (n >= 10000)
		contest_goal("memory", entrants[2].rss_mib, 60, " MiB");
	if (!is_smoke && !kept)
		run_peers(&work, &entrants[0], n);
	arena_free(arena);
	bench_clean();
	return 0;
}
