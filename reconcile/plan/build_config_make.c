/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_make.c — the build that is to run, as it will be recorded: its spec with every reference pinned, what a start
 * brought put over it, its key; and the build config's status as of then. Rules: openshift.md §3.4 "At instantiate".
 */
#include <inttypes.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/kind/build_env.h"
#include "model/kind/build_name.h"
#include "model/kind/build_phase.h"
#include "reconcile/plan/build_key.h"
#include "reconcile/plan/rules_build_config.h"

/* ---- the spec ---- */

static struct object_ref pinned(const struct object_ref *from, const char *image)
{
	return image ? (struct object_ref){ .kind = FROM_DOCKER_IMAGE, .name = image } : *from;
}

static struct build_strategy made_strategy(const struct configuring *c)
{
	const struct build_start *start = c->start;
	struct build_strategy out = c->common->strategy;
	struct list *env;

	if (out.docker) {
		struct docker_strategy *docker = ARENA_NEW(c->p->arena, struct docker_strategy);

		*docker = *out.docker;
		if (docker->from) {
			docker->from = ARENA_NEW(c->p->arena, struct object_ref);
			*docker->from = pinned(out.docker->from, c->from.image);
		}
		if (start)
			docker->build_args =
				env_override(&docker->build_args, &start->build_args, c->p->arena);
		if (start && start->has_uncached)
			docker->is_uncached = start->is_uncached;
		out.docker = docker;
	}
	if (out.source) {
		struct source_strategy *source = ARENA_NEW(c->p->arena, struct source_strategy);

		*source = *out.source;
		source->from = pinned(&out.source->from, c->from.image);
		if (start && start->has_incremental) {
			source->has_incremental = true;
			source->is_incremental = start->is_incremental;
		}
		out.source = source;
	}
	if (out.custom) {
		struct custom_strategy *custom = ARENA_NEW(c->p->arena, struct custom_strategy);

		*custom = *out.custom;
		custom->from = pinned(&out.custom->from, c->from.image);
		out.custom = custom;
	}
	if (out.pipeline) {
		struct pipeline_strategy *pipeline =
			ARENA_NEW(c->p->arena, struct pipeline_strategy);

		*pipeline = *out.pipeline;
		out.pipeline = pipeline;
	}
	env = strategy_env(&out);
	if (env && start && start->env.n)
		*env = env_merge(env, &start->env, c->p->arena);
	return out;
}

/* Proxies need no scheme: "user:password@proxy:3128". */
static const char *proxy_without_login(const char *proxy, struct arena *arena)
{
	const char *at = proxy && !strstr(proxy, "://") ? strrchr(proxy, '@') : NULL;

	return at ? at + 1 : url_without_login(proxy, arena);
}

/* A record lacks the login that the spec has for the same place. */
static const struct build_git *with_login(const struct configuring *c, const struct build_git *git)
{
	const struct build_git *spec = c->spec->common.source.git;

	return spec && text_equal(url_without_login(spec->uri, c->p->arena), git->uri) ? spec : git;
}

/* What comes along takes the place of what would be fetched; what came along once is gone. */
static struct build_source made_source(const struct configuring *c)
{
	struct build_source out = c->common->source;
	struct build_image_source *images = arena_array(c->p->arena, out.images.n, sizeof(*images));
	const struct request_binary *sent = c->start ? c->start->binary : NULL;

	for (size_t i = 0; i < out.images.n; i++) {
		images[i] = *LIST_AT(out.images, struct build_image_source, i);
		images[i].from = pinned(&images[i].from, c->images[i].image);
	}
	out.images.v = images;
	if (c->start && c->start->clone)
		out.binary = NULL;
	if (sent) {
		out.binary = ARENA_NEW(c->p->arena, struct build_binary);
		out.binary->as_file = sent->as_file;
		out.git = NULL;
	}
	if (out.git) {
		struct build_git *git = ARENA_NEW(c->p->arena, struct build_git);

		*git = *out.git;
		git->uri = url_without_login(git->uri, c->p->arena);
		git->http_proxy = proxy_without_login(git->http_proxy, c->p->arena);
		git->https_proxy = proxy_without_login(git->https_proxy, c->p->arena);
		out.git = git;
		c->step->git = with_login(c, git);
	}
	out.type = source_type(&out);
	return out;
}

static struct source_revision *made_revision(const struct configuring *c)
{
	const struct source_revision *said = c->common->revision;
	struct source_revision *revision;

	if ((c->start && c->start->binary) || !c->common->source.git || !c->git.built)
		return NULL;
	revision = ARENA_NEW(c->p->arena, struct source_revision);
	revision->type = "Git";
	revision->git = ARENA_NEW(c->p->arena, struct commit_revision);
	if (said && said->git && text_equal(said->git->commit, c->git.built))
		*revision->git = *said->git;
	revision->git->commit = c->git.built;
	return revision;
}

static struct build_common made_common(const struct configuring *c)
{
	struct build_common out = *c->common;

	out.source = made_source(c);
	out.strategy = made_strategy(c);
	out.revision = made_revision(c);
	if (c->output) {
		out.output.to = ARENA_NEW(c->p->arena, struct object_ref);
		*out.output.to =
			(struct object_ref){ .kind = FROM_DOCKER_IMAGE, .name = c->output };
	}
	return out;
}

/* ---- its key ---- */

static bool is_open(const struct configuring *c)
{
	bool needs_commit = c->common->source.git && !(c->start && c->start->binary);

	return c->unknown.n || c->waits.n || c->from.state != INPUT_KNOWN ||
	       (needs_commit && !c->git.built) || (c->facts & BC_LACKING);
}

/* Where the image goes and what is fetched along the way changes nothing in it. */
static const char *made_key(const struct configuring *c, const struct build_common *common)
{
	const struct request_binary *sent = c->start ? c->start->binary : NULL;
	const char *reasons = changes_reasons(&c->step->changes, c->p->arena);
	struct node *map = node_new(c->p->arena, NODE_MAP);
	struct build_config_spec spec = { .common = *common };
	AUTO_BUF text = BUF_INIT(LIMIT_HTTP_BODY);
	struct digest digest;

	if (is_open(c))
		return NULL;
	spec.common.output.to = NULL;
	spec.common.revision = NULL;
	node_set(c->p->arena, map, "format", node_int(c->p->arena, BUILD_FORMAT));
	node_set_text(c->p->arena, map, "spec", config_digest(&spec, c->step->ns, c->p->arena));
	if (common->source.git)
		node_set_text(c->p->arena, map, c->git.built_tree ? "tree" : "commit",
			      c->git.built_tree ? c->git.built_tree : c->git.built);
	if (sent) {
		node_set_text(c->p->arena, map, "binary", sent->content);
		node_set_text(c->p->arena, map, "asFile", sent->as_file);
	}
	if (reasons_name(reasons, "TRIGGER"))
		node_set_text(c->p->arena, map, "trigger", c->trigger ? c->trigger : "");
	/* As with a trigger: it is asked for, though nothing that goes into the image differs. */
	for (size_t i = 0; i < c->image_causes.n; i++) {
		const struct image_cause *cause =
			LIST_AT(c->image_causes, struct build_cause, i)->image;

		node_set_text(c->p->arena, map, arena_printf(c->p->arena, "image%zu", i),
			      cause->image);
	}
	json_print(map, JSON_COMPACT, &text);
	digest = digest_of(buf_text(&text), text.len);
	return arena_strdup(c->p->arena, digest.text);
}

/* ---- what is recorded of it ---- */

static bool is_exact(const struct build_start *start)
{
	return start && (start->clone || start->binary || start->commit);
}

static struct bc_attempt *made_attempt(const struct configuring *c)
{
	const struct bc_attempt *last = c->status->last;
	const struct build_start *start = c->start;
	struct bc_attempt *attempt = ARENA_NEW(c->p->arena, struct bc_attempt);
	bool keeps_commit =
		is_exact(start) && last && last->commit && text_equal(last->git_url, c->git.url);

	*attempt = (struct bc_attempt){
		.number = c->number,
		.reasons = c->step->build->reasons,
		.causes = c->step->build->spec.triggered_by,
		.git_url = c->git.url,
		.git_ref = c->git.ref,
		.commit = keeps_commit ? last->commit : c->git.commit,
		.tree = keeps_commit ? last->tree : c->git.tree,
		.build_key = c->step->build_key,
		.trigger = c->trigger,
		.is_once = is_exact(start) ||
			   (start && (start->env.n || start->build_args.n ||
				      start->has_incremental || start->has_uncached)),
	};
	if (last && attempt->build_key && text_equal(last->build_key, attempt->build_key))
		attempt->tries = last->tries;
	return attempt;
}

/* A clone is of another time: what has changed since is still to be built. */
static struct build_config_status *made_status(const struct configuring *c)
{
	const struct list tags = { c->tags.v, c->tags.n };
	const struct trigger_case now = config_case(c, &tags);
	struct build_config_status *begun = ARENA_NEW(c->p->arena, struct build_config_status);

	*begun = *c->status;
	begun->last = made_attempt(c);
	if (c->number > begun->last_version)
		begun->last_version = c->number;
	if (c->start && c->start->clone)
		return begun;
	begun->config_digest = c->digest;
	begun->triggers =
		image_change_record(&now, &c->image_causes, c->p->options.now_s, c->p->arena);
	return begun;
}

/* A New build that goes on was made when it was first recorded. */
static int64_t created_s(const struct configuring *c)
{
	return c->waiting && c->waiting->number == c->number && c->waiting->created_s
		       ? c->waiting->created_s
		       : c->p->options.now_s;
}

char *config_build_name(const struct step *step, int64_t number, struct arena *arena)
{
	if (step->kind == KIND_BUILD)
		return arena_strdup(arena, step->name);
	return build_name(step->name, arena_printf(arena, "%" PRId64, number), arena);
}

void config_make(struct configuring *c)
{
	struct step *step = c->step;
	struct bc_build *build = ARENA_NEW(c->p->arena, struct bc_build);
	const struct meta *meta = &step->object->meta;
	bool is_config = step->kind == KIND_BUILD_CONFIG;

	*build = (struct bc_build){
		.name = config_build_name(step, c->number, c->p->arena),
		.ns = meta->ns,
		.config = is_config ? meta->name : NULL,
		.number = c->number,
		.labels = is_config ? build_labels(meta, c->spec->run_policy, c->p->arena)
				    : meta->labels,
		.clone_of = c->start && c->start->clone ? c->start->clone->name : NULL,
		.created_s = created_s(c),
		.spec = { .common = made_common(c), .triggered_by = { c->causes.v, c->causes.n } },
		.reasons = changes_reasons(&step->changes, c->p->arena),
		.run_source = c->p->options.run_source,
	};
	bc_build_set_phase(build, phase_name(PHASE_NEW), build->created_s, c->p->arena);
	build->build_key = made_key(c, &build->spec.common);
	step->number = c->number;
	step->build = build;
	step->build_name = build->name;
	step->build_key = build->build_key;
	step->start = c->start;
	if (c->output)
		vec_push(c->p->arena, &step->tags, c->output);
	step->begun = made_status(c);
	build->tries = step->begun->last->tries;
}
