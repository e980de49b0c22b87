/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_check.c — the rules of BuildConfig and Build beyond their tables: sources, output, triggers; those of
 * strategies are in build_strategy_check.c. Texts: openshift-apiserver, build validation (openshift.md §3.3).
 */
#include <string.h>

#include "model/base/path.h"
#include "model/kind/build_check.h"
#include "model/kind/rules.h"

enum {
	DOCKERFILE_BYTES = 60000,
	LABEL_NAME_MAX = 253,
};
/* What fits a time in nanoseconds. */
#define DEADLINE_MAX_S 9223372036ll

void check_refuse(const struct checker *c, const char *path, const char *why)
{
	check_fail(c, path, "%s: %s", why, path);
}

/* ---- sources ---- */

static bool leads_out(const char *dir, struct arena *arena)
{
	return dir && strncmp(path_clean(dir, arena), "..", 2) == 0;
}

static bool is_url_byte(unsigned char ch)
{
	return ch > ' ' && ch != 0x7f;
}

static bool is_hex(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');
}

/* Why the part behind "://" is none, or NULL. */
static const char *authority_mistake(const char *text, struct arena *arena)
{
	const char *host, *colon;
	char *authority = arena_copy(arena, text, strcspn(text, "/?#"));

	for (const char *p = text; *p; p++)
		if (*p == '%' && (!is_hex(p[1]) || !is_hex(p[2])))
			return arena_printf(arena, "invalid URL escape \"%.3s\"", p);
	host = strrchr(authority, '@');
	host = host ? host + 1 : authority;
	colon = strrchr(host, ':');
	if (colon && !strchr(colon, ']') && colon[1 + strspn(colon + 1, "0123456789")])
		return arena_printf(arena, "invalid port \"%s\" after host", colon);
	return NULL;
}

const char *url_mistake(const char *text, struct arena *arena)
{
	const char *rest = strstr(text, "://");
	size_t n =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	for (const char *p = text; *p; p++)
		if (!is_url_byte((unsigned char)*p))
			return "invalid character in URL";
	if (!rest)
		return NULL; /* user@host:path, a path, transport::address */
	if (rest == text || strspn(text, "0123456789+-."))
		return "missing protocol scheme";
	return text + n == rest ? authority_mistake(rest + 3, arena) : NULL;
}

static void check_proxy(const struct checker *c, const char *path, const char *proxy)
{
	const char *mistake = NULL;

	if (!proxy || !*proxy)
		return;
	/* "proxy:3128" is one, too. */
	if (strncmp(proxy, "http", 4) != 0 || !strstr(proxy, "://"))
		proxy = arena_printf(c->arena, "http://%s", proxy);
	mistake = url_mistake(proxy, c->arena);
	if (mistake)
		check_invalid(c, path, proxy, mistake);
}

static void check_git(const struct checker *c, const struct build_git *git)
{
	const char *mistake;

	if (check_filled(c, "spec.source.git.uri", git->uri)) {
		mistake = url_mistake(git->uri, c->arena);
		if (mistake)
			check_invalid(c, "spec.source.git.uri", git->uri, mistake);
	}
	check_proxy(c, "spec.source.git.httpProxy", git->http_proxy);
	check_proxy(c, "spec.source.git.httpsProxy", git->https_proxy);
}

static void check_binary(const struct checker *c, const char *file)
{
	const char *clean = file && *file ? path_clean(file, c->arena) : NULL;

	if (!clean)
		return;
	clean += *clean == '/';
	if (!*clean || strcmp(clean, ".") == 0 || strncmp(clean, "..", 2) == 0 ||
	    strpbrk(clean, "/\\"))
		check_invalid(c, "spec.source.binary.asFile", file,
			      "file name may not contain slashes or relative path segments and "
			      "must be a valid POSIX filename");
}

static void check_image_path(const struct checker *c, const char *at, const struct image_path *path)
{
	const char *from_at = arena_printf(c->arena, "%s.sourcePath", at);
	const char *to_at = arena_printf(c->arena, "%s.destinationDir", at);
	const char *to = path->destination_dir;

	if (check_filled(c, from_at, path->source_path) && *path->source_path != '/')
		check_invalid(c, from_at, path->source_path, "must be an absolute path");
	if (!check_filled(c, to_at, to))
		return;
	if (*to == '/')
		check_invalid(c, to_at, to, "must be a relative path");
	else if (leads_out(to, c->arena))
		check_invalid(c, to_at, to, "destination dir cannot start with '..'");
}

static void check_secret_ref(const struct checker *c, const char *path, const struct named *ref)
{
	if (ref)
		check_filled(c, arena_printf(c->arena, "%s.name", path), ref->name);
}

void check_pull_secret(const struct checker *c, const char *strategy, const struct named *ref)
{
	check_secret_ref(c, arena_printf(c->arena, "%s.pullSecret", strategy), ref);
}

static void check_image_source(const struct checker *c, const struct build_image_source *image,
			       size_t i, struct map *names)
{
	const char *at = arena_printf(c->arena, "spec.source.images[%zu]", i);

	check_from(c, arena_printf(c->arena, "%s.from", at), &image->from, &FROM_TEXTS);
	check_pull_secret(c, at, image->pull_secret);
	if (!image->paths.n && !image->as.n)
		check_fail(c, at, "missing field(s): %s.paths, %s.as\nmust specify 'paths' or 'as'",
			   at, at);
	for (size_t k = 0; k < image->paths.n; k++)
		check_image_path(c, arena_printf(c->arena, "%s.paths[%zu]", at, k),
				 LIST_AT(image->paths, struct image_path, k));
	for (size_t k = 0; k < image->as.n; k++) {
		const char *as_at = arena_printf(c->arena, "%s.as[%zu]", at, k);

		if (!*image->as.v[k])
			check_invalid(c, as_at, "\"\"", "must not be empty");
		else if (map_has(names, image->as.v[k]))
			check_fail(c, as_at, "duplicate value: %s: %s", image->as.v[k], as_at);
		map_set(c->arena, names, image->as.v[k], names);
	}
}

struct file_rules {
	const char *list, *key, *mistake;
	bool is_docker;
};

static void check_files(const struct checker *c, const struct list *files,
			const struct file_rules *rules)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct file_source *file = LIST_AT(*files, struct file_source, i);
		const char *at = arena_printf(c->arena, "spec.source.%s[%zu]", rules->list, i);
		const char *name_at = arena_printf(c->arena, "%s.%s.name", at, rules->key);
		const char *dir_at = arena_printf(c->arena, "%s.destinationDir", at);
		const char *dir = file->destination_dir;

		if (check_filled(c, name_at, file->name.name) &&
		    !check_name_is_valid(file->name.name))
			check_invalid(c, name_at, file->name.name, rules->mistake);
		if (leads_out(dir, c->arena))
			check_invalid(c, dir_at, dir, "destination dir cannot start with '..'");
		if (rules->is_docker && dir && *dir == '/')
			check_invalid(c, dir_at, dir,
				      "for the docker strategy the destinationDir has to be "
				      "relative path");
	}
}

static void check_source_parts(const struct checker *c, const struct build_source *source)
{
	struct map names = { 0 };

	if (source->git)
		check_git(c, source->git);
	if (source->binary)
		check_binary(c, source->binary->as_file);
	if (source->dockerfile && strlen(source->dockerfile) > DOCKERFILE_BYTES)
		check_fail(c, "spec.source.dockerfile",
			   "must be smaller than %d bytes: spec.source.dockerfile",
			   (int)DOCKERFILE_BYTES);
	for (size_t i = 0; i < source->images.n; i++)
		check_image_source(c, LIST_AT(source->images, struct build_image_source, i), i,
				   &names);
}

static void check_source(const struct checker *c, const struct build_common *common)
{
	const struct build_source *source = &common->source;
	const struct build_strategy *strategy = &common->strategy;
	bool is_docker = strategy->docker != NULL;
	const struct file_rules secrets = { "secrets", "secret", "must be valid secret name",
					    is_docker };
	const struct file_rules maps = { "configMaps", "configMap", "must be valid configMap name",
					 is_docker };

	if (is_docker && !strategy->pipeline && !source->git && !source->binary &&
	    !source->dockerfile && !source->images.n)
		check_refuse(c, "spec.source",
			     "must provide a value for at least one source input(git, binary, "
			     "dockerfile, images).");
	if (source->git && source->binary && !strategy->custom) {
		check_refuse(c, "spec.source.git", "may not be set when binary is also set");
		check_refuse(c, "spec.source.binary", "may not be set when git is also set");
		return;
	}
	check_source_parts(c, source);
	if (strategy->pipeline && !strategy->pipeline->text && !source->git)
		check_refuse(c, "spec.source.git",
			     "must be set when using Jenkins Pipeline strategy with Jenkinsfile "
			     "from a git repo");
	check_files(c, &source->secrets, &secrets);
	check_files(c, &source->config_maps, &maps);
	check_secret_ref(c, "spec.source.sourceSecret", source->secret);
	if (leads_out(source->context_dir, c->arena))
		check_invalid(c, "spec.source.contextDir", source->context_dir,
			      "context dir must not be a relative path");
}

/* ---- output ---- */

static const char *label_mistake(const char *name)
{
	static const char others[] = "-_./";

	if (strlen(name) > LABEL_NAME_MAX)
		return "must be no more than 253 characters";
	for (const char *p = name; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && !strchr(others, *p))
			return "a label's name must consist of alphanumeric characters, '-', '_', "
			       "'.' or '/' (e.g. 'io.k8s.display-name', or 'example.com/name')";
	return NULL;
}

static void check_labels(const struct checker *c, const struct list *labels)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < labels->n; i++) {
		const struct image_label *label = LIST_AT(*labels, struct image_label, i);
		const char *at = arena_printf(c->arena, "spec.output.imageLabels[%zu].name", i);
		const char *mistake;

		if (!check_filled(c, at, label->name))
			continue;
		mistake = label_mistake(label->name);
		if (mistake)
			check_invalid(c, at, label->name, mistake);
		if (map_has(&seen, label->name))
			check_invalid(c, at, label->name, "duplicate name");
		map_set(c->arena, &seen, label->name, &seen);
	}
}

static void check_output(const struct checker *c, const struct build_output *output)
{
	if (output->to)
		check_from(c, "spec.output.to", output->to, &TO_TEXTS);
	check_secret_ref(c, "spec.output.pushSecret", output->push_secret);
	check_labels(c, &output->labels);
}

static void check_common(const struct checker *c, const struct build_common *common)
{
	check_source(c, common);
	check_output(c, &common->output);
	check_strategy(c, &common->strategy);
	check_quantities(c, "spec.resources.limits", &common->resources.limits);
	check_quantities(c, "spec.resources.requests", &common->resources.requests);
	if (common->post_commit.script && common->post_commit.command.n)
		check_refuse(c, "spec.postCommit", "cannot use command and script together");
	if (common->has_deadline &&
	    (common->deadline_s <= 0 || common->deadline_s > DEADLINE_MAX_S))
		check_invalid(c, "spec.completionDeadlineSeconds",
			      arena_printf(c->arena, "%lld", (long long)common->deadline_s),
			      common->deadline_s <= 0
				      ? "completionDeadlineSeconds must be a positive integer "
					"greater than 0"
				      : "completionDeadlineSeconds is longer than any time");
}

/* ---- triggers ---- */

static const struct webhook *hook_of(const struct build_trigger *trigger, const char **key)
{
	const struct {
		const char *type, *key;
		const struct webhook *hook;
	} hooks[] = {
		{ TRIGGER_GITHUB, "github", trigger->github },
		{ TRIGGER_GITLAB, "gitlab", trigger->gitlab },
		{ TRIGGER_BITBUCKET, "bitbucket", trigger->bitbucket },
		{ TRIGGER_GENERIC, "generic", trigger->generic },
	};

	*key = NULL;
	for (size_t i = 0; i < COUNTOF(hooks); i++) {
		if (strcmp(hooks[i].type, trigger->type) != 0)
			continue;
		*key = hooks[i].key;
		return hooks[i].hook;
	}
	return NULL;
}

static void check_webhook(const struct checker *c, const char *path, const struct webhook *hook,
			  bool is_generic)
{
	if ((!hook->secret || !*hook->secret) && !hook->secret_ref)
		check_refuse(c, path,
			     "must provide a value for at least one of secret or secretReference");
	check_secret_ref(c, arena_printf(c->arena, "%s.secretReference", path), hook->secret_ref);
	if (!is_generic && hook->may_set_env)
		check_refuse(c, arena_printf(c->arena, "%s.allowEnv", path),
			     "git webhooks cannot allow env vars");
}

/* The tag that a trigger follows, "ns/stream:tag"; NULL when that is said to be wrong already. */
static const char *check_image_change(const struct checker *c, const char *at,
				      const struct build_trigger *trigger,
				      const struct object_ref *strategy)
{
	const struct object_ref *from = trigger->image_change->from;
	const char *path = arena_printf(c->arena, "%s.imageChange.from", at);

	if (from && (!from->kind || strcmp(from->kind, FROM_STREAM_TAG) != 0)) {
		check_invalid(c, arena_printf(c->arena, "%s.kind", path),
			      from->kind ? from->kind : "\"\"",
			      "only an ImageStreamTag type of reference is allowed in an "
			      "ImageChange trigger.");
		return NULL;
	}
	if (from)
		check_from(c, path, from, &FROM_TEXTS);
	from = from ? from : strategy;
	return from && from->name
		       ? arena_printf(c->arena, "%s/%s", from->ns ? from->ns : c->object->meta.ns,
				      from->name)
		       : NULL;
}

static void check_trigger(const struct checker *c, const struct build_trigger *trigger,
			  const struct object_ref *from, struct map *seen)
{
	const char *at = arena_printf(c->arena, "spec.triggers[%zu]", trigger->index);
	const char *key, *tag;
	const struct webhook *hook;

	if (!check_filled(c, arena_printf(c->arena, "%s.type", at), trigger->type))
		return;
	hook = hook_of(trigger, &key);
	if (key) {
		const char *path = arena_printf(c->arena, "%s.%s", at, key);

		if (!hook)
			check_fail(c, path, "missing field(s): %s", path);
		else
			check_webhook(c, path, hook, hook == trigger->generic);
	}
	if (strcmp(trigger->type, TRIGGER_IMAGE_CHANGE) != 0)
		return;
	tag = check_image_change(c, at, trigger, from);
	if (tag && map_has(seen, tag))
		check_fail(c, at,
			   "multiple ImageChange triggers refer to the same image stream tag: %s\n"
			   "the tag is %s%s",
			   at, tag,
			   trigger->image_change->from
				   ? ""
				   : ", the strategy's, since imageChange has no `from`");
	if (tag)
		map_set(c->arena, seen, tag, seen);
}

static void check_limit(const struct checker *c, const char *path, int64_t limit)
{
	if (limit < 0)
		check_invalid(c, path, arena_printf(c->arena, "%lld", (long long)limit),
			      "must be greater than or equal to 0");
}

void build_config_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct build_config_spec *spec = object->spec;
	struct map seen = { 0 };

	for (size_t i = 0; i < spec->triggers.n; i++)
		check_trigger(&c, LIST_AT(spec->triggers, struct build_trigger, i),
			      strategy_from(&spec->common.strategy), &seen);
	if (strcmp(spec->run_policy, POLICY_PARALLEL) != 0 &&
	    strcmp(spec->run_policy, POLICY_SERIAL) != 0 &&
	    strcmp(spec->run_policy, POLICY_SERIAL_LATEST_ONLY) != 0)
		check_invalid(&c, "spec.runPolicy", spec->run_policy,
			      "run policy must be Parallel, Serial, or SerialLatestOnly");
	check_limit(&c, "spec.successfulBuildsHistoryLimit", spec->success_limit);
	check_limit(&c, "spec.failedBuildsHistoryLimit", spec->failed_limit);
	check_common(&c, &spec->common);
}

void build_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct build_spec *spec = object->spec;

	check_common(&c, &spec->common);
}
