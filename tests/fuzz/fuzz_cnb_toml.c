/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cnb_toml.c — the TOML files that the host reads after a build: metadata, groups, projects, run images. */
#include <stdint.h>

#include "buildexec/cnb/build_metadata.h"
#include "buildexec/cnb/project_order.h"
#include "buildexec/cnb/run_images.h"
#include "model/doc/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *any_version(void *ctx, const char *id, struct err *err)
{
	(void)ctx;
	(void)id;
	(void)err;
	return "1";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct launcher_source launcher = { "1", "", "" };
	struct arena *arena = arena_new();
	struct build_metadata metadata;
	struct run_images images;
	struct project project;
	struct group group;
	struct err err = { 0 };
	struct node *toml, *order;

	if (toml_parse((const char *)data, size, arena, &toml, &err)) {
		if (build_metadata_read(toml, arena, &metadata, &err)) {
			build_metadata_label(&metadata, &launcher, "0.14", arena);
			build_metadata_label(&metadata, &launcher, "0.7", arena);
		}
		if (project_read(toml, arena, &project, &err)) {
			project_keeps(&project, "some/path.c");
			if (!project_order(&project, toml, any_version, NULL, arena, &order, &err))
				err = (struct err){ 0 };
			for (size_t i = 0; i < project.group.n; i++)
				if (project.group.v[i].script)
					project_buildpack_toml(&project.group.v[i], arena);
		}
		if (!group_read(toml, arena, &group, &err))
			err = (struct err){ 0 };
		run_toml_read(toml, arena, &images);
		stack_toml_read(toml, arena, &images);
		project_metadata_label(toml, arena);
	}
	arena_free(arena);
	return 0;
}
