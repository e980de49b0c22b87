/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_buildpack.c — every TOML file that buildpacks and builders write, through every decoder: read or refused. Plans that
 * were read resolve or do not; what is printed of them reads again.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "buildexec/cnb/build_plan.h"
#include "buildexec/cnb/layer_file.h"
#include "buildexec/cnb/process.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct node *print_and_read(const struct node *tree, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(4u << 20);
	struct node *again = NULL;
	struct err err = { 0 };

	toml_print(tree, &text);
	if (text.is_over || text.len > LIMIT_TOML_BYTES)
		return NULL;
	if (!toml_parse(buf_text(&text), text.len, arena, &again, &err))
		BUG("printed text does not read: %s", err.text);
	return again;
}

static void try_layer(const struct node *tree, unsigned minor, struct arena *arena)
{
	const struct api api = { 0, minor };
	struct layer_file layer, again;
	struct err err = { 0 };
	const struct node *read;

	if (!layer_file_decode(tree, api, &layer, &err))
		return;
	read = print_and_read(layer_file_encode(&layer, api, arena), arena);
	if (read && !layer_file_decode(read, api, &again, &err))
		BUG("a layer's file is not read again: %s", err.text);
}

static void try_buildpack_plan(const struct node *tree, unsigned minor, struct arena *arena)
{
	struct plan_requires requires, again;
	struct err err = { 0 };
	const struct node *read;

	if (!buildpack_plan_decode(tree, arena, &requires, &err))
		return;
	read = print_and_read(buildpack_plan_encode(&requires, (struct api){ 0, minor }, arena),
			      arena);
	if (read && (!buildpack_plan_decode(read, arena, &again, &err) || again.n != requires.n))
		BUG("a buildpack's plan reads as another one: %s", err.text);
}

static void try_plan(const struct node *tree, unsigned minor, struct arena *arena)
{
	struct plan_candidate candidates[2] = {
		{ .element = { .id = "a", .version = "1" } },
		{ .element = { .id = "b", .version = "1", .is_optional = true } }
	};
	struct plan_result result;
	struct build_plan plan;
	struct err err = { 0 };
	const struct node *again;

	if (!plan_options_decode(tree, (struct api){ 0, minor }, arena, &candidates[0].options,
				 &err) ||
	    candidates[0].options.n > 30)
		return;
	candidates[1].options = candidates[0].options;
	if (!build_plan_resolve(candidates, 2, arena, &result, &err) || !result.is_found)
		return;
	again = print_and_read(build_plan_encode(&result.plan, arena), arena);
	if (again && (!build_plan_decode(again, arena, &plan, &err) || plan.n != result.plan.n))
		BUG("a plan reads as another one");
}

static void try_launch(const struct node *tree, unsigned minor, struct arena *arena)
{
	struct bp_descriptor bp = { .element = { .id = "a", .version = "1", .api = "0.10" },
				    .api = { 0, minor } };
	struct launch_metadata metadata = { 0 }, again;
	struct launch_file file;
	struct err err = { 0 };
	const struct node *read;

	if (!launch_file_decode(tree, &bp, arena, &file, &err))
		return;
	launch_metadata_add(&metadata, &file, arena);
	vec_push(arena, &metadata.buildpacks, bp.element);
	read = print_and_read(launch_metadata_encode(&metadata, (struct api){ 0, minor }, arena),
			      arena);
	if (read && (!launch_metadata_decode(read, arena, &again, &err) ||
		     again.processes.n != metadata.processes.n))
		BUG("metadata reads as something else: %s", err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct bp_descriptor descriptor;
	struct launch_metadata metadata;
	struct bp_order order;
	struct bp_group group;
	struct bp_target target;
	struct node *tree;
	struct err err = { 0 };

	if (toml_parse((const char *)data, size, arena, &tree, &err)) {
		if (descriptor_decode(tree, true, arena, &descriptor, &err))
			target_fits(&(struct bp_target){ .os = "linux" }, &descriptor.targets);
		if (order_decode(tree, arena, &order, &err) &&
		    order_add_system(&order, tree, arena, &err))
			err = (struct err){ 0 };
		if (group_decode(tree, GROUP_KEY, arena, &group, &err))
			print_and_read(group_encode(&group, arena), arena);
		if (target_decode(tree, arena, &target, &err))
			target_complete(&target, NULL, "amd64", arena);
		for (unsigned minor = 2; minor < 11; minor += 3) {
			try_layer(tree, minor, arena);
			try_buildpack_plan(tree, minor, arena);
			try_plan(tree, minor, arena);
		}
		if (launch_metadata_decode(tree, arena, &metadata, &err))
			launch_metadata_encode(&metadata, (struct api){ 0, 10 }, arena);
		for (unsigned minor = 5; minor < 11; minor++)
			try_launch(tree, minor, arena);
	}
	arena_free(arena);
	return 0;
}
