/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queries_build_config.c — what build configs ask: the commit of their source, and what the images are that they name without
 * a stream. Credentials are those of spec.serviceAccount and of the secrets that stand beside what is asked for.
 */
#include <string.h>

#include "reconcile/plan/queries.h"
#include "reconcile/plan/rules_build_config.h"

static void ask_commit(struct asking *a, const struct object *object, const char *revision)
{
	const struct build_config_spec *spec = object->spec;
	const struct build_config_status *status = state_status(a->state, object->id);
	const struct build_source *source = &spec->common.source;
	struct account account = account_with(a->model, object, source->secret, a->arena);
	const char *url = git_location(source->git->uri, object, a->arena);
	const char *path = sub_path_clean(source->context_dir, a->arena), *known = NULL;
	struct query *query;
	bool is_new;

	query = ask(a, QUERY_GIT, query_key_git(url, revision, account.ns, account.name, a->arena),
		    object, &is_new);
	query->url = url;
	query->revision = revision;
	query->ns = account.ns;
	query->service_account = account_of(a->model, object).name;
	query->source_secret = source->secret ? source->secret->name : NULL;
	if (source->git->http_proxy || source->git->https_proxy || source->git->no_proxy)
		query->proxies = source->git;
	if (!path[0])
		return;
	if (config_trees_are_known(status, url_without_login(source->git->uri, a->arena),
				   config_digest(spec, object->meta.ns, a->arena)))
		known = status->last->commit;
	if (query->sub_paths.n == 0)
		query->known_commit = known;
	else if (!text_equal(query->known_commit, known))
		query->known_commit = NULL;
	vec_push(a->arena, &query->sub_paths, path);
}

static void ask_docker_image(struct asking *a, const struct object *object,
			     const struct object_ref *from, const struct named *secret)
{
	struct account account = account_with(a->model, object, secret, a->arena);
	struct build_ref ref;
	struct query *query;
	struct list *secrets;
	bool is_new;

	if (!build_ref_of(from, object->meta.ns, a->arena, &ref) || !ref.image ||
	    strchr(ref.image, '@'))
		return;
	query = ask(a, QUERY_IMAGE, query_key_image(ref.image, account.ns, account.name, a->arena),
		    object, &is_new);
	query->image = ref.image;
	query->ns = account.ns;
	query->service_account = account_of(a->model, object).name;
	if (!secret || !secret->name)
		return;
	secrets = ARENA_NEW(a->arena, struct list);
	*secrets = (struct list){ (void *)(uintptr_t)secret, 1 };
	query->pull_secrets = secrets;
}

void ask_build_config(struct asking *a, const struct object *object)
{
	const struct build_common *common =
		&((const struct build_config_spec *)object->spec)->common;
	const struct list *images = &common->source.images, *starts = a->options.starts;

	if (build_is_export(object) ||
	    build_is_settled(object, state_status(a->state, object->id), &a->options))
		return;
	if (common->source.git)
		ask_commit(a, object, config_revision(common));
	for (size_t i = 0; common->source.git && starts && i < starts->n; i++) {
		const struct build_start *start = LIST_AT(*starts, struct build_start, i);

		if (strcmp(start->id, object->id) == 0 && start->commit && start->commit[0])
			ask_commit(a, object, start->commit);
	}
	ask_docker_image(a, object, strategy_from(&common->strategy),
			 strategy_pull_secret(&common->strategy));
	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *image =
			LIST_AT(*images, struct build_image_source, i);

		ask_docker_image(a, object, &image->from, image->pull_secret);
	}
}
