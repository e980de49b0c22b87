/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_layers_dir.c — the layers folder that a buildpack left, and what its env folders do to the variables of a process. The input is
 * texts ended by the byte 255; the first byte of each says which file it becomes, or which name a link gets that it is the target of.
 * Nothing is read through a link.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/env.h"
#include "buildexec/cnb/layers_dir.h"
#include "buildexec/sys/fs.h"
#include "tests/fuzz/folder.h"

enum { FILES_MAX = 24, LINK = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"a.toml", "b.toml", "store.toml", "launch.toml",       "build.toml", ".toml",
	"a",      "b",      "b/file",     "b/env/PATH.append", "c.toml",     "..toml",
};
static const char *const env_names[] = {
	"PATH", "PATH.append",     "PATH.prepend", "PATH.delim", "X.override", "X.default",
	"X",    "LD_LIBRARY_PATH", "X.other",      ".append",    "X.append",   "A=B.append",
};
static const char secret[] = "[metadata]\noutside = true\n";

static const char *text_of(const struct fuzz_part *part, struct arena *arena)
{
	return arena_copy(arena, part->data + 1, part->size - 1);
}

static void make(const char *dir, const struct fuzz_part *part, struct arena *arena)
{
	unsigned which = part->data[0];
	const char *name = names[which % LINK % COUNTOF(names)];
	const char *path = path_join(arena, dir, name), *text = text_of(part, arena);

	if (which >= LINK) {
		(void)!symlink(*text ? text : "../secret.toml", path);
	} else if (part->size == 1) {
		(void)!mkdir(path, 0755);
	} else {
		AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		struct err err = { 0 };

		/* Where a folder above is none, there is no such file. */
		if (fd >= 0 && !fd_write_all(fd, text, part->size - 1, &err))
			abort();
	}
}

static void check_layer(const struct fs_layer *layer, const char *dir)
{
	if (strncmp(layer->path, dir, strlen(dir)) != 0 || strchr(layer->record.name, '/'))
		BUG("'%s' is no layer of the folder", layer->path);
	if (layer->record.data && node_get(layer->record.data, "outside"))
		BUG("'%s' was read through a link", layer->record.name);
}

static void read_layers(const char *dir, struct arena *arena)
{
	static const struct api apis[] = { { 0, 5 }, { 0, 12 } };

	for (size_t i = 0; i < COUNTOF(apis); i++) {
		struct layers_dir layers;
		struct err err = { 0 };

		if (!layers_dir_read(dir, apis[i], arena, &layers, &err)) {
			if (err.kind == ERR_NONE)
				BUG("a failure without an error");
			continue;
		}
		for (size_t k = 0; k < layers.n; k++)
			check_layer(&layers.v[k], dir);
		if (layers.store && node_get(node_get(layers.store, "metadata"), "outside"))
			BUG("store.toml was read through a link");
	}
}

static void apply_env(const struct fuzz_part *parts, size_t n, struct arena *arena)
{
	static char path[] = "PATH=/bin", other[] = "X=x", *list[] = { path, other, NULL };
	struct env build = env_for_build(list, arena), launch = env_for_launch(list, arena);
	char **out;

	for (size_t i = 0; i < n; i++) {
		const char *name, *text, *delim;

		if (!parts[i].size)
			continue;
		name = env_names[parts[i].data[0] % COUNTOF(env_names)];
		text = text_of(&parts[i], arena);
		delim = i ? text_of(parts[i - 1].size ? &parts[i - 1] : &parts[i], arena) : NULL;
		(void)env_delim_file(name, arena);
		env_apply_file(&build, name, text, delim, (enum env_default)(i % 3));
		env_apply_file(&launch, name, text, delim, (enum env_default)(i % 3));
		env_apply_user(&build, name, text);
		env_prepend_path(&launch, name, text);
	}
	out = env_list(&build, arena);
	for (size_t i = 0; out[i]; i++)
		if (!strchr(out[i], '='))
			BUG("'%s' is no variable", out[i]);
	(void)env_list(&launch, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct fuzz_part parts[FILES_MAX];
	const char *dir = path_join(arena, fuzz_folder(), "layers");
	size_t n = fuzz_parts(data, size, parts, COUNTOF(parts));

	if (mkdir(dir, 0755) < 0)
		abort();
	fuzz_folder_file("secret.toml", (const uint8_t *)secret, sizeof(secret) - 1);
	for (size_t i = 0; i < n; i++)
		if (parts[i].size)
			make(dir, &parts[i], arena);
	read_layers(dir, arena);
	apply_env(parts, n, arena);
	arena_free(arena);
	return 0;
}
