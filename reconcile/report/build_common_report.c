/* SPDX-License-Identifier: Apache-2.0 */
/* build_common_report.c — oc's describeCommonSpec and what it calls. */
#include <string.h>

#include "model/base/path.h"
#include "reconcile/report/build_report.h"
#include "reconcile/report/human.h"

enum { TEXT_BYTES = 1 << 20, COMMIT_SHORT = 7 };

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A field that is left out where there is nothing to say. */
static void put_some(struct describe *to, const char *key, const char *value)
{
	if (value && *value)
		describe_field(to, key, value);
}

static void put_name(struct describe *to, const char *key, const struct named *name)
{
	if (name)
		describe_field(to, key, name->name);
}

static void put_yes(struct describe *to, const char *key, bool is_so, const char *word)
{
	if (is_so)
		describe_field(to, key, word);
}

static const char *full_name(const struct object_ref *ref, struct arena *arena)
{
	return ref->ns && *ref->ns ? arena_printf(arena, "%s/%s", ref->ns, or_empty(ref->name))
				   : or_empty(ref->name);
}

/* "ImageStreamTag ns/name:tag" */
static void put_ref(struct describe *to, const char *key, const struct object_ref *ref)
{
	if (ref && ref->name && *ref->name)
		describe_field(to, key,
			       arena_printf(to->arena, "%s %s", or_empty(ref->kind),
					    full_name(ref, to->arena)));
}

/* Lines of a file, indented below their key. */
static void put_file(struct describe *to, const char *key, const char *text)
{
	describe_put(to, "%s:\n", key);
	for (;;) {
		size_t n = strcspn(text, "\n");

		describe_put(to, "  %s\n", describe_line(to, text, n));
		if (!text[n])
			return;
		text += n + 1;
	}
}

static const char *variable_text(const struct env_var *var, struct arena *arena)
{
	static const char *const keys[] = { "secretKeyRef", "configMapKeyRef" };
	const struct node *from = var->value_from, *field;

	if (var->value || !from)
		return arena_printf(arena, "%s=%s", or_empty(var->name), or_empty(var->value));
	field = node_get(from, "fieldRef");
	if (field)
		return arena_printf(arena, "%s=<%s>", or_empty(var->name),
				    or_empty(node_text(field, "fieldPath")));
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		const struct node *ref = node_get(from, keys[i]);

		if (ref)
			return arena_printf(arena, "%s=<%s %s, key %s>", or_empty(var->name),
					    i ? "config map" : "secret",
					    or_empty(node_text(ref, "name")),
					    or_empty(node_text(ref, "key")));
	}
	return arena_printf(arena, "%s=<unknown>", or_empty(var->name));
}

static void put_env(struct describe *to, const struct list *env)
{
	struct strings lines = { 0 };

	for (size_t i = 0; i < env->n; i++)
		vec_push(to->arena, &lines,
			 variable_text(LIST_AT(*env, struct env_var, i), to->arena));
	describe_lines(to, "Environment", &lines);
}

static const char *volume_source(const struct build_volume *volume, struct arena *arena)
{
	if (volume->secret)
		return or_empty(volume->secret->name);
	if (volume->config_map)
		return or_empty(volume->config_map->name);
	return arena_printf(arena, "<InvalidSourceType: \"%s\">", or_empty(volume->type));
}

static void put_volumes(struct describe *to, const struct list *volumes)
{
	if (!volumes->n) {
		describe_field(to, "Volumes", NULL);
		return;
	}
	describe_put(to, "Volumes:\t \n\tName\tSource Type\tSource\tMounts\n");
	for (size_t i = 0; i < volumes->n; i++) {
		const struct build_volume *volume = LIST_AT(*volumes, struct build_volume, i);

		describe_put(to, "\t%s\t%s\t%s\t", describe_clean(to, or_empty(volume->name)),
			     describe_clean(to, or_empty(volume->type)),
			     describe_clean(to, volume_source(volume, to->arena)));
		for (size_t k = 0; k < volume->mounts.n; k++)
			describe_put(to, "%s%s", k ? "\n\t\t\t\t" : "",
				     describe_clean(to, or_empty(LIST_AT(volume->mounts,
									 struct volume_mount, k)
									 ->destination_path)));
		describe_put(to, "\n");
	}
}

static void put_docker(struct describe *to, const struct docker_strategy *docker)
{
	put_ref(to, "From Image", docker->from);
	put_some(to, "Dockerfile Path", docker->dockerfile_path);
	put_name(to, "Pull Secret Name", docker->pull_secret);
	put_yes(to, "No Cache", docker->is_uncached, "true");
	put_yes(to, "Force Pull", docker->is_pull_forced, "true");
	put_env(to, &docker->env);
	put_volumes(to, &docker->volumes);
}

static void put_source(struct describe *to, const struct source_strategy *source)
{
	put_ref(to, "From Image", &source->from);
	put_some(to, "Scripts", source->scripts);
	put_name(to, "Pull Secret Name", source->pull_secret);
	put_yes(to, "Incremental Build", source->is_incremental, "yes");
	put_yes(to, "Force Pull", source->is_pull_forced, "yes");
	put_env(to, &source->env);
	put_volumes(to, &source->volumes);
}

static void put_custom(struct describe *to, const struct custom_strategy *custom)
{
	put_ref(to, "Image Reference", &custom->from);
	put_yes(to, "Expose Docker Socket", custom->has_docker_socket, "yes");
	put_yes(to, "Force Pull", custom->is_pull_forced, "yes");
	put_name(to, "Pull Secret Name", custom->pull_secret);
	put_env(to, &custom->env);
}

static void put_pipeline(struct describe *to, const struct pipeline_strategy *pipeline)
{
	put_some(to, "Jenkinsfile path", pipeline->path);
	if (pipeline->text && *pipeline->text)
		put_file(to, "Jenkinsfile contents", pipeline->text);
	else if (!pipeline->path || !*pipeline->path)
		describe_field(to, "Jenkinsfile", "from source repository root");
	put_env(to, &pipeline->env);
}

static void put_strategy(struct describe *to, const struct build_strategy *strategy)
{
	if (strategy->docker)
		put_docker(to, strategy->docker);
	else if (strategy->source)
		put_source(to, strategy->source);
	else if (strategy->custom)
		put_custom(to, strategy->custom);
	else if (strategy->pipeline)
		put_pipeline(to, strategy->pipeline);
}

void build_revision_describe(struct describe *to, const struct source_revision *revision)
{
	const struct commit_revision *git = revision ? revision->git : NULL;
	const char *author, *committer;

	if (!git)
		return;
	author = or_empty(git->author.name);
	committer = or_empty(git->committer.name);
	describe_text(to, "Commit",
		      arena_printf(to->arena, "%.*s (%s)", COMMIT_SHORT, or_empty(git->commit),
				   or_empty(git->message)));
	if (*author && *committer && strcmp(author, committer) != 0)
		describe_field(to, "Author/Committer",
			       arena_printf(to->arena, "%s / %s", author, committer));
	else if (*author && *committer)
		describe_field(to, "Author/Committer", author);
	put_some(to, "Author", *committer ? NULL : author);
	put_some(to, "Committer", *author ? NULL : committer);
}

static void put_git(struct describe *to, const struct build_common *common)
{
	const struct build_source *source = &common->source;

	if (!source->git)
		return;
	describe_field(to, "URL", source->git->uri);
	put_some(to, "Ref", source->git->ref);
	put_some(to, "ContextDir", source->context_dir);
	put_name(to, "Source Secret", source->secret);
	build_revision_describe(to, common->revision);
}

static void put_dockerfile(struct describe *to, const char *text)
{
	if (!text)
		return;
	if (text[strspn(text, " \t\r\n")])
		put_file(to, "Dockerfile", text);
	else
		describe_field(to, "Dockerfile", NULL);
}

static void put_output(struct describe *to, const struct build_output *output)
{
	struct strings lines = { 0 };

	put_ref(to, "Output to", output->to);
	for (size_t i = 0; i < output->labels.n; i++) {
		const struct image_label *label = LIST_AT(output->labels, struct image_label, i);

		vec_push(to->arena, &lines,
			 arena_printf(to->arena, "%s=%s", or_empty(label->name),
				      or_empty(label->value)));
	}
	describe_lines(to, "Image Label", &lines);
}

static void put_binary(struct describe *to, const struct build_binary *binary)
{
	if (!binary)
		return;
	if (binary->as_file && *binary->as_file)
		describe_field(to, "Binary",
			       arena_printf(to->arena, "provided as file \"%s\" on build",
					    binary->as_file));
	else
		describe_field(to, "Binary", "provided on build");
}

/* "name->folder,name->." */
static void put_files(struct describe *to, const char *key, const struct list *files)
{
	AUTO_BUF text = BUF_INIT(TEXT_BYTES);

	for (size_t i = 0; i < files->n; i++) {
		const struct file_source *file = LIST_AT(*files, struct file_source, i);

		buf_printf(&text, "%s%s->%s", i ? "," : "", or_empty(file->name.name),
			   path_clean(or_empty(file->destination_dir), to->arena));
	}
	put_some(to, key, buf_text(&text));
}

static void put_images(struct describe *to, const struct list *images)
{
	const struct build_image_source *first = LIST_AT(*images, struct build_image_source, 0);

	if (images->n == 1 && first->paths.n == 1) {
		const struct image_path *path = LIST_AT(first->paths, struct image_path, 0);

		describe_field(to, "Image Source",
			       arena_printf(to->arena, "copies %s from %s to %s",
					    or_empty(path->source_path),
					    full_name(&first->from, to->arena),
					    or_empty(path->destination_dir)));
		return;
	}
	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *image =
			LIST_AT(*images, struct build_image_source, i);

		describe_field(to, "Image Source", full_name(&image->from, to->arena));
		for (size_t k = 0; k < image->paths.n; k++) {
			const struct image_path *path = LIST_AT(image->paths, struct image_path, k);

			describe_put(to, "\t- %s -> %s\n",
				     describe_clean(to, or_empty(path->source_path)),
				     describe_clean(to, or_empty(path->destination_dir)));
		}
		for (size_t k = 0; k < image->as.n; k++)
			describe_put(to, "\t- as %s\n", describe_clean(to, image->as.v[k]));
	}
}

/* A text as Go's %q shows it. */
static void put_quoted(const char *text, struct buf *out)
{
	static const char codes[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";

	buf_byte(out, '"');
	for (; *text; text++) {
		const char *code = strchr(codes, *text);

		if (code)
			buf_printf(out, "\\%c", names[code - codes]);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*text);
		else
			buf_byte(out, *text);
	}
	buf_byte(out, '"');
}

/* ["/bin/sh", "-ic", "rake test"], or "<image-entrypoint>" with arguments. */
static void put_hook(struct describe *to, const struct post_commit *hook)
{
	AUTO_BUF text = BUF_INIT(TEXT_BYTES);
	struct strings words = { 0 };
	const bool has_script = hook->script && *hook->script;

	if (!has_script && !hook->command.n && !hook->args.n)
		return;
	if (has_script) {
		vec_push(to->arena, &words, "/bin/sh");
		vec_push(to->arena, &words, "-ic");
		vec_push(to->arena, &words, hook->script);
		if (hook->args.n)
			vec_push(to->arena, &words, "/bin/sh");
	} else if (!hook->command.n) {
		vec_push(to->arena, &words, "<image-entrypoint>");
	}
	for (size_t i = 0; !has_script && i < hook->command.n; i++)
		vec_push(to->arena, &words, hook->command.v[i]);
	for (size_t i = 0; i < hook->args.n; i++)
		vec_push(to->arena, &words, hook->args.v[i]);
	for (size_t i = 0; i < words.n; i++) {
		buf_puts(&text, i ? ", " : "");
		put_quoted(words.v[i], &text);
	}
	describe_field(to, "Post Commit Hook", arena_printf(to->arena, "[%s]", buf_text(&text)));
}

void build_common_describe(struct describe *to, const struct build_common *common)
{
	const struct build_source *source = &common->source;

	describe_put(to, "\n");
	describe_field(to, "Strategy", strategy_type(&common->strategy));
	put_git(to, common);
	put_dockerfile(to, source->dockerfile);
	put_strategy(to, &common->strategy);
	put_output(to, &common->output);
	put_binary(to, source->binary);
	put_files(to, "Build Secrets", &source->secrets);
	put_files(to, "Build ConfigMaps", &source->config_maps);
	if (source->images.n)
		put_images(to, &source->images);
	if (!source->git && !source->binary && !source->images.n)
		describe_field(to, "Empty Source", "no input source provided");
	put_hook(to, &common->post_commit);
	put_name(to, "Push Secret", common->output.push_secret);
	if (common->has_deadline)
		describe_field(to, "Fail Build After", human_span(common->deadline_s, to->arena));
}
