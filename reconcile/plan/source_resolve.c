/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_resolve.c — what a source is now, from facts: a commit, a tree, a digest. Offline the recorded one stands in as
 * long as the spec still names the same place. Rules: kpack.md §1.10; design §5 (content, sub paths).
 */
#include <string.h>

#include "reconcile/plan/rules_image.h"

static struct source_answer source_fail(enum err_kind kind, const char *why)
{
	return (struct source_answer){ SOURCE_FAILED, why, kind };
}

static bool is_failure(const struct fact *fact)
{
	return fact && !fact->is_known && fact->err.kind != ERR_NONE;
}

/* "refs/heads/main" → "main" */
static const char *short_ref(const char *name)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/" };

	for (size_t i = 0; name && i < COUNTOF(prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	}
	return name;
}

/* What was recorded about the same url and revision. */
static bool git_recorded(const struct attempt *last, const struct source *source,
			 struct attempt *out)
{
	const struct git_source *old = last ? last->source.git : NULL;

	if (!old || !old->revision || !text_equal(old->url, source->git->url) ||
	    (source->git->revision && !text_equal(source->git->revision, last->git_revision)))
		return false;
	out->source.git->revision = old->revision;
	out->git_revision = last->git_revision;
	if (image_trees_are_known(source, last))
		out->git_tree = last->git_tree;
	return true;
}

static const char *git_tree_of(const struct fact *fact, const struct source *source,
			       const struct attempt *last, struct arena *arena)
{
	const char *sub_path = sub_path_clean(source->sub_path, arena);
	const char *tree = sub_path[0] ? pairs_get(&fact->trees, sub_path) : NULL;

	if (tree || !sub_path[0])
		return tree;
	if (image_trees_are_known(source, last) &&
	    text_equal(last->source.git->revision, fact->commit))
		return last->git_tree;
	return NULL;
}

static struct source_answer git_resolve(const struct planner *p, const struct object *object,
					const struct attempt *last, struct attempt *out)
{
	const struct source *source = &((const struct image_spec *)object->spec)->source;
	struct account account = account_of(p->model, object);
	const char *revision = source->git->revision;
	const struct fact *fact =
		fact_find(p->facts, query_key_git(git_location(source->git->url, object, p->arena),
						  revision, account.ns, account.name, p->arena));
	struct git_source *git = ARENA_NEW(p->arena, struct git_source);

	*git = *source->git;
	git->revision = NULL;
	out->source.git = git;
	out->git_revision = revision;
	if (is_failure(fact))
		return source_fail(fact->err.kind,
				   resolve_problem(arena_printf(p->arena, "'%s' of %s",
								revision ? revision : "HEAD",
								source->git->url),
						   &fact->err, p->arena));
	if (!fact || !fact->is_known || !fact->commit)
		return (struct source_answer){ git_recorded(last, source, out) ? SOURCE_KNOWN
									       : SOURCE_UNKNOWN,
					       NULL, ERR_NONE };
	git->revision = fact->commit;
	if (!revision)
		out->git_revision = short_ref(fact->ref_name);
	out->git_tree = git_tree_of(fact, source, last, p->arena);
	return (struct source_answer){ SOURCE_KNOWN, NULL, ERR_NONE };
}

static const char *repo_name(const char *image, struct arena *arena)
{
	struct ref ref;
	struct err err = { 0 };

	return ref_parse(image, arena, &ref, &err) ? ref_name(&ref, arena) : NULL;
}

static struct source_answer registry_resolve(const struct planner *p, const struct object *object,
					     const struct attempt *last, struct attempt *out)
{
	const struct image_spec *spec = object->spec;
	struct registry_source *registry = ARENA_NEW(p->arena, struct registry_source);
	const struct registry_source *old = last ? last->source.registry : NULL;
	struct pin pin = pin_resolve(
		p, &(struct pin_ask){ .image = spec->source.registry->image,
				      .account = account_of(p->model, object),
				      .pull_secrets = &spec->source.registry->pull_secrets,
				      .ns = object->meta.ns });

	*registry = *spec->source.registry;
	out->source.registry = registry;
	if (pin.state == PIN_FAILED)
		return source_fail(pin.why_kind, pin.why);
	if (pin.state != PIN_UNKNOWN) {
		registry->image = pin.pinned;
		out->content = pin_digest(pin.pinned);
		return (struct source_answer){ SOURCE_KNOWN, NULL, ERR_NONE };
	}
	if (!old || !last->content ||
	    !text_equal(repo_name(old->image, p->arena), repo_name(registry->image, p->arena)))
		return (struct source_answer){ SOURCE_UNKNOWN, NULL, ERR_NONE };
	registry->image = old->image;
	out->content = last->content;
	return (struct source_answer){ SOURCE_KNOWN, NULL, ERR_NONE };
}

static struct source_answer local_resolve(const struct planner *p, const struct object *object,
					  const struct attempt *last, struct attempt *out)
{
	const struct local_source *local = ((const struct image_spec *)object->spec)->source.local;
	const struct fact *fact = fact_find(
		p->facts, query_key_local(manifest_dir(object, p->arena), local->path, p->arena));

	if (is_failure(fact))
		return source_fail(
			fact->err.kind,
			resolve_problem(arena_printf(p->arena, "folder '%s'", local->path),
					&fact->err, p->arena));
	if (fact && fact->is_known && fact->content) {
		out->content = fact->content;
	} else if (last && last->source.local &&
		   text_equal(last->source.local->path, local->path) && last->content) {
		out->content = last->content;
	} else {
		return (struct source_answer){ SOURCE_UNKNOWN, NULL, ERR_NONE };
	}
	return (struct source_answer){ SOURCE_KNOWN, NULL, ERR_NONE };
}

struct source_answer source_resolve(const struct planner *p, const struct object *object,
				    const struct attempt *last, struct attempt *out)
{
	const struct source *source = &((const struct image_spec *)object->spec)->source;

	out->source = *source;
	if (source->git)
		return git_resolve(p, object, last, out);
	if (source->registry)
		return registry_resolve(p, object, last, out);
	if (source->local)
		return local_resolve(p, object, last, out);
	if (source->blob)
		return source_fail(ERR_INVALID, "blob sources are not reconciled yet");
	return source_fail(ERR_INVALID, "the image has no source");
}
