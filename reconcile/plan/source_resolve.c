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

const char *repo_name(const char *image, struct arena *arena)
{
	struct ref ref;
	struct err err = { 0 };

	return image && ref_parse(image, arena, &ref, &err) ? ref_name(&ref, arena) : NULL;
}

static bool is_same_place(const struct source *a, const struct source *b, struct arena *arena)
{
	if (a->blob && b->blob)
		return text_equal(a->blob->url, b->blob->url) &&
		       a->blob->strip_components == b->blob->strip_components;
	if (a->local && b->local)
		return text_equal(a->local->path, b->local->path);
	return a->registry && b->registry &&
	       text_equal(repo_name(a->registry->image, arena),
			  repo_name(b->registry->image, arena));
}

const char *image_part_known(const struct source *source, const struct attempt *last,
			     struct arena *arena)
{
	if (!last || !last->part || !last->content ||
	    !text_equal(sub_path_clean(last->source.sub_path, arena),
			sub_path_clean(source->sub_path, arena)) ||
	    !is_same_place(source, &last->source, arena))
		return NULL;
	return last->content;
}

/* The digest of the sub path: as answered, or as recorded for the same content. */
static const char *part_of(const struct planner *p, const struct fact *fact,
			   const struct source *source, const struct attempt *last,
			   const char *content)
{
	const char *sub_path = sub_path_clean(source->sub_path, p->arena);
	const char *part = sub_path[0] && fact ? pairs_get(&fact->trees, sub_path) : NULL;

	if (part || !sub_path[0])
		return part;
	return text_equal(image_part_known(source, last, p->arena), content) ? last->part : NULL;
}

static const struct source_answer source_known = { SOURCE_KNOWN, NULL, ERR_NONE };
static const struct source_answer source_unknown = { SOURCE_UNKNOWN, NULL, ERR_NONE };

/* Nothing was asked: what is recorded about the same place. */
static struct source_answer take_recorded(const struct planner *p, const struct source *source,
					  const struct attempt *last, struct attempt *out)
{
	if (!last || !last->content || !is_same_place(source, &last->source, p->arena))
		return source_unknown;
	out->content = last->content;
	out->validator = last->validator;
	out->part = part_of(p, NULL, source, last, out->content);
	return source_known;
}

static struct source_answer registry_resolve(const struct planner *p, const struct object *object,
					     const struct attempt *last, struct attempt *out)
{
	const struct source *source = &((const struct image_spec *)object->spec)->source;
	struct registry_source *registry = ARENA_NEW(p->arena, struct registry_source);
	struct pin pin = pin_resolve(
		p, &(struct pin_ask){ .image = source->registry->image,
				      .account = account_of_source(p->model, object, p->arena) });
	struct source_answer answer = source_known;

	*registry = *source->registry;
	out->source.registry = registry;
	if (pin.state == PIN_FAILED)
		return source_fail(pin.why_kind, pin.why);
	if (pin.state != PIN_UNKNOWN) {
		registry->image = pin.pinned;
		out->content = pin_digest(pin.pinned);
		out->part = part_of(p, pin.fact, source, last, out->content);
		return answer;
	}
	answer = take_recorded(p, source, last, out);
	if (answer.state == SOURCE_KNOWN)
		registry->image = last->source.registry->image;
	return answer;
}

static struct source_answer content_resolve(const struct planner *p, const struct object *object,
					    const struct fact *fact, const char *what,
					    const struct attempt *last, struct attempt *out)
{
	const struct source *source = &((const struct image_spec *)object->spec)->source;

	if (is_failure(fact))
		return source_fail(fact->err.kind, resolve_problem(what, &fact->err, p->arena));
	if (!fact || !fact->is_known || !fact->content)
		return take_recorded(p, source, last, out);
	out->content = fact->content;
	out->validator = fact->validator;
	out->part = part_of(p, fact, source, last, out->content);
	return source_known;
}

static struct source_answer local_resolve(const struct planner *p, const struct object *object,
					  const struct attempt *last, struct attempt *out)
{
	const struct local_source *local = ((const struct image_spec *)object->spec)->source.local;
	const char *key = query_key_local(manifest_dir(object, p->arena), local->path, p->arena);

	return content_resolve(p, object, fact_find(p->facts, key),
			       arena_printf(p->arena, "'%s'", local->path), last, out);
}

static struct source_answer blob_resolve(const struct planner *p, const struct object *object,
					 const struct attempt *last, struct attempt *out)
{
	const struct blob_source *blob = ((const struct image_spec *)object->spec)->source.blob;
	struct account account = account_of(p->model, object);
	const char *key = query_key_blob(blob, account.ns, account.name, p->arena);

	return content_resolve(p, object, fact_find(p->facts, key),
			       arena_printf(p->arena, "'%s'", blob->url), last, out);
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
		return blob_resolve(p, object, last, out);
	return source_fail(ERR_INVALID, "the image has no source");
}
