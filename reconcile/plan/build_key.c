/* SPDX-License-Identifier: Apache-2.0 */
/* build_key.c — see build_key.h. The key is the digest of compact JSON with keys in a fixed order. */
#include "reconcile/plan/build_key.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "reconcile/plan/rules.h"

bool reasons_name(const char *reasons, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = reasons; at && *at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

static struct node *source_node(const struct attempt *in, struct arena *arena)
{
	const struct source *source = &in->source;
	struct node *map = node_new(arena, NODE_MAP);
	const char *sub_path = sub_path_clean(source->sub_path, arena);

	if (source->git) {
		const char *tree = sub_path[0] ? in->git_tree : NULL;

		if (!tree && !source->git->revision)
			return NULL;
		node_set_text(arena, map, "git", source->git->url);
		node_set_text(arena, map, tree ? "tree" : "commit",
			      tree ? tree : source->git->revision);
		if (source->git->has_submodules)
			node_set(arena, map, "submodules", node_bool(arena, true));
	} else {
		const char *part = sub_path[0] ? in->part : NULL;

		if (!in->content)
			return NULL;
		node_set_text(arena, map,
			      source->registry ? "registry"
			      : source->local  ? "local"
					       : "blob",
			      part ? part : in->content);
		if (source->blob)
			node_set(arena, map, "stripComponents",
				 node_int(arena, source->blob->strip_components));
	}
	if (sub_path[0])
		node_set_text(arena, map, "subPath", sub_path);
	return map;
}

static struct node *row(struct arena *arena, const char *const *texts, size_t n)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < n; i++)
		node_push(seq, node_string(arena, texts[i] ? texts[i] : ""));
	return seq;
}

static struct node *env_rows(const struct list *env, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);
		const char *const texts[] = { var->name, var->value };

		node_push(seq, row(arena, texts, COUNTOF(texts)));
	}
	return seq;
}

static struct node *service_rows(const struct list *services, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < services->n; i++) {
		const struct object_ref *ref = LIST_AT(*services, struct object_ref, i);
		const char *const texts[] = { ref->kind, ref->api_version, ref->ns, ref->name };

		node_push(seq, row(arena, texts, COUNTOF(texts)));
	}
	return seq;
}

static struct node *binding_rows(const struct list *bindings, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < bindings->n; i++) {
		const struct binding *b = LIST_AT(*bindings, struct binding, i);
		const char *const texts[] = { b->name, b->metadata_name, b->secret_name };

		node_push(seq, row(arena, texts, COUNTOF(texts)));
	}
	return seq;
}

/* By value: "500m" and "0.5" are the same quantity. */
static struct node *quantities(const struct pairs *pairs, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < pairs->n; i++) {
		const struct pair *pair = &pairs->v[i];
		int64_t milli;

		if (quantity_parse(pair->value, &milli))
			node_set(arena, map, pair->key, node_int(arena, milli));
		else
			node_set_text(arena, map, pair->key, pair->value);
	}
	node_sort_keys(map);
	return map;
}

static struct node *pairs_node(const struct pairs *pairs, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < pairs->n; i++)
		node_set_text(arena, map, pairs->v[i].key, pairs->v[i].value);
	node_sort_keys(map);
	return map;
}

char *build_key(const struct attempt *in, struct arena *arena)
{
	struct node *source = source_node(in, arena), *map = node_new(arena, NODE_MAP);
	const char *builder = image_identifier(in->builder_image, arena);
	const char *run = image_identifier(in->run_image, arena);
	AUTO_BUF text = BUF_INIT(LIMIT_HTTP_BODY);
	struct digest digest;

	if (!source || !builder || !run)
		return NULL;
	node_set(arena, map, "format", node_int(arena, BUILD_FORMAT));
	node_set(arena, map, "source", source);
	node_set_text(arena, map, "builder", builder);
	node_set_text(arena, map, "runImage", run);
	node_set_text(arena, map, "chosenRunImage", pin_digest(in->chosen_run.latest));
	node_set(arena, map, "env", env_rows(&in->env, arena));
	node_set(arena, map, "services", service_rows(&in->services, arena));
	node_set(arena, map, "bindings", binding_rows(&in->bindings, arena));
	node_set(arena, map, "limits", quantities(&in->resources.limits, arena));
	node_set(arena, map, "requests", quantities(&in->resources.requests, arena));
	node_set_text(arena, map, "defaultProcess", in->default_process);
	node_set_text(arena, map, "projectDescriptor", in->project_descriptor);
	node_set_text(arena, map, "creationTime", in->creation_time);
	node_set_text(arena, map, "bindingContents", in->binding_contents);
	if (reasons_name(in->reason, "TRIGGER"))
		node_set_text(arena, map, "trigger", in->trigger ? in->trigger : "");
	/* As with a trigger: it is asked for, though nothing that goes into the image differs. */
	if (reasons_name(in->reason, "IMAGE"))
		node_set(arena, map, "watched", pairs_node(&in->watched, arena));
	json_print(map, JSON_COMPACT, &text);
	digest = digest_of(buf_text(&text), text.len);
	return arena_strdup(arena, digest.text);
}
