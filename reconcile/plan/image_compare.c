/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_compare.c — see image_compare.h. COMMIT and CONFIG are held against the last attempt, failed or not. BUILDER, STACK
 * and LIFECYCLE are held against what a success was made of; of a failed one, whose buildpacks nobody knows, against the
 * builder image it was given (design §5: any input that differs is a reason to try again).
 */
#include "reconcile/plan/image_compare.h"

#include <stdlib.h>
#include <string.h>

bool attempt_is_success(const struct attempt *attempt)
{
	return attempt && text_equal(attempt->result, "Succeeded");
}

const struct attempt *image_success(const struct image_status *status)
{
	return attempt_is_success(status->last) ? status->last : status->last_success;
}

static void set_pairs(struct node *map, const char *key, const struct pairs *pairs,
		      struct arena *arena)
{
	struct node *child = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < pairs->n; i++)
		node_set_text(arena, child, pairs->v[i].key, pairs->v[i].value);
	if (pairs->n > 0)
		node_set(arena, map, key, child);
}

static struct node *source_node(const struct source *source, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *one = node_new(arena, NODE_MAP);

	if (source->git) {
		node_set_text(arena, one, "url", source->git->url);
		node_set_text(arena, one, "revision", source->git->revision);
		if (source->git->has_submodules)
			node_set(arena, one, "initializeSubmodules", node_bool(arena, true));
		node_set(arena, map, "git", one);
	} else if (source->blob) {
		node_set_text(arena, one, "url", source->blob->url);
		if (source->blob->auth && source->blob->auth[0])
			node_set_text(arena, one, "auth", source->blob->auth);
		if (source->blob->strip_components > 0)
			node_set(arena, one, "stripComponents",
				 node_int(arena, source->blob->strip_components));
		node_set(arena, map, "blob", one);
	} else if (source->registry) {
		node_set_text(arena, one, "image", source->registry->image);
		node_set(arena, map, "registry", one);
	} else if (source->local) {
		node_set_text(arena, one, "path", source->local->path);
		node_set(arena, map, "local", one);
	}
	if (source->sub_path && source->sub_path[0])
		node_set_text(arena, map, "subPath", source->sub_path);
	return map;
}

static struct node *env_node(const struct list *env, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "name", var->name);
		if (var->value && var->value[0])
			node_set_text(arena, one, "value", var->value);
		node_push(seq, one);
	}
	return seq;
}

static struct node *services_node(const struct list *services, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < services->n; i++) {
		const struct object_ref *ref = LIST_AT(*services, struct object_ref, i);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "kind", ref->kind);
		node_set_text(arena, one, "namespace", ref->ns);
		node_set_text(arena, one, "name", ref->name);
		node_set_text(arena, one, "apiVersion", ref->api_version);
		node_push(seq, one);
	}
	return seq;
}

static struct node *named_ref(const char *name, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	node_set_text(arena, map, "name", name);
	return map;
}

static struct node *bindings_node(const struct list *bindings, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < bindings->n; i++) {
		const struct binding *b = LIST_AT(*bindings, struct binding, i);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "name", b->name);
		if (b->metadata_name)
			node_set(arena, one, "metadataRef", named_ref(b->metadata_name, arena));
		if (b->secret_name)
			node_set(arena, one, "secretRef", named_ref(b->secret_name, arena));
		node_push(seq, one);
	}
	return seq;
}

/* kpack's Config, in the order of its fields; `resources` and `source` are always there. */
static struct node *config_node(const struct attempt *attempt, bool with_builder,
				struct arena *arena)
{
	static const struct attempt empty;
	const struct attempt *a = attempt ? attempt : &empty;
	struct node *map = node_new(arena, NODE_MAP), *resources = node_new(arena, NODE_MAP);

	if (a->env.n > 0)
		node_set(arena, map, "env", env_node(&a->env, arena));
	set_pairs(resources, "limits", &a->resources.limits, arena);
	set_pairs(resources, "requests", &a->resources.requests, arena);
	node_set(arena, map, "resources", resources);
	if (a->services.n > 0)
		node_set(arena, map, "services", services_node(&a->services, arena));
	if (a->bindings.n > 0)
		node_set(arena, map, "cnbBindings", bindings_node(&a->bindings, arena));
	if (with_builder && a->builder) {
		struct node *builder = node_new(arena, NODE_MAP);

		node_set_text(arena, builder, "kind", a->builder_kind);
		node_set_text(arena, builder, "name", a->builder);
		node_set_text(arena, builder, "image", a->builder_image);
		node_set(arena, map, "builder", builder);
	}
	node_set(arena, map, "source", source_node(&a->source, arena));
	/* Ours; kpack does not compare them. */
	node_set_text(arena, map, "defaultProcess", a->default_process);
	node_set_text(arena, map, "projectDescriptorPath", a->project_descriptor);
	node_set_text(arena, map, "creationTime", a->creation_time);
	return map;
}

static bool env_equal(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct env_var *x = LIST_AT(*a, struct env_var, i);
		const struct env_var *y = LIST_AT(*b, struct env_var, i);

		if (!text_equal(x->name, y->name) || !text_equal(x->value, y->value))
			return false;
	}
	return true;
}

static bool services_equal(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct object_ref *x = LIST_AT(*a, struct object_ref, i);
		const struct object_ref *y = LIST_AT(*b, struct object_ref, i);

		if (!text_equal(x->kind, y->kind) || !text_equal(x->name, y->name) ||
		    !text_equal(x->ns, y->ns) || !text_equal(x->api_version, y->api_version))
			return false;
	}
	return true;
}

static bool bindings_equal(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct binding *x = LIST_AT(*a, struct binding, i);
		const struct binding *y = LIST_AT(*b, struct binding, i);

		if (!text_equal(x->name, y->name) ||
		    !text_equal(x->metadata_name, y->metadata_name) ||
		    !text_equal(x->secret_name, y->secret_name))
			return false;
	}
	return true;
}

static const char *repo_of(const char *image, struct arena *arena)
{
	struct ref ref;
	struct err err = { 0 };

	return ref_parse(image, arena, &ref, &err) ? ref_name(&ref, arena) : image;
}

/* What a source names, not what it holds: that is COMMIT. */
static bool source_equal(const struct source *a, const struct source *b, struct arena *arena)
{
	if (!a->git != !b->git || !a->blob != !b->blob || !a->registry != !b->registry ||
	    !a->local != !b->local || !text_equal(a->sub_path, b->sub_path))
		return false;
	if (a->git)
		return text_equal(a->git->url, b->git->url) &&
		       a->git->has_submodules == b->git->has_submodules;
	if (a->blob)
		return text_equal(a->blob->url, b->blob->url) &&
		       text_equal(a->blob->auth, b->blob->auth) &&
		       a->blob->strip_components == b->blob->strip_components;
	if (a->registry)
		return text_equal(repo_of(a->registry->image, arena),
				  repo_of(b->registry->image, arena));
	return !a->local || text_equal(a->local->path, b->local->path);
}

static bool is_other_builder(const struct comparison *c, struct arena *arena)
{
	if (!c->old->builder || (text_equal(c->old->builder, c->now->builder) &&
				 text_equal(c->old->builder_kind, c->now->builder_kind)))
		return false;
	if (c->is_builder_pending)
		return true;
	return c->now->builder_image && !text_equal(image_identifier(c->old->builder_image, arena),
						    image_identifier(c->now->builder_image, arena));
}

/* "defaultProcess (none) → web": options are short enough to be told in full. */
static void compare_option(const char *name, const char *old, const char *now, struct arena *arena,
			   struct strings *parts)
{
	if (!text_equal(old, now))
		vec_push(arena, parts,
			 arena_printf(arena, "%s %s → %s", name, old ? old : "(none)",
				      now ? now : "(none)"));
}

static void compare_options(const struct comparison *c, struct arena *arena, struct strings *parts)
{
	compare_option("defaultProcess", c->old->default_process, c->now->default_process, arena,
		       parts);
	compare_option("projectDescriptorPath", c->old->project_descriptor,
		       c->now->project_descriptor, arena, parts);
	compare_option("creationTime", c->old->creation_time, c->now->creation_time, arena, parts);
}

/* Hashes by different keys say nothing about each other; that bindings came or went is told by their lists. */
static bool is_other_contents(const char *old, const char *now)
{
	const char *colon = old && now ? strchr(now, ':') : NULL;

	return colon && strncmp(old, now, (size_t)(colon + 1 - now)) == 0 && strcmp(old, now) != 0;
}

static void compare_config(const struct comparison *c, struct arena *arena, struct changes *out)
{
	struct strings parts = { 0 };
	bool other_builder = c->old && is_other_builder(c, arena);

	if (!c->old) {
		vec_push(arena, &parts, "first build");
	} else {
		if (!env_equal(&c->old->env, &c->now->env))
			vec_push(arena, &parts, "env");
		if (!resources_equal(&c->old->resources, &c->now->resources))
			vec_push(arena, &parts, "resources");
		if (!services_equal(&c->old->services, &c->now->services))
			vec_push(arena, &parts, "services");
		if (!bindings_equal(&c->old->bindings, &c->now->bindings))
			vec_push(arena, &parts, "cnbBindings");
		if (!source_equal(&c->old->source, &c->now->source, arena))
			vec_push(arena, &parts, "source");
		if (other_builder)
			vec_push(arena, &parts, "builder");
		compare_options(c, arena, &parts);
		if (services_equal(&c->old->services, &c->now->services) &&
		    bindings_equal(&c->old->bindings, &c->now->bindings) &&
		    is_other_contents(c->old->binding_contents, c->now->binding_contents))
			vec_push(arena, &parts, "contents of bindings");
	}
	if (parts.n == 0)
		return;
	change_add(out,
		   (struct change){ .reason = REASON_CONFIG,
				    .old_value = config_node(c->old, other_builder, arena),
				    .new_value = config_node(c->now, other_builder, arena),
				    .text = strings_join(&parts, ", ", arena) },
		   arena);
}

static void add_commit(const char *what, const char *old, const char *now, struct arena *arena,
		       struct changes *out)
{
	change_add(
		out,
		(struct change){ .reason = REASON_COMMIT,
				 .old_value = node_string(arena, old),
				 .new_value = node_string(arena, now),
				 .text = arena_printf(arena, "%s: %s → %s", what,
						      short_id(old, arena), short_id(now, arena)) },
		arena);
}

static void compare_git(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const char *old = c->old->source.git->revision, *now = c->now->source.git->revision;
	bool same_place = text_equal(c->old->source.sub_path, c->now->source.sub_path) &&
			  text_equal(c->old->source.git->url, c->now->source.git->url);

	if (!old || !now || strcmp(old, now) == 0)
		return;
	/* The sub path is the same tree: the commit did not touch it (design §5). */
	if (same_place && c->now->source.sub_path && c->old->git_tree && c->now->git_tree &&
	    strcmp(c->old->git_tree, c->now->git_tree) == 0)
		return;
	add_commit(arena_printf(arena, "%s of %s",
				c->now->git_revision ? c->now->git_revision : "HEAD",
				c->now->source.git->url),
		   old, now, arena, out);
}

static void compare_commit(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const struct source *old = &c->old->source, *now = &c->now->source;

	if (old->git && now->git) {
		compare_git(c, arena, out);
		return;
	}
	if (!c->old->content || !c->now->content || strcmp(c->old->content, c->now->content) == 0)
		return;
	/* What is below the sub path is the same: whatever changed elsewhere is no concern of the image. */
	if (text_equal(old->sub_path, now->sub_path) && c->old->part && c->now->part &&
	    strcmp(c->old->part, c->now->part) == 0)
		return;
	if (old->blob && now->blob)
		add_commit(now->blob->url, c->old->content, c->now->content, arena, out);
	else if (old->local && now->local)
		add_commit(now->local->path, c->old->content, c->now->content, arena, out);
	else if (old->registry && now->registry)
		add_commit(c->spec->source.registry->image, c->old->content, c->now->content, arena,
			   out);
}

static const struct buildpack_id *find_id(const struct list *all, const char *id,
					  const char *version)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct buildpack_id *bp = LIST_AT(*all, struct buildpack_id, i);

		if (text_equal(bp->id, id) && (!version || text_equal(bp->version, version)))
			return bp;
	}
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	const struct buildpack_id *x = *(const struct buildpack_id *const *)a;
	const struct buildpack_id *y = *(const struct buildpack_id *const *)b;
	int order = strcmp(x->id ? x->id : "", y->id ? y->id : "");

	return order != 0 ? order
			  : strcmp(x->version ? x->version : "", y->version ? y->version : "");
}

static void add_missing(const struct comparison *c, const struct buildpack_id **missing, size_t n,
			struct arena *arena, struct changes *out)
{
	struct node *old = node_new(arena, NODE_SEQ);
	struct strings lines = { 0 };

	qsort(missing, n, sizeof(*missing), compare_ids);
	for (size_t i = 0; i < n; i++) {
		const struct buildpack_id *bp = missing[i];
		const struct buildpack_id *other = find_id(&c->builder->buildpacks, bp->id, NULL);
		struct node *one = node_new(arena, NODE_MAP);

		node_set_text(arena, one, "id", bp->id);
		node_set_text(arena, one, "version", bp->version);
		node_set_text(arena, one, "homepage", bp->homepage);
		node_push(old, one);
		vec_push(arena, &lines,
			 other ? arena_printf(arena, "%s %s → %s", bp->id, bp->version,
					      other->version)
			       : arena_printf(arena, "%s %s gone", bp->id, bp->version));
	}
	change_add(out,
		   (struct change){ .reason = REASON_BUILDER,
				    .old_value = old,
				    .text = strings_join(&lines, ", ", arena) },
		   arena);
}

/* Every buildpack that took part must still be there in its version; what was added or not used does not count. */
static void compare_buildpacks(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const struct buildpack_id **missing =
		arena_array(arena, c->old->buildpacks.n, sizeof(*missing));
	size_t n = 0;

	for (size_t i = 0; i < c->old->buildpacks.n; i++) {
		const struct buildpack_id *bp = LIST_AT(c->old->buildpacks, struct buildpack_id, i);

		if (!find_id(&c->builder->buildpacks, bp->id, bp->version ? bp->version : ""))
			missing[n++] = bp;
	}
	if (n > 0)
		add_missing(c, missing, n, arena, out);
}

static void add_texts(enum reason reason, const char *old, const char *now, struct arena *arena,
		      struct changes *out)
{
	change_add(out,
		   (struct change){ .reason = reason,
				    .old_value = node_string(arena, old),
				    .new_value = node_string(arena, now),
				    .text = arena_printf(arena, "%s → %s", short_id(old, arena),
							 short_id(now, arena)) },
		   arena);
}

static bool compare_stack(const struct comparison *c, struct arena *arena, struct changes *out,
			  struct err *err)
{
	const char *old = image_identifier(c->old->run_image, arena);
	const char *now = image_identifier(c->builder->stack_run_image, arena);
	AUTO_BUF why = BUF_INIT(2048);

	if (!old)
		buf_printf(&why, "could not parse reference: %s",
			   c->old->run_image ? c->old->run_image : "");
	if (!now)
		buf_printf(&why, "%scould not parse reference: %s", why.len > 0 ? "; " : "",
			   c->builder->stack_run_image ? c->builder->stack_run_image : "");
	if (why.len > 0)
		return err_set(err, ERR_INVALID,
			       "error determining if an image build is needed: error determining "
			       "if build is required for reason 'STACK': %s",
			       buf_text(&why));
	if (strcmp(old, now) != 0)
		add_texts(REASON_STACK, old, now, arena, out);
	return true;
}

static void compare_lifecycle(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const char *old = c->old->lifecycle_version, *now = c->builder->lifecycle_version;

	if (old && now && strcmp(old, now) != 0)
		add_texts(REASON_LIFECYCLE, old, now, arena, out);
}

/* A failed attempt: by what it was given. A new builder image that neither stack nor lifecycle explains is BUILDER. */
static void compare_given(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const char *old_run = image_identifier(c->old->run_image, arena);
	const char *run = image_identifier(c->builder->stack_run_image, arena);
	const char *old = image_identifier(c->old->builder_image, arena);
	const char *now = image_identifier(c->now->builder_image, arena);

	if (old_run && run && strcmp(old_run, run) != 0)
		add_texts(REASON_STACK, old_run, run, arena, out);
	compare_lifecycle(c, arena, out);
	if (changes_has(out, REASON_STACK) || changes_has(out, REASON_LIFECYCLE) || !old)
		return;
	if (c->is_builder_pending)
		change_add(out,
			   (struct change){ .reason = REASON_BUILDER,
					    .old_value = node_string(arena, old),
					    .text = "the builder is composed again" },
			   arena);
	else if (now && strcmp(old, now) != 0)
		add_texts(REASON_BUILDER, old, now, arena, out);
}

/* Enough of a pull spec for people. */
static char *short_image(const char *image, struct arena *arena)
{
	const char *digest = pin_digest(image);

	return digest ? short_id(digest, arena) : arena_strdup(arena, image);
}

/*
 * A tag that moved, or that gives something for the first time. One that gives nothing any more is no reason, nor is one
 * that is no longer watched.
 */
static void compare_watched(const struct comparison *c, struct arena *arena, struct changes *out)
{
	struct node *old = node_new(arena, NODE_MAP), *now = node_new(arena, NODE_MAP);
	struct strings lines = { 0 };

	for (size_t i = 0; i < c->now->watched.n; i++) {
		const struct pair *tag = &c->now->watched.v[i];
		const char *before = pairs_get(&c->old->watched, tag->key);
		bool is_pending = strings_has(c->watch_pending, tag->key);

		if (text_equal(before, tag->value) && !is_pending)
			continue;
		if (before)
			node_set_text(arena, old, tag->key, before);
		if (!is_pending)
			node_set_text(arena, now, tag->key, tag->value);
		vec_push(arena, &lines,
			 arena_printf(arena, "%s: %s → %s", tag->key,
				      before ? short_image(before, arena) : "nothing",
				      is_pending ? "(known later)"
						 : short_image(tag->value, arena)));
	}
	if (lines.n > 0)
		change_add(out,
			   (struct change){ .reason = REASON_IMAGE,
					    .old_value = old->n ? old : NULL,
					    .new_value = now->n ? now : NULL,
					    .text = strings_join(&lines, ", ", arena) },
			   arena);
}

struct image_pin image_chosen_run(const struct planner *p, const struct object *object,
				  const struct image_status *status)
{
	const struct attempt *success = image_success(status);
	struct image_pin chosen = { 0 };
	struct pin pin;

	if (!success || !success->chosen_run.image)
		return chosen;
	chosen = success->chosen_run;
	/* A failed attempt has seen what it was since. */
	if (text_equal(status->last->chosen_run.image, chosen.image))
		chosen = status->last->chosen_run;
	pin = pin_resolve(p, &(struct pin_ask){ .image = chosen.image,
						.account = account_of(p->model, object),
						.recorded = &chosen,
						.is_usable = true });
	if (pin.pinned)
		chosen.latest = pin.pinned;
	return chosen;
}

static void compare_chosen_run(const struct comparison *c, struct arena *arena, struct changes *out)
{
	const struct image_pin *old = &c->old->chosen_run, *now = &c->now->chosen_run;

	if (old->image && now->image && strcmp(old->image, now->image) == 0 &&
	    !text_equal(pin_digest(old->latest), pin_digest(now->latest)))
		add_texts(REASON_STACK, pin_digest(old->latest), pin_digest(now->latest), arena,
			  out);
}

bool image_compare(const struct comparison *c, struct arena *arena, struct changes *out,
		   struct err *err)
{
	*out = (struct changes){ 0 };
	compare_config(c, arena, out);
	if (!c->old)
		return true;
	compare_commit(c, arena, out);
	compare_watched(c, arena, out);
	compare_chosen_run(c, arena, out);
	if (!c->builder)
		return true;
	if (!attempt_is_success(c->old)) {
		compare_given(c, arena, out);
		return true;
	}
	compare_buildpacks(c, arena, out);
	compare_lifecycle(c, arena, out);
	return compare_stack(c, arena, out, err);
}
