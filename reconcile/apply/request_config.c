/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_config.c — a build of a build config as a request: the recorded spec, and what it names among the manifests as
 * values. What is named and not declared ends the build here, with the reason that OpenShift has for it.
 * Spec: openshift.md §3.4, §3.6, §3.7.
 */
#include <stdint.h>
#include <string.h>

#include "buildexec/source/access.h"
#include "buildexec/sys/url.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/kind/build_env.h"
#include "model/kind/build_phase.h"
#include "reconcile/apply/request_parts.h"

enum { DEADLINE_S = 604800 }; /* of a build that names none: a week */

struct making {
	const struct step *step;
	const struct request_spec *spec;
	struct arena *arena;
	const struct build_common *common; /* of the build as recorded */
	const struct node *record;         /* the build's metadata, for fieldRef */
	struct build_request *request;
	struct bc_request *config;
	VEC(struct request_files) files;
	struct build_event *refusal;
};

static bool refuse(struct making *m, const char *reason, const char *fmt, ...) PRINTF(3, 4);

/* Always false. */
static bool refuse(struct making *m, const char *reason, const char *fmt, ...)
{
	va_list args;

	m->refusal = ARENA_NEW(m->arena, struct build_event);
	va_start(args, fmt);
	*m->refusal = (struct build_event){ .type = EVENT_FAILURE,
					    .failure = err_kind_name(ERR_INVALID),
					    .reason = reason,
					    .text = arena_vprintf(m->arena, fmt, args) };
	va_end(args);
	return false;
}

static const struct object *find(const struct making *m, enum kind kind, const char *name)
{
	return name ? model_find(m->spec->model, kind, m->step->ns, name) : NULL;
}

/* ---- what is named: the plan makes no build that lacks any of it ---- */

/* Who pushes first: where two secrets are for one registry, the one that may write serves both. */
static void collect_credentials(const struct making *m, struct credentials *out)
{
	const struct build_source *source = &m->common->source;
	const struct object_ref account = { .ns = m->step->ns, .name = m->common->service_account };
	const struct named *first[] = { m->common->output.push_secret,
					strategy_pull_secret(&m->common->strategy) };
	VEC(struct named) names = { 0 };
	struct list registry;

	for (size_t i = 0; i < COUNTOF(first); i++)
		if (first[i])
			vec_push(m->arena, &names, *first[i]);
	for (size_t i = 0; i < source->images.n; i++) {
		const struct named *secret =
			LIST_AT(source->images, struct build_image_source, i)->pull_secret;

		if (secret)
			vec_push(m->arena, &names, *secret);
	}
	registry = (struct list){ names.v, names.n };
	credentials_collect_build(
		m->spec->model,
		&(struct build_secrets){
			.account = &account,
			.registry = &registry,
			.source = source->secret ? source->secret->name : NULL,
			.source_server =
				source->git ? access_git_server(source->git->uri, m->arena) : NULL,
		},
		m->arena, out);
}

/* ---- files ---- */

static struct pairs files_of(const struct making *m, const struct object *object)
{
	return object->kind == KIND_SECRET ? request_secret_files(object->spec, m->arena)
					   : request_map_files(object->spec, m->arena);
}

static void add_files(struct making *m, const char *purpose, const struct object *object,
		      const char *destination)
{
	if (!object)
		return;
	vec_push(m->arena, &m->files,
		 (struct request_files){ .purpose = purpose,
					 .name = object->meta.name,
					 .destination = destination,
					 .files = files_of(m, object),
					 .is_secret = object->kind == KIND_SECRET });
}

static void add_inputs(struct making *m, const struct list *sources, enum kind kind)
{
	for (size_t i = 0; i < sources->n; i++) {
		const struct file_source *source = LIST_AT(*sources, struct file_source, i);

		add_files(m, FILES_INPUT, find(m, kind, source->name.name),
			  source->destination_dir);
	}
}

/* Single keys under the paths that the items give them; all of them where there are no items. */
static bool choose_items(struct making *m, const struct volume_files *from,
			 const struct build_volume *volume, struct pairs *files)
{
	struct pairs chosen = { 0 };

	for (size_t i = 0; i < from->items.n; i++) {
		const struct volume_item *item = LIST_AT(from->items, struct volume_item, i);
		const char *value = pairs_get(files, item->key);

		if (value)
			vec_push(m->arena, &chosen, (struct pair){ item->path, value, { 0 } });
		else if (!from->is_optional)
			return refuse(m, "CannotCreateBuildPod",
				      "volume \"%s\" wants the key \"%s\", which \"%s\" does not "
				      "have",
				      volume->name, item->key, from->name);
	}
	if (from->items.n)
		*files = chosen;
	return true;
}

/* One mode serves all files of a mount: the items' where they agree, else the volume's. */
static int64_t mode_of(const struct volume_files *from)
{
	int64_t mode = from->has_default_mode ? from->default_mode : 0;

	for (size_t i = 0; i < from->items.n; i++) {
		const struct volume_item *item = LIST_AT(from->items, struct volume_item, i);

		if (!item->has_mode ||
		    item->mode != LIST_AT(from->items, struct volume_item, 0)->mode)
			return mode;
	}
	return from->items.n ? LIST_AT(from->items, struct volume_item, 0)->mode : mode;
}

static bool add_volume(struct making *m, const struct build_volume *volume)
{
	const struct volume_files *from = volume->secret ? volume->secret : volume->config_map;
	enum kind kind = volume->secret ? KIND_SECRET : KIND_CONFIG_MAP;
	struct request_files entry = { .purpose = FILES_VOLUME, .is_secret = kind == KIND_SECRET };
	const struct object *object;

	if (!from)
		return refuse(m, "CannotCreateBuildPod",
			      "volume \"%s\": there are no CSI drivers here, only secrets and "
			      "config maps can be mounted",
			      volume->name);
	object = find(m, kind, from->name);
	if (!object) /* optional */
		return true;
	entry.name = object->meta.name;
	entry.files = files_of(m, object);
	entry.mode = mode_of(from);
	if (!choose_items(m, from, volume, &entry.files))
		return false;
	for (size_t i = 0; i < volume->mounts.n; i++) {
		entry.destination =
			LIST_AT(volume->mounts, struct volume_mount, i)->destination_path;
		vec_push(m->arena, &m->files, entry);
	}
	return true;
}

static bool add_volumes(struct making *m)
{
	const struct build_strategy *strategy = &m->common->strategy;
	const struct list *volumes = strategy->docker   ? &strategy->docker->volumes
				     : strategy->source ? &strategy->source->volumes
							: NULL;

	for (size_t i = 0; volumes && i < volumes->n; i++)
		if (!add_volume(m, LIST_AT(*volumes, struct build_volume, i)))
			return false;
	return true;
}

/* A Custom builder reads docker configs and the source secret as files, and pushes by itself. */
static bool add_custom(struct making *m)
{
	const struct custom_strategy *custom = m->common->strategy.custom;
	const struct {
		const char *purpose;
		const struct named *secret;
	} own[] = {
		{ FILES_PUSH, m->common->output.push_secret },
		{ FILES_PULL, custom ? custom->pull_secret : NULL },
		{ FILES_SOURCE, m->common->source.secret },
	};

	if (!custom)
		return true;
	if (!m->spec->model->settings->builds.allow_custom)
		return refuse(m, "CannotCreateBuildPod",
			      "builder images of the Custom strategy may not run here; trusted "
			      "settings allow it with 'builds.custom: true'");
	for (size_t i = 0; i < custom->secrets.n; i++) {
		const struct secret_spec_mount *mount =
			LIST_AT(custom->secrets, struct secret_spec_mount, i);

		add_files(m, FILES_CUSTOM, find(m, KIND_SECRET, mount->secret.name),
			  mount->mount_path);
	}
	for (size_t i = 0; i < COUNTOF(own); i++)
		if (own[i].secret)
			add_files(m, own[i].purpose, find(m, KIND_SECRET, own[i].secret->name),
				  NULL);
	return true;
}

static bool add_all_files(struct making *m)
{
	const struct build_source *source = &m->common->source;

	add_inputs(m, &source->secrets, KIND_SECRET);
	add_inputs(m, &source->config_maps, KIND_CONFIG_MAP);
	if (!add_volumes(m) || !add_custom(m))
		return false;
	m->config->files = (struct list){ m->files.v, m->files.n };
	return true;
}

/* ---- variables ---- */

static bool is_optional(const struct node *ref)
{
	const struct node *optional = node_get(ref, "optional");

	return optional && optional->kind == NODE_BOOL && optional->i;
}

static bool no_value(const struct node *ref, const char **value, struct err *err, const char *what)
{
	*value = "";
	return is_optional(ref) || err_set(err, ERR_ABSENT, "key \"%s\" not found in %s \"%s\"",
					   node_text(ref, "key") ? node_text(ref, "key") : "", what,
					   node_text(ref, "name") ? node_text(ref, "name") : "");
}

static bool from_secret(struct making *m, const struct node *ref, const char **value,
			struct err *err)
{
	const struct object *object = find(m, KIND_SECRET, node_text(ref, "name"));
	const char *key = node_text(ref, "key");
	const struct secret_value *found = object && key ? secret_get(object->spec, key) : NULL;

	if (!found)
		return no_value(ref, value, err, "secret");
	if (strlen(found->bytes) != found->len)
		return err_set(err, ERR_INVALID,
			       "key \"%s\" of secret \"%s\" holds bytes that no variable can", key,
			       object->meta.name);
	*value = found->bytes;
	if (!secret_key_is_public(key) && !strings_has(&m->config->hidden, found->bytes))
		vec_push(m->arena, &m->config->hidden, found->bytes);
	return true;
}

static bool from_config_map(struct making *m, const struct node *ref, const char **value,
			    struct err *err)
{
	const struct object *object = find(m, KIND_CONFIG_MAP, node_text(ref, "name"));
	const struct config_map_spec *map = object ? object->spec : NULL;
	const char *key = node_text(ref, "key");

	*value = map && key ? pairs_get(&map->data, key) : NULL;
	return *value || no_value(ref, value, err, "config map");
}

/* "metadata.labels['app']" → the text between the quotes; NULL: not this map. */
static const char *subscript(const char *path, const char *map, struct arena *arena)
{
	size_t n = strlen(map), len = strlen(path);

	if (strncmp(path, map, n) != 0 || len < n + 5 || strncmp(path + n, "['", 2) != 0 ||
	    strcmp(path + len - 2, "']") != 0)
		return NULL;
	return arena_copy(arena, path + n + 2, len - n - 4);
}

/* Of the Build, as it is recorded. */
static bool from_field(struct making *m, const struct node *ref, const char **value,
		       struct err *err)
{
	static const char *const maps[] = { "labels", "annotations" };
	const char *path = node_text(ref, "fieldPath");

	*value = NULL;
	if (path && strcmp(path, "metadata.name") == 0)
		*value = m->step->build->name;
	else if (path && strcmp(path, "metadata.namespace") == 0)
		*value = m->step->ns;
	for (size_t i = 0; path && !*value && i < COUNTOF(maps); i++) {
		const char *key =
			subscript(path, arena_printf(m->arena, "metadata.%s", maps[i]), m->arena);

		if (!key)
			continue;
		*value = node_text(node_get(m->record, maps[i]), key);
		*value = *value ? *value : "";
	}
	return *value ||
	       err_set(err, ERR_INVALID,
		       "field \"%s\" of a build cannot be had; there are metadata.name, "
		       "metadata.namespace, metadata.labels['…'] and metadata.annotations['…']",
		       path ? path : "");
}

static bool look_up(void *context, const struct node *value_from, const char **value,
		    struct err *err)
{
	static const struct {
		const char *key;
		bool (*read)(struct making *m, const struct node *ref, const char **value,
			     struct err *err);
	} sources[] = {
		{ "secretKeyRef", from_secret },
		{ "configMapKeyRef", from_config_map },
		{ "fieldRef", from_field },
	};

	for (size_t i = 0; i < COUNTOF(sources); i++) {
		const struct node *ref = node_get(value_from, sources[i].key);

		if (ref)
			return sources[i].read(context, ref, value, err);
	}
	return err_set(err, ERR_INVALID, "'valueFrom' names no secret, config map or field");
}

static bool resolve(struct making *m, struct list *env)
{
	const struct list declared = *env;
	struct err err = { 0 };

	return env_resolve(&declared, look_up, m, m->arena, env, &err) ||
	       refuse(m, "UnresolvableEnvironmentVariable", "%s", err.text);
}

/* The recorded spec stays as it is: it names secrets, and never holds their values. */
static bool resolve_variables(struct making *m)
{
	struct build_strategy *strategy = &m->config->spec.strategy;
	struct list *env;

#define OWN(member)                                                                                \
	do {                                                                                       \
		void *copy = arena_alloc(m->arena, sizeof(*strategy->member));                     \
		strategy->member = memcpy(copy, strategy->member, sizeof(*strategy->member));      \
	} while (0)
	if (strategy->docker)
		OWN(docker);
	if (strategy->source)
		OWN(source);
	if (strategy->custom)
		OWN(custom);
	if (strategy->pipeline)
		OWN(pipeline);
#undef OWN
	env = strategy_env(strategy);
	return (!env || resolve(m, env)) &&
	       (!strategy->docker || resolve(m, &strategy->docker->build_args));
}

/* ---- the rest ---- */

static const char *action_of(const struct build_strategy *strategy)
{
	return strategy->source   ? "s2i"
	       : strategy->docker ? "docker"
	       : strategy->custom ? "custom"
				  : "pipeline";
}

static const char *value_of(const struct object *secret, const char *key)
{
	const struct secret_value *value = secret_get(secret->spec, key);

	return value ? value->bytes : NULL;
}

static const char *without_slash(const char *url, struct arena *arena)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	return arena_copy(arena, url, n);
}

static bool add_jenkins(struct making *m)
{
	const struct settings_jenkins *settings = &m->spec->model->settings->jenkins;
	const char *slash = settings->credentials ? strchr(settings->credentials, '/') : NULL;
	struct request_jenkins *jenkins = ARENA_NEW(m->arena, struct request_jenkins);
	const struct object *secret = NULL;

	if (!m->common->strategy.pipeline)
		return true;
	if (!settings->url)
		return refuse(m, "CannotCreateBuildPod",
			      "there is no Jenkins for the pipeline; trusted settings name it "
			      "with 'jenkins.url'");
	if (slash)
		secret = model_find(m->spec->model, KIND_SECRET,
				    arena_copy(m->arena, settings->credentials,
					       (size_t)(slash - settings->credentials)),
				    slash + 1);
	if (settings->credentials && !secret)
		return refuse(m, "CannotCreateBuildPod",
			      "the secret \"%s\" of the settings' jenkins.credentials is not "
			      "declared",
			      settings->credentials);
	*jenkins = (struct request_jenkins){
		.url = without_slash(settings->url, m->arena),
		.user = secret ? value_of(secret, "username") : NULL,
		.token = secret ? value_of(secret, "password") : NULL,
		.ca_file = request_below(m->spec->base_dir, settings->ca_file, m->arena),
		.is_insecure = settings->is_insecure,
	};
	m->config->jenkins = jenkins;
	return true;
}

static const char *newest_image(const struct build_config_status *status)
{
	for (size_t i = status ? status->history.n : 0; i; i--) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i - 1);

		if (phase_find(entry->phase) == PHASE_COMPLETE && entry->image)
			return entry->image;
	}
	return NULL;
}

/* As it is written in the URL, and as it is sent. */
static void hide_password(struct making *m, const char *url)
{
	const char *scheme_end = url ? strstr(url, "://") : NULL, *begin, *at, *colon;
	struct err ignored = { 0 };
	struct url parsed;

	if (!url)
		return;
	begin = scheme_end ? scheme_end + 3 : url;
	at = memrchr(begin, '@', strcspn(begin, "/?#"));
	colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
	if (!colon || colon + 1 == at)
		return;
	vec_push(m->arena, &m->config->hidden,
		 arena_copy(m->arena, colon + 1, (size_t)(at - colon - 1)));
	if (url_parse(url, m->arena, &parsed, &ignored) && parsed.password)
		vec_push(m->arena, &m->config->hidden, parsed.password);
}

/*
 * Logins are for whoever fetches: of a Custom build that is the builder. All else that is told of the place goes into images
 * and records.
 */
static void add_logins(struct making *m)
{
	const struct build_git *from = m->step->git;
	struct build_git *git;

	if (!from || !m->common->source.git)
		return;
	git = ARENA_NEW(m->arena, struct build_git);
	*git = *m->common->source.git;
	git->http_proxy = from->http_proxy;
	git->https_proxy = from->https_proxy;
	if (m->common->strategy.custom)
		git->uri = from->uri;
	m->config->spec.source.git = git;
	hide_password(m, from->uri);
	hide_password(m, from->http_proxy);
	hide_password(m, from->https_proxy);
}

static bool add_source(struct making *m)
{
	const struct build_source *from = &m->common->source;
	const struct source_revision *revision = m->common->revision;
	struct git_source *git;

	m->config->binary =
		m->step->start ? (struct request_binary *)(uintptr_t)m->step->start->binary : NULL;
	if (from->binary && !m->config->binary)
		return refuse(m, "FetchSourceFailed",
			      "its source is sent along when it is started: start-build %s with "
			      "--from-dir, --from-archive, --from-file or --from-repo",
			      m->step->name);
	if (!from->git || m->config->binary)
		return true;
	git = ARENA_NEW(m->arena, struct git_source);
	*git = (struct git_source){ .url = (m->step->git ? m->step->git : from->git)->uri,
				    .revision = revision && revision->git ? revision->git->commit
									  : from->git->ref,
				    .has_submodules = true };
	m->request->source =
		request_located(&(struct source){ .git = git }, m->step->object, m->arena);
	return true;
}

static const char *compact_json(const struct node *document, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(LIMIT_STATE_BLOB);

	json_print(document, JSON_COMPACT, &out);
	return buf_copy(&out, arena);
}

static void fill(struct making *m)
{
	const struct settings *settings = m->spec->model->settings;
	const struct custom_strategy *custom = m->common->strategy.custom;
	const struct bc_build *build = m->step->build;
	const struct node *document = bc_build_encode(build, m->arena);

	m->record = node_get(document, "metadata");
	*m->config = (struct bc_request){
		.config = build->config ? build->config : build->name,
		.build = build->name,
		.ns = m->step->ns,
		.number = build->number,
		.spec = *m->common,
		.build_json = custom ? compact_json(document, m->arena) : NULL,
		.docker_socket =
			custom && custom->has_docker_socket ? settings->builds.docker_socket : NULL,
	};
	m->request->action = action_of(&m->common->strategy);
	m->request->config = m->config;
	m->request->resources = m->common->resources;
	m->request->timeout_s = m->common->has_deadline ? m->common->deadline_s : DEADLINE_S;
	if (m->request->timeout_s > INT32_MAX)
		m->request->timeout_s = INT32_MAX;
	m->request->previous_image = newest_image(m->step->status);
	m->request->manifest_dir = request_folder(m->step->object->file, m->spec, m->arena);
	request_add_reasons(m->step, m->request, m->arena);
}

struct build_request *request_for_config(const struct step *step, const struct request_spec *spec,
					 struct arena *arena, const struct build_event **refusal)
{
	struct making m = { .step = step,
			    .spec = spec,
			    .arena = arena,
			    .common = &step->build->spec.common,
			    .config = ARENA_NEW(arena, struct bc_request) };
	struct credentials credentials;

	collect_credentials(&m, &credentials);
	m.request = request_common(step, spec, &credentials, arena);
	fill(&m);
	add_logins(&m);
	if (add_source(&m) && add_all_files(&m) && resolve_variables(&m) && add_jenkins(&m))
		return m.request;
	*refusal = m.refusal;
	return NULL;
}
