/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.c — see inputs.h: what is fetched. inputs_add.c puts parts of images and files on top. */
#include "buildexec/task/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/source/source.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/task/inside.h"
#include "model/doc/utf8.h"
#include "model/kind/build_phase.h"
#include "model/kind/build_stage.h"

enum { MESSAGE_CHARS = 80 };

/* Texts of a commit go into JSON, labels and logs: characters only, and none that steer a terminal. */
static const char *clean_text(const char *text, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(4 * (size_t)GIT_SUBJECT_BYTES);

	for (size_t n = strlen(text); n > 0;) {
		uint32_t c = 0;
		size_t len = utf8_get(text, n, &c);

		if (len > 0 && !utf8_is_control(c))
			buf_add(&out, text, len);
		else
			buf_puts(&out, len > 0 ? " " : "\xef\xbf\xbd");
		text += len > 0 ? len : 1;
		n -= len > 0 ? len : 1;
	}
	return buf_copy(&out, arena);
}

/* As git's "%<(80,trunc)%s" has it, which OpenShift asks for. */
static const char *short_message(const char *text, struct arena *arena)
{
	size_t n = strlen(text), at = 0;
	uint32_t c;

	if (utf8_count(text, n) <= MESSAGE_CHARS)
		return text;
	for (size_t i = 0; i + 2 < MESSAGE_CHARS; i++) {
		size_t len = utf8_get(text + at, n - at, &c);

		at += len > 0 ? len : 1;
	}
	return arena_printf(arena, "%.*s..", (int)at, text);
}

static const char *date_of(const struct git_person *person, struct arena *arena)
{
	char *out = arena_alloc(arena, GIT_DATE_TEXT);

	git_date_format(person, out);
	return out;
}

static struct source_user user_of(const struct git_person *person, struct arena *arena)
{
	return (struct source_user){ clean_text(person->name, arena),
				     clean_text(person->email, arena) };
}

static void keep_commit(struct task *task, const struct git_commit_info *commit, struct inputs *out)
{
	struct arena *arena = task->arena;
	struct source_revision *revision = ARENA_NEW(arena, struct source_revision);
	struct commit_revision *git = ARENA_NEW(arena, struct commit_revision);

	*git = (struct commit_revision){
		.commit = arena_strdup(arena, commit->id.hex),
		.message = short_message(clean_text(commit->subject, arena), arena),
		.author = user_of(&commit->author, arena),
		.committer = user_of(&commit->committer, arena),
	};
	revision->type = "Git";
	revision->git = git;
	task->result.revision = revision;
	out->info.commit = git->commit;
	out->info.message = git->message;
	out->info.author_name = git->author.name;
	out->info.author_email = git->author.email;
	out->info.date = date_of(&commit->author, arena);
	out->commit_s = commit->committer.time_s;
	build_log_say("\tCommit:\t%s (%s)", git->commit, git->message);
	build_log_say("\tAuthor:\t%s <%s>", git->author.name, git->author.email);
	build_log_say("\tDate:\t%s", out->info.date);
}

static const char *given(const char *text)
{
	return text && text[0] ? text : NULL;
}

static bool materialise(struct task *task, const struct source *source, const char *content,
			const struct inputs *inputs, struct git_commit_info *commit,
			struct err *err)
{
	const struct build_git *git = task->request->config->spec.source.git;
	struct access access = task->access;
	struct strings notices = { 0 };
	const struct source_spec spec = {
		.source = source,
		.content = content,
		.manifest_dir = "/",
		.access = &access,
		.registry = task->registry,
		.cache_dir = task->cache_dir,
		.dest = inputs->source,
		.uid = geteuid(),
		.gid = getegid(),
		.notices = &notices,
		.commit = commit,
	};

	if (git) {
		access.http_proxy = given(git->http_proxy);
		access.https_proxy = given(git->https_proxy);
		access.no_proxy = given(git->no_proxy);
	}
	if (!source_materialise(&spec, task->arena, err))
		return false;
	for (size_t i = 0; i < notices.n; i++)
		task_notice(task, "%s", notices.v[i]);
	return true;
}

/* The whole commit with its submodules, as a clone has it; the context folder is looked for in it later. */
static bool fetch_git(struct task *task, struct inputs *out, struct err *err)
{
	const struct build_git *written = task->request->config->spec.source.git;
	struct git_commit_info commit = { 0 };
	struct source source = { 0 };
	struct git_source git;
	const char *shown;

	if (!task->request->source.git)
		return err_set(err, ERR_INVALID,
			       "build request: a git source without a commit to fetch");
	git = *task->request->source.git;
	git.has_submodules = true;
	source.git = &git;
	shown = source_git_shown(written->uri ? written->uri : git.url, task->arena);
	out->info.location = shown;
	out->info.ref = written->ref;
	build_log_say("Cloning \"%s\" ...", shown);
	if (!materialise(task, &source, NULL, out, &commit, err))
		return err_prefix(err, "cannot fetch '%s'", shown);
	keep_commit(task, &commit, out);
	return true;
}

/* The copy is what counts: what came along may still be changed by whoever sent it. */
static bool take_file(struct task *task, const struct request_binary *binary,
		      const struct inputs *inputs, struct err *err)
{
	const char *to = path_join(task->arena, inputs->source, binary->as_file);
	struct local_source copy = { .path = to };
	AUTO_FD from = open(binary->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct digest digest;
	AUTO_FD fd = -1;
	struct stat stat;

	if (strchr(binary->as_file, '/') || !path_is_inside(binary->as_file))
		return err_set(err, ERR_INVALID, "'%s' is no name of a file", binary->as_file);
	if (from < 0 || fstat(from, &stat) != 0)
		return err_sys(err, errno, "cannot open '%s'", binary->path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no file", binary->path);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, stat.st_mode & 0111 ? 0755 : 0644) != 0)
		return err_sys(err, errno, "cannot create '%s'", to);
	if (!fd_copy_all(from, fd, err))
		return err_prefix(err, "cannot copy '%s'", binary->path);
	if (!source_local_content(&(struct source){ .local = &copy }, "/", &digest, err))
		return false;
	return !binary->content || strcmp(binary->content, digest.text) == 0 ||
	       err_set(err, ERR_CONFLICT, "file '%s' is now '%s', not '%s' as planned",
		       binary->as_file, digest.text, binary->content);
}

static bool take_binary(struct task *task, struct inputs *out, struct err *err)
{
	const struct request_binary *binary = task->request->config->binary;
	struct local_source local;

	if (!binary)
		return err_set(
			err, ERR_INVALID,
			"a Binary source comes with the request for a build and none came; use "
			"start-build with --from-dir, --from-file or --from-archive");
	if (binary->as_file && binary->as_file[0]) {
		build_log_say("Receiving source as file %s", binary->as_file);
		return take_file(task, binary, out, err);
	}
	local = (struct local_source){ .path = binary->path };
	build_log_say("Receiving source as %s ...", fs_is_dir(binary->path) ? "folder" : "archive");
	return materialise(task, &(struct source){ .local = &local }, binary->content, out, NULL,
			   err);
}

static bool write_dockerfile(struct task *task, const struct inputs *inputs, const char *text,
			     struct err *err)
{
	const struct inside_file file = { "Dockerfile", text, strlen(text), 0644 };

	return inside_put(inputs->context, &file, task->arena, err);
}

/*
 * Without anything fetched there is no folder to be found: it is made, for what images and files bring.
 */
static bool find_context(struct task *task, bool has_tree, struct inputs *out, struct err *err)
{
	const char *written = task->request->config->spec.source.context_dir, *clean;

	if (!source_sub_path(written, task->arena, &clean, err))
		return false;
	if (!clean[0] || !has_tree)
		return inside_make(out->source, clean, task->arena, &out->context, err);
	if (!inside_find(out->source, clean, task->arena, &out->context, err))
		return false;
	return (out->context && fs_is_dir(out->context)) ||
	       err_set(err, ERR_INVALID, "the source has no folder '%s', which contextDir names",
		       clean);
}

bool inputs_fetch(struct task *task, struct inputs *out, struct err *err)
{
	const struct build_source *source = &task->request->config->spec.source;
	bool is_binary = source->binary || task->request->config->binary;

	*out = (struct inputs){ 0 };
	task_begin(task, BC_FETCH);
	if (!task_dir(task, "inputs", 0755, &out->source, err) ||
	    (is_binary && !take_binary(task, out, err)) ||
	    (!is_binary && source->git && !fetch_git(task, out, err)))
		return task_fail(task, "FetchSourceFailed");
	if (!find_context(task, is_binary || source->git, out, err))
		return task_fail(task, "InvalidContextDirectory");
	if (source->dockerfile && !write_dockerfile(task, out, source->dockerfile, err))
		return task_fail(task, "FetchSourceFailed");
	return true;
}
