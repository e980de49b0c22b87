/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c — processes, slices and labels: from launch.toml, merged, to metadata.toml and back.
 * The order of keys and what is left out are those of the reference's metadata.toml.
 */
#include "buildexec/cnb/process.h"

#include <string.h>

#include "buildexec/cnb/value.h"

static bool text_or_empty(const struct node *map, const char *key, const char **out,
			  struct err *err)
{
	if (!value_text(map, key, out, err))
		return false;
	if (!*out)
		*out = "";
	return true;
}

/* What launch.toml and metadata.toml have in common. */
static bool process_decode(const struct node *map, struct arena *arena, struct process *out,
			   struct err *err)
{
	*out = (struct process){ 0 };
	out->has_args = value_get(map, "args") != NULL;
	return text_or_empty(map, "type", &out->type, err) &&
	       value_texts(map, "args", arena, &out->args, err) &&
	       value_bool(map, "direct", &out->is_direct, err) &&
	       value_bool(map, "default", &out->is_default, err) &&
	       value_text(map, "working-dir", &out->working_dir, err) &&
	       value_texts(map, "exec-env", arena, &out->exec_envs, err);
}

/* One text up to Buildpack API 0.8, an array of texts from 0.9 on. */
static bool command_decode(const struct node *map, struct api api, struct arena *arena,
			   struct process *out, struct err *err)
{
	const char *text;

	if (api_at_least(api, 9)) {
		if (value_get(map, "direct"))
			return err_set(err, ERR_INVALID,
				       "line %u, column %u: process.direct is not supported on "
				       "this buildpack "
				       "version",
				       map->pos.line, map->pos.column);
		out->is_direct = true;
		return value_texts(map, "command", arena, &out->command, err);
	}
	if (!value_text(map, "command", &text, err))
		return false;
	if (!text)
		return value_fail(map, "command", "given for every process", err);
	vec_push(arena, &out->command, text);
	return true;
}

/* Every environment that `inner` is for is one of `outer`. */
static bool covers(const struct strings *outer, const struct strings *inner)
{
	if (outer->n == 0 || strings_has(outer, "*"))
		return true;
	if (inner->n == 0)
		return false;
	for (size_t i = 0; i < inner->n; i++)
		if (!strings_has(outer, inner->v[i]))
			return false;
	return true;
}

/* The same type for other execution environments. */
static bool is_for_others(const struct process *a, const struct process *b)
{
	return strcmp(a->type, b->type) == 0 && !covers(&a->exec_envs, &b->exec_envs) &&
	       !covers(&b->exec_envs, &a->exec_envs);
}

static void default_before_0_6(struct process *process, struct arena *arena,
			       struct launch_file *out)
{
	if (process->is_default)
		vec_push(arena, &out->ignored_defaults, process->type);
	process->is_default = strcmp(process->type, "web") == 0;
}

static bool processes_decode(const struct node *tree, const struct bp_descriptor *bp,
			     struct arena *arena, struct launch_file *out, struct err *err)
{
	const struct node *first;
	struct process deflt = { 0 };

	if (!value_tables(tree, "processes", &first, err))
		return false;
	for (; first; first = first->next) {
		struct process process;

		if (!process_decode(first, arena, &process, err) ||
		    !command_decode(first, bp->api, arena, &process, err))
			return false;
		if (!api_at_least(bp->api, 6))
			default_before_0_6(&process, arena, out);
		else if (process.is_default && deflt.type && !is_for_others(&process, &deflt))
			return err_set(err, ERR_INVALID,
				       "multiple default process types aren't allowed");
		if (process.is_default)
			deflt = process;
		process.buildpack_id = bp->element.id;
		if (process.working_dir && !api_at_least(bp->api, 8)) {
			out->has_ignored_dir = true;
			process.working_dir = NULL;
		}
		vec_push(arena, &out->processes, process);
	}
	return true;
}

static bool slices_decode(const struct node *tree, struct arena *arena, struct slices *out,
			  struct err *err)
{
	const struct node *first;

	if (!value_tables(tree, "slices", &first, err))
		return false;
	for (; first; first = first->next) {
		struct slice slice = { .has_paths = value_get(first, "paths") };

		if (!value_texts(first, "paths", arena, &slice.paths, err))
			return false;
		vec_push(arena, out, slice);
	}
	return true;
}

static bool labels_decode(const struct node *tree, struct arena *arena, struct labels *out,
			  struct err *err)
{
	const struct node *first;

	if (!value_tables(tree, "labels", &first, err))
		return false;
	for (; first; first = first->next) {
		struct label label;

		if (!text_or_empty(first, "key", &label.key, err) ||
		    !text_or_empty(first, "value", &label.value, err))
			return false;
		vec_push(arena, out, label);
	}
	return true;
}

bool launch_file_decode(const struct node *tree, const struct bp_descriptor *bp,
			struct arena *arena, struct launch_file *out, struct err *err)
{
	*out = (struct launch_file){ 0 };
	return processes_decode(tree, bp, arena, out, err) &&
	       slices_decode(tree, arena, &out->slices, err) &&
	       labels_decode(tree, arena, &out->labels, err) &&
	       boms_decode(tree, &bp->element, arena, &out->boms, err);
}

/*
 * By type; of one type, the one that was defined last goes first, since the launcher takes the first that fits its
 * environment. One that nobody would reach any more goes away.
 */
static void put_process(struct processes *list, const struct process *process, struct arena *arena)
{
	struct processes out = { 0 };
	bool is_in = false;

	for (size_t i = 0; i < list->n; i++) {
		int order = strcmp(list->v[i].type, process->type);

		if (order >= 0 && !is_in) {
			vec_push(arena, &out, *process);
			is_in = true;
		}
		if (order != 0 || !covers(&process->exec_envs, &list->v[i].exec_envs))
			vec_push(arena, &out, list->v[i]);
	}
	if (!is_in)
		vec_push(arena, &out, *process);
	*list = out;
}

static bool has_default(const struct processes *list, const char *type)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].is_default && strcmp(list->v[i].type, type) == 0)
			return true;
	return false;
}

const char *launch_metadata_add(struct launch_metadata *metadata, const struct launch_file *file,
				struct arena *arena)
{
	const char *lost = NULL;

	for (size_t i = 0; i < file->processes.n; i++) {
		const struct process *process = &file->processes.v[i];

		put_process(&metadata->processes, process, arena);
		if (process->is_default) {
			metadata->default_type = process->type;
			lost = NULL;
		} else if (metadata->default_type &&
			   strcmp(process->type, metadata->default_type) == 0 &&
			   !has_default(&metadata->processes, process->type)) {
			metadata->default_type = NULL;
			lost = process->type;
		}
	}
	for (size_t i = 0; i < file->slices.n; i++)
		vec_push(arena, &metadata->slices, file->slices.v[i]);
	for (size_t i = 0; i < file->labels.n; i++)
		vec_push(arena, &metadata->labels, file->labels.v[i]);
	for (size_t i = 0; i < file->boms.n; i++)
		vec_push(arena, &metadata->boms, file->boms.v[i]);
	return lost;
}

static struct node *texts_encode(const struct strings *texts, size_t from, struct node *seq,
				 struct arena *arena)
{
	for (size_t i = from; i < texts->n; i++)
		node_push(seq, node_string(arena, texts->v[i]));
	return seq;
}

static struct node *new_texts(const struct strings *texts, struct arena *arena)
{
	return texts_encode(texts, 0, node_new(arena, NODE_SEQ), arena);
}

/* Commands are printed with the escapes of JSON; see toml_print. */
static struct node *command_encode(const struct process *process, struct api platform,
				   struct arena *arena)
{
	struct node *command;

	if (!api_at_least(platform, 10)) {
		command = node_string(arena, process->command.n ? process->command.v[0] : "");
		command->is_block = true;
		return command;
	}
	command = new_texts(&process->command, arena);
	for (struct node *child = command->first; child; child = child->next)
		child->is_block = true;
	return command;
}

static struct node *process_encode(const struct process *process, struct api platform,
				   struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *args = node_new(arena, NODE_SEQ);
	bool is_old = !api_at_least(platform, 10);

	node_set_text(arena, map, "type", process->type);
	node_set(arena, map, "command", command_encode(process, platform, arena));
	/* Before 0.10 a command is one text, and what follows it goes to the arguments. */
	if (is_old)
		texts_encode(&process->command, 1, args, arena);
	texts_encode(&process->args, 0, args, arena);
	if (process->has_args || is_old)
		node_set(arena, map, "args", args);
	node_set(arena, map, "direct", node_bool(arena, process->is_direct));
	node_set_text(arena, map, "buildpack-id", process->buildpack_id);
	if (process->working_dir && *process->working_dir)
		node_set_text(arena, map, "working-dir", process->working_dir);
	if (process->exec_envs.n)
		node_set(arena, map, "exec-env", new_texts(&process->exec_envs, arena));
	return map;
}

static struct node *labels_encode(const struct labels *labels, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < labels->n; i++) {
		struct node *map = node_new(arena, NODE_MAP);

		node_set_text(arena, map, "key", labels->v[i].key);
		node_set_text(arena, map, "value", labels->v[i].value);
		node_push(seq, map);
	}
	return seq;
}

static struct node *slices_encode(const struct slices *slices, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < slices->n; i++) {
		struct node *map = node_new(arena, NODE_MAP);

		if (slices->v[i].has_paths)
			node_set(arena, map, "paths", new_texts(&slices->v[i].paths, arena));
		node_push(seq, map);
	}
	return seq;
}

struct node *launch_metadata_encode(const struct launch_metadata *metadata, struct api platform,
				    struct arena *arena)
{
	struct node *tree = node_new(arena, NODE_MAP), *seq = node_new(arena, NODE_SEQ);

	if (metadata->boms.n && !api_at_least(platform, 9))
		node_set(arena, tree, "bom", boms_encode(&metadata->boms, arena));
	group_set(tree, "buildpacks", &metadata->buildpacks, false, arena);
	group_set(tree, "extensions", &metadata->extensions, false, arena);
	if (metadata->labels.n)
		node_set(arena, tree, "labels", labels_encode(&metadata->labels, arena));
	for (size_t i = 0; i < metadata->processes.n; i++)
		node_push(seq, process_encode(&metadata->processes.v[i], platform, arena));
	node_set(arena, tree, "processes", seq);
	if (metadata->slices.n)
		node_set(arena, tree, "slices", slices_encode(&metadata->slices, arena));
	node_set_text(arena, tree, "buildpack-default-process-type", metadata->default_type);
	return tree;
}

/* metadata.toml has either form of a command. */
static bool command_decode_any(const struct node *map, struct arena *arena, struct process *out,
			       struct err *err)
{
	const struct node *command = value_get(map, "command");
	const char *text;

	if (!command || command->kind != NODE_STRING)
		return value_texts(map, "command", arena, &out->command, err);
	if (!value_text(map, "command", &text, err))
		return false;
	vec_push(arena, &out->command, text);
	return true;
}

bool launch_metadata_decode(const struct node *tree, struct arena *arena,
			    struct launch_metadata *out, struct err *err)
{
	const struct node *first;

	*out = (struct launch_metadata){ 0 };
	if (!group_decode(tree, "buildpacks", arena, &out->buildpacks, err) ||
	    !slices_decode(tree, arena, &out->slices, err) ||
	    !labels_decode(tree, arena, &out->labels, err) ||
	    !value_text(tree, "buildpack-default-process-type", &out->default_type, err) ||
	    !value_tables(tree, "processes", &first, err))
		return false;
	for (; first; first = first->next) {
		struct process process;

		if (!process_decode(first, arena, &process, err) ||
		    !command_decode_any(first, arena, &process, err) ||
		    !text_or_empty(first, "buildpack-id", &process.buildpack_id, err))
			return false;
		vec_push(arena, &out->processes, process);
	}
	return true;
}
