/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_inputs.c — what a build config names, as it is now: its commit, the images it is made of, the tags it watches
 * and where its image goes. Rules: openshift.md §3.4 "At instantiate".
 */
#include <string.h>

#include "model/base/buf.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/stream_generation.h"

const char *url_without_login(const char *url, struct arena *arena)
{
	const char *mark = url ? strstr(url, "://") : NULL;
	const char *host = mark ? mark + 3 : NULL, *at = NULL, *colon;
	size_t n = host ? strcspn(host, "/?#") : 0, n_user = 0;

	for (size_t i = 0; i < n; i++)
		at = host[i] == '@' ? host + i : at;
	if (!at)
		return url;
	colon = memchr(host, ':', (size_t)(at - host));
	if (mark - url >= 3 && strncmp(mark - 3, "ssh", 3) == 0)
		n_user = (size_t)((colon ? colon : at) - host);
	return arena_printf(arena, "%.*s%.*s%s", (int)(host - url), url, (int)n_user, host,
			    n_user ? at : at + 1);
}

const char *text_without_logins(const char *text, struct arena *arena)
{
	static const char ends[] = " \t\r\n'\"<>()";
	AUTO_BUF out = BUF_INIT(strlen(text) + 1);

	while (*text) {
		size_t n = strcspn(text, ends), gap = strspn(text + n, ends);

		buf_puts(&out, url_without_login(arena_copy(arena, text, n), arena));
		buf_add(&out, text + n, gap);
		text += n + gap;
	}
	return buf_copy(&out, arena);
}

/* ---- git ---- */

const char *config_revision(const struct build_common *common)
{
	const struct source_revision *revision = common->revision;
	const struct build_git *git = common->source.git;

	if (revision && revision->git && revision->git->commit && revision->git->commit[0])
		return revision->git->commit;
	return git && git->ref && git->ref[0] ? git->ref : "HEAD";
}

bool config_trees_are_known(const struct build_config_status *status, const char *url,
			    const char *digest)
{
	const struct bc_attempt *last = status ? status->last : NULL;

	return last && last->tree && last->commit && text_equal(last->git_url, url) &&
	       text_equal(status->config_digest, digest);
}

static const struct fact *git_fact(const struct configuring *c, const char *revision)
{
	const struct build_common *common = &c->spec->common;
	const struct object *object = c->step->object;
	struct account account =
		account_with(c->p->model, object, common->source.secret, c->p->arena);

	return fact_find(c->p->facts,
			 query_key_git(git_location(common->source.git->uri, object, c->p->arena),
				       revision, account.ns, account.name, c->p->arena));
}

static const char *tree_of(const struct configuring *c, const struct fact *fact)
{
	const char *path = sub_path_clean(c->spec->common.source.context_dir, c->p->arena);
	const char *tree = path[0] ? pairs_get(&fact->trees, path) : NULL;

	if (tree || !path[0] || !config_trees_are_known(c->old, c->git.url, c->digest) ||
	    !text_equal(c->old->last->commit, fact->commit))
		return tree;
	return c->old->last->tree;
}

static void git_fail(struct configuring *c, const char *revision, const struct fact *fact)
{
	c->git.state = INPUT_ABSENT;
	c->git.why_kind = fact->err.kind;
	c->git.why = text_without_logins(
		resolve_problem(arena_printf(c->p->arena, "'%s' of %s", revision, c->git.url),
				&fact->err, c->p->arena),
		c->p->arena);
	c->facts |= BC_SOURCE_FAILED;
}

/* Offline what is recorded of the same place stands in. */
static void git_recorded(struct configuring *c)
{
	const struct bc_attempt *last = c->old ? c->old->last : NULL;

	if (!last || !last->commit || !text_equal(last->git_url, c->git.url) ||
	    !text_equal(last->git_ref, c->git.ref)) {
		c->git.state = INPUT_UNKNOWN;
		return;
	}
	c->git.commit = last->commit;
	c->git.tree = last->tree;
}

/* The commit of a start stands for the ref once; what the ref is at is known all the same. */
static void git_of_start(struct configuring *c, const char *commit)
{
	const struct fact *fact = git_fact(c, commit);

	if (fact && !fact->is_known && fact->err.kind != ERR_NONE) {
		git_fail(c, commit, fact);
		return;
	}
	c->git.state = fact && fact->is_known && fact->commit ? INPUT_KNOWN : INPUT_UNKNOWN;
	c->git.built = c->git.state == INPUT_KNOWN ? fact->commit : NULL;
	c->git.built_tree = c->git.built ? tree_of(c, fact) : NULL;
}

static void look_at_git(struct configuring *c)
{
	const struct build_git *git = c->spec->common.source.git;
	const struct source_revision *cloned;
	const struct fact *fact;

	if (!git)
		return;
	c->git.url = url_without_login(git->uri, c->p->arena);
	c->git.ref = text_equal(config_revision(&c->spec->common), "HEAD")
			     ? NULL
			     : config_revision(&c->spec->common);
	fact = git_fact(c, config_revision(&c->spec->common));
	if (fact && fact->is_known && fact->commit) {
		c->git.commit = fact->commit;
		c->git.tree = tree_of(c, fact);
	} else if (fact && !fact->is_known && fact->err.kind != ERR_NONE) {
		git_fail(c, config_revision(&c->spec->common), fact);
	} else {
		git_recorded(c);
	}
	c->git.built = c->git.commit;
	c->git.built_tree = c->git.tree;
	cloned = c->common == &c->spec->common ? NULL : c->common->revision;
	if (cloned && cloned->git && cloned->git->commit) {
		c->git.state = INPUT_KNOWN;
		c->git.built = cloned->git->commit;
		c->git.built_tree = NULL;
		c->facts &= ~(unsigned)BC_SOURCE_FAILED;
	} else if (c->start && c->start->commit && c->start->commit[0]) {
		c->facts &= ~(unsigned)BC_SOURCE_FAILED;
		git_of_start(c, c->start->commit);
	}
}

/* The first one counts: it is what has to be mended first. */
static void lacks(struct configuring *c, const char *reason, const char *why)
{
	if (!c->lacking.reason)
		c->lacking = (struct lacking){ reason, why };
	c->facts |= BC_LACKING;
}

/* ---- images ---- */

static bool is_own_stream(const struct configuring *c, const char *ns, const char *stream)
{
	const char *tag;

	return config_pushes_to(c->p->model, c->step->object, ns, stream, &tag, c->p->arena);
}

static struct input absent(const char *why)
{
	return (struct input){ .state = INPUT_ABSENT, .why = why };
}

static const struct stream_status *stream_now(const struct configuring *c, const char *ns,
					      const char *stream)
{
	const char *id = object_id(KIND_IMAGE_STREAM, ns, stream, c->p->arena);
	const struct step *step = map_get(&c->p->plan->by_id, id);

	if (is_own_stream(c, ns, stream))
		return stream_before_pushes(c->p, id);
	return step ? step->status : NULL;
}

struct input config_tag(struct configuring *c, const char *ns, const char *stream, const char *tag)
{
	struct arena *arena = c->p->arena;
	struct input input = { .state = INPUT_KNOWN };
	struct tag_view view = { 0 };

	if (!model_find(c->p->model, KIND_IMAGE_STREAM, ns, stream))
		return absent(
			arena_printf(arena, "image stream '%s/%s' is not declared", ns, stream));
	if (is_own_stream(c, ns, stream)) {
		const struct stream_status *status = stream_now(c, ns, stream);

		view.pull_spec = status ? stream_pull_spec(status, tag, arena) : NULL;
	} else {
		view = stream_view(c->p->plan, ns, stream, tag, arena);
	}
	input.image = view.pull_spec;
	if (view.is_pending) {
		input.state = INPUT_PENDING;
		input.step = view.step;
	} else if (!view.pull_spec) {
		return absent(arena_printf(arena, "image stream tag '%s/%s:%s' points at nothing",
					   ns, stream, tag));
	}
	return input;
}

static struct input stream_image(const struct configuring *c, const struct build_ref *ref)
{
	const struct stream_status *status = stream_now(c, ref->ns, ref->stream);
	const struct tag_event *event;
	struct err err = { 0 };

	if (!status)
		return absent(arena_printf(c->p->arena, "image stream '%s/%s' is not known",
					   ref->ns, ref->stream));
	if (!stream_find_image(status, ref->id, &event, &err))
		return absent(arena_printf(c->p->arena, "image stream image '%s/%s@%s': %s",
					   ref->ns, ref->stream, ref->id, err.text));
	return (struct input){ .image = event->reference };
}

static struct input docker_image(const struct configuring *c, const char *image,
				 const struct named *secret)
{
	const char *written;
	struct pin pin;

	if (strchr(image, '@'))
		return (struct input){ .image = image };
	pin = pin_resolve(c->p,
			  &(struct pin_ask){ .image = image,
					     .account = account_with(c->p->model, c->step->object,
								     secret, c->p->arena) });
	if (pin.state == PIN_FAILED)
		return absent(pin.why);
	if (pin.state == PIN_UNKNOWN)
		return (struct input){ .state = INPUT_UNKNOWN };
	written = import_reference(image, pin_digest(pin.pinned), c->p->arena);
	return (struct input){ .image = written ? written : pin.pinned };
}

static struct input input_of(struct configuring *c, const struct object_ref *from,
			     const struct named *secret, const char *what)
{
	struct build_ref ref;
	struct input input;

	if (!build_ref_of(from, c->step->ns, c->p->arena, &ref))
		return absent(arena_printf(c->p->arena, "%s names no image", what));
	if (ref.image)
		input = docker_image(c, ref.image, secret);
	else if (ref.tag)
		input = config_tag(c, ref.ns, ref.stream, ref.tag);
	else
		input = stream_image(c, &ref);
	if (input.state == INPUT_ABSENT)
		lacks(c, "InvalidImageReference", input.why);
	if (input.state == INPUT_PENDING)
		vec_push(c->p->arena, &c->waits, input.step);
	if (input.state == INPUT_PENDING || input.state == INPUT_UNKNOWN)
		vec_push(c->p->arena, &c->unknown, what);
	return input;
}

static void look_at_images(struct configuring *c)
{
	const struct build_common *common = c->common;
	const struct object_ref *from = strategy_from(&common->strategy);
	const struct list *images = &common->source.images;

	if (from)
		c->from =
			input_of(c, from, strategy_pull_secret(&common->strategy), "strategy.from");
	c->images = arena_array(c->p->arena, images->n, sizeof(*c->images));
	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *image =
			LIST_AT(*images, struct build_image_source, i);

		c->images[i] = input_of(c, &image->from, image->pull_secret,
					arena_printf(c->p->arena, "source.images[%zu]", i));
	}
}

/* ---- what it watches, and where it goes ---- */

/* A tag that is worked on first counts as moved until that is done. */
static void look_at_tags(struct configuring *c)
{
	const struct list refs = build_config_refs(c->spec, c->step->ns, c->p->arena);

	for (size_t i = 0; i < refs.n; i++) {
		const struct build_ref *ref = LIST_AT(refs, struct build_ref, i);
		struct input input;

		if (ref->use != USE_TRIGGER || !ref->tag)
			continue;
		input = config_tag(c, ref->ns, ref->stream, ref->tag);
		if (input.state == INPUT_PENDING) {
			input.image = "(known later)";
			if (!LIST_AT(c->spec->triggers, struct build_trigger, ref->index)
				     ->image_change->is_paused) {
				vec_push(c->p->arena, &c->waits, input.step);
				vec_push(c->p->arena, &c->unknown,
					 arena_printf(c->p->arena, "%s/%s:%s", ref->ns, ref->stream,
						      ref->tag));
			}
		}
		vec_push(c->p->arena, &c->tags,
			 (struct tag_now){ ref->ns, ref->from->name, input.image });
	}
}

const char *config_output(const struct model *model, const struct object *object,
			  const struct build_common *common, const char **why, struct arena *arena)
{
	struct build_ref ref;
	const char *repository;

	*why = NULL;
	if (common->strategy.pipeline || !common->output.to ||
	    !build_ref_of(common->output.to, object->meta.ns, arena, &ref))
		return NULL;
	if (ref.image)
		return ref.image;
	repository = stream_repository(model, ref.ns, ref.stream, arena);
	if (!model_find(model, KIND_IMAGE_STREAM, ref.ns, ref.stream))
		*why = arena_printf(arena, "image stream '%s/%s' is not declared", ref.ns,
				    ref.stream);
	else if (!repository)
		*why = arena_printf(arena,
				    "image stream '%s/%s' has no repository: streams.registry is "
				    "not set",
				    ref.ns, ref.stream);
	return *why ? NULL : arena_printf(arena, "%s:%s", repository, ref.tag);
}

bool config_pushes_to(const struct model *model, const struct object *object, const char *ns,
		      const char *stream, const char **tag, struct arena *arena)
{
	const struct build_config_spec *spec = object->spec;
	const char *why, *reference, *parts[3];

	reference = config_output(model, object, &spec->common, &why, arena);
	if (!reference || !stream_reference_parse(model, reference, arena, parts) ||
	    strcmp(parts[0], ns) != 0 || strcmp(parts[1], stream) != 0)
		return false;
	*tag = parts[2];
	return true;
}

/* ---- secrets and config maps ---- */

static void look_at_needs(struct configuring *c)
{
	const struct list needs = build_needs(c->common, c->p->arena);
	const char *ns = c->step->ns;

	for (size_t i = 0; i < needs.n; i++) {
		const struct build_need *need = LIST_AT(needs, struct build_need, i);

		if (!model_find(c->p->model, need->kind, ns, need->name))
			lacks(c, need->reason,
			      arena_printf(c->p->arena,
					   "%s \"%s\" of %s is not declared in namespace %s",
					   need->kind == KIND_SECRET ? "secret" : "config map",
					   need->name, need->field, ns));
	}
}

void config_resolve(struct configuring *c)
{
	const char *no_output;

	look_at_git(c);
	look_at_tags(c);
	look_at_images(c);
	c->output = config_output(c->p->model, c->step->object, c->common, &no_output, c->p->arena);
	if (no_output)
		lacks(c, "InvalidOutputReference", no_output);
	look_at_needs(c);
}
