/* SPDX-License-Identifier: Apache-2.0 */
/* test_inputs.c — sources of build configs as folders: real git repositories, folders, archives, files; hostile trees. */
#include "buildexec/task/inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/log.h"
#include "buildexec/task/inside.h"
#include "model/base/base64.h"

struct fixture {
	struct arena *arena;
	struct bc_request config;
	struct build_request request;
	struct git_source git;
	struct build_git written;
	struct build_binary binary;
	struct request_binary sent;
	struct task task;
	struct inputs inputs;
	struct err err;
	struct tmpdir dir;
};

static const char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static void shell(const struct fixture *f, const char *script)
{
	const char *command = arena_printf(
		f->arena, "cd '%s' && export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 && { %s; }",
		f->dir.path, script);

	if (system(command) != 0)
		fail_msg("failed: %s", script);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct err err = { 0 };

	*f = (struct fixture){ .arena = arena_new() };
	f->task = (struct task){ .arena = f->arena,
				 .request = &f->request,
				 .phase = "",
				 .out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	f->request.config = &f->config;
	f->request.source.git = &f->git;
	f->task.access = (struct access){ .registries = &f->request.registries,
					  .credentials = &f->request.credentials,
					  .git_hosts = &f->request.git_hosts,
					  .git_credentials = &f->request.git_credentials,
					  .base_dir = "/" };
	if (!tmpdir_make(NULL, "inputs-test", &f->dir, &err) ||
	    !tmpdir_make(NULL, "inputs-task", &f->task.work, &err))
		return -1;
	f->task.cache_dir = at(f, "cache");
	*state = f;
	return fs_make_dirs(f->task.cache_dir, 0700, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fd_close(&f->task.out_fd);
	tmpdir_release(&f->task.work);
	tmpdir_release(&f->dir);
	arena_free(f->arena);
	return 0;
}

/* What is said goes to a file; *log is its text. */
static bool fetch(struct fixture *f, const char **log)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	int fd = open(at(f, "log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { 0 };
	bool is_done;
	char *text;
	size_t n;

	f->err = (struct err){ 0 };
	f->task.reason = NULL;
	assert_true(fs_remove_tree(path_join(f->arena, f->task.work.path, "inputs"), &err));
	dup2(fd, STDERR_FILENO);
	close(fd);
	is_done = inputs_fetch(&f->task, &f->inputs, &f->err);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_true(fs_read(AT_FDCWD, at(f, "log"), 1 << 20, f->arena, &text, &n, &err));
	*log = text;
	return is_done;
}

static void fetched(struct fixture *f)
{
	const char *log;

	if (!fetch(f, &log))
		fail_msg("%s\n%s", f->err.text, log);
}

static void refused(struct fixture *f, const char *reason, const char *part)
{
	const char *log;

	assert_false(fetch(f, &log));
	assert_string_equal(f->task.reason, reason);
	if (!strstr(f->err.text, part))
		fail_msg("'%s' is not in '%s'", part, f->err.text);
}

static const char *text_of(const struct fixture *f, const char *dir, const char *name)
{
	struct err err = { 0 };
	char *text;
	size_t n;

	assert_true(fs_read(AT_FDCWD, path_join(f->arena, dir, name), 1 << 20, f->arena, &text, &n,
			    &err));
	return text ? text : "(absent)";
}

static void use_git(struct fixture *f)
{
	char *id;
	size_t n;
	struct err err = { 0 };

	shell(f, "git init -q -b main lib && cd lib && echo lib >lib.txt && git add . && "
		 "git -c user.name=L -c user.email=l@x commit -qm lib");
	shell(f, "git init -q -b main app && cd app && mkdir -p web/sub && echo v1 >web/app.txt && "
		 "ln -s ../.. web/out && ln -s web in && ln -s /etc away && printf 'old' "
		 ">web/Dockerfile && "
		 "git -c protocol.file.allow=always submodule add -q ../lib dep && git add . && "
		 "GIT_AUTHOR_DATE='1604573400 +0100' GIT_COMMITTER_DATE='1604573460 +0000' "
		 "git -c user.name='A B' -c user.email=a@b.example commit -qm 'First\n\nmore' && "
		 "git rev-parse HEAD >../id");
	assert_true(fs_read(AT_FDCWD, at(f, "id"), 100, f->arena, &id, &n, &err));
	id[40] = '\0';
	f->git = (struct git_source){ .url = at(f, "app"), .revision = id };
	f->written = (struct build_git){ .uri = at(f, "app"), .ref = "main" };
	f->config.spec.source.git = &f->written;
}

static void test_inputs_fetch__git_with_submodules_and_what_the_commit_says(void **state)
{
	struct fixture *f = *state;
	const struct commit_revision *revision;
	const char *log;

	use_git(f);
	shell(f, "git -C app config protocol.file.allow always");
	f->git.url = f->written.uri = arena_printf(f->arena, "file://%s/app", f->dir.path);
	if (!fetch(f, &log))
		fail_msg("%s\n%s", f->err.text, log);
	assert_string_equal(text_of(f, f->inputs.source, "web/app.txt"), "v1\n");
	assert_string_equal(text_of(f, f->inputs.source, "dep/lib.txt"), "lib\n");
	assert_false(fs_exists(path_join(f->arena, f->inputs.source, ".git")));
	assert_string_equal(log,
			    arena_printf(f->arena,
					 "===> FETCH\nCloning \"%s\" ...\n\tCommit:\t%s (First)\n"
					 "\tAuthor:\tA B <a@b.example>\n"
					 "\tDate:\tThu Nov 5 11:50:00 2020 +0100\n",
					 f->written.uri, f->git.revision));
	revision = f->task.result.revision->git;
	assert_string_equal(revision->commit, f->git.revision);
	assert_string_equal(revision->message, "First");
	assert_string_equal(revision->author.email, "a@b.example");
	assert_string_equal(revision->committer.name, "A B");
	assert_string_equal(f->inputs.info.ref, "main");
	assert_string_equal(f->inputs.info.date, "Thu Nov 5 11:50:00 2020 +0100");
	assert_int_equal(f->inputs.commit_s, 1604573460);
}

static void test_inputs_fetch__context_folders(void **state)
{
	struct fixture *f = *state;
	const char **context = &f->config.spec.source.context_dir;

	use_git(f);
	*context = "web/sub/..";
	refused(f, "InvalidContextDirectory", "leads out");
	*context = "in"; /* a link that stays inside */
	f->config.spec.source.dockerfile = "FROM scratch\n";
	fetched(f);
	assert_string_equal(text_of(f, f->inputs.context, "app.txt"), "v1\n");
	assert_string_equal(text_of(f, f->inputs.source, "web/Dockerfile"), "FROM scratch\n");
	*context = "web/app.txt";
	refused(f, "InvalidContextDirectory", "has no folder 'web/app.txt'");
	*context = "none";
	refused(f, "InvalidContextDirectory", "has no folder 'none'");
	*context = "away";
	refused(f, "InvalidContextDirectory", "leads out of the source by a link");
	*context = "web/out";
	refused(f, "InvalidContextDirectory", "leads out of the source by a link");
}

static void test_inputs_fetch__says_no_password(void **state)
{
	struct fixture *f = *state;
	const char *log;

	use_git(f);
	f->git.url = f->written.uri = "https://somebody:pass-word-1@127.0.0.1:1/a@b.git";
	assert_false(fetch(f, &log));
	assert_string_equal(f->task.reason, "FetchSourceFailed");
	assert_null(strstr(log, "pass-word-1"));
	assert_null(strstr(log, "somebody"));
	assert_null(strstr(f->err.text, "pass-word-1"));
	assert_non_null(strstr(log, "Cloning \"https://127.0.0.1:1/a@b.git\" ..."));
	assert_string_equal(f->inputs.info.location, "https://127.0.0.1:1/a@b.git");
}

static void test_inputs_fetch__binaries(void **state)
{
	struct fixture *f = *state;

	f->config.spec.source.binary = &f->binary;
	refused(f, "FetchSourceFailed", "none came");
	f->config.binary = &f->sent;
	shell(f, "mkdir -p dir/.git dir/in && echo x >dir/in/file && echo y >dir/.git/config && "
		 "tar -C dir -czf some.tgz in && printf hello >one");
	f->sent.path = at(f, "dir");
	fetched(f);
	assert_string_equal(text_of(f, f->inputs.source, "in/file"), "x\n");
	assert_false(fs_exists(path_join(f->arena, f->inputs.source, ".git")));
	f->sent.content = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	refused(f, "FetchSourceFailed", "not 'sha256:0000");
	f->sent.path = at(f, "some.tgz");
	refused(f, "FetchSourceFailed", "not 'sha256:0000");
	f->sent.content = NULL;
	fetched(f);
	assert_string_equal(text_of(f, f->inputs.source, "in/file"), "x\n");
	f->sent.path = at(f, "one");
	refused(f, "FetchSourceFailed", "");
	f->sent.as_file = "app.war";
	f->sent.content = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
	fetched(f);
	assert_string_equal(text_of(f, f->inputs.source, "app.war"), "hello");
	f->sent.content = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	refused(f, "FetchSourceFailed", "file 'app.war' is now");
	f->sent.as_file = "../x";
	refused(f, "FetchSourceFailed", "is no name of a file");
	f->sent = (struct request_binary){ .path = at(f, "dir"), .as_file = "x" };
	refused(f, "FetchSourceFailed", "is no file");
}

static void test_inputs_fetch__nothing_but_a_dockerfile(void **state)
{
	struct fixture *f = *state;

	fetched(f);
	assert_true(fs_is_dir(f->inputs.source));
	f->config.spec.source.dockerfile = "FROM scratch\n";
	f->config.spec.source.context_dir = "made/here";
	fetched(f);
	assert_string_equal(text_of(f, f->inputs.source, "made/here/Dockerfile"), "FROM scratch\n");
}

static void add_file(struct fixture *f, struct request_files *files, const char *name,
		     const char *text)
{
	vec_push(
		f->arena, &files->files,
		(struct pair){ .key = name, .value = base64_encode(text, strlen(text), f->arena) });
}

static void test_inputs_add_files__below_the_context_and_never_out(void **state)
{
	struct fixture *f = *state;
	static struct request_files list[3];
	struct stat stat;

	use_git(f);
	f->config.spec.source.context_dir = "web";
	list[0] = (struct request_files){
		.purpose = FILES_INPUT, .name = "s", .is_secret = true, .destination = "deep/er"
	};
	list[1] = (struct request_files){ .purpose = FILES_INPUT, .name = "c", .mode = 0755 };
	list[2] = (struct request_files){ .purpose = FILES_VOLUME, .name = "v" };
	add_file(f, &list[0], "token", "hunter2");
	add_file(f, &list[0], "..data", "no");
	add_file(f, &list[1], "app.txt", "v2\n");
	add_file(f, &list[2], "volume", "no");
	f->config.files = (struct list){ list, 3 };
	fetched(f);
	if (!inputs_add_files(&f->task, &f->inputs, &f->err))
		fail_msg("%s", f->err.text);
	assert_string_equal(text_of(f, f->inputs.source, "web/deep/er/token"), "hunter2");
	assert_string_equal(text_of(f, f->inputs.source, "web/app.txt"), "v2\n");
	assert_string_equal(text_of(f, f->inputs.context, "deep/er/..data"), "(absent)");
	assert_string_equal(text_of(f, f->inputs.context, "volume"), "(absent)");
	assert_int_equal(lstat(path_join(f->arena, f->inputs.context, "deep/er/token"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0400);
	assert_int_equal(lstat(path_join(f->arena, f->inputs.context, "app.txt"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0755);

	list[0].destination = "out/x";
	assert_false(inputs_add_files(&f->task, &f->inputs, &f->err));
	assert_string_equal(f->task.reason, "FetchSourceFailed");
	assert_non_null(strstr(f->err.text, "leads out"));
	list[0].destination = "app.txt/x";
	f->err = (struct err){ 0 };
	assert_false(inputs_add_files(&f->task, &f->inputs, &f->err));
	assert_non_null(strstr(f->err.text, "'app.txt' of the source is no folder"));
}

static void test_inside_put__replaces_a_link_and_not_what_it_leads_to(void **state)
{
	struct fixture *f = *state;
	const struct inside_file file = { "name", "new", 3, 0644 }, bad = { "a/b", "", 0, 0644 };

	shell(f, "mkdir d && echo kept >kept && ln -s ../kept d/name");
	assert_true(inside_put(at(f, "d"), &file, f->arena, &f->err));
	assert_string_equal(text_of(f, at(f, "d"), "name"), "new");
	assert_string_equal(text_of(f, f->dir.path, "kept"), "kept\n");
	assert_false(inside_put(at(f, "d"), &bad, f->arena, &f->err));
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(test_inputs_fetch__git_with_submodules_and_what_the_commit_says),
		ROW(test_inputs_fetch__context_folders),
		ROW(test_inputs_fetch__says_no_password),
		ROW(test_inputs_fetch__binaries),
		ROW(test_inputs_fetch__nothing_but_a_dockerfile),
		ROW(test_inputs_add_files__below_the_context_and_never_out),
		ROW(test_inside_put__replaces_a_link_and_not_what_it_leads_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
