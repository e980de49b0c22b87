/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_store.c — the state branch on every kind of real server: a path, file://, nginx with git http-backend (basic auth,
 * TLS with a private CA, without protocol v2), git daemon, sshd. Compare-and-swap under races, and after a kill.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_export.h"
#include "buildexec/sys/git_history.h"
#include "buildexec/sys/proc.h"
#include "model/base/vec.h"
#include "reconcile/store/store.h"

struct server {
	const char *name;
	const char *
		start; /* shell, prints the URL of the repositories' folder; NULL: the folder itself */
	const char *url;
	struct git_wire_options options;
};

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct err err;
	unsigned n_repos;
};

static struct fixture fixture;

static struct server servers[] = {
	{ "path", NULL },
	{ "file", "echo file://$PWD/repos" },
	{ "daemon", "git_daemon_start $PWD/repos $PWD/daemon" },
	{ "http", "git_http_start $PWD/repos $PWD/http" },
	{ "http-v0", "git_http_start $PWD/repos $PWD/http-v0 v0" },
	{ "https", "git_http_start $PWD/repos $PWD/https auth tls" },
	{ "ssh", "git_ssh_start $PWD/repos $PWD/ssh" },
};

static bool run(struct fixture *f, const char *script, char **out)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin",
					   "HOME=/nonexistent",
					   "GIT_CONFIG_NOSYSTEM=1",
					   "LC_ALL=C",
					   "GIT_AUTHOR_NAME=a",
					   "GIT_AUTHOR_EMAIL=a@b",
					   "GIT_COMMITTER_NAME=a",
					   "GIT_COMMITTER_EMAIL=a@b",
					   NULL };
	const char *text = arena_printf(f->arena, ". %s/tests/lib/git_servers.sh\n%s",
					TEST_SOURCE_DIR, script);
	const char *argv[] = { "/bin/bash", "-ec", text, NULL };
	struct buf said = BUF_INIT(4 << 20), talk = BUF_INIT(1 << 20);
	struct proc_spec spec = {
		.argv = argv, .env = env, .cwd = f->dir.path, .out = &said, .err = &talk
	};
	struct proc_result result;

	if (!proc_run(&spec, &result, &f->err))
		fail_msg("%s", f->err.text);
	while (said.len && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	*out = arena_strdup(f->arena, result.exit_code ? buf_text(&talk) : buf_text(&said));
	buf_release(&said);
	buf_release(&talk);
	return !result.exit_code;
}

static char *sh(struct fixture *f, const char *fmt, ...) PRINTF(2, 3);
static char *sh(struct fixture *f, const char *fmt, ...)
{
	char *script, *out;
	va_list args;

	va_start(args, fmt);
	script = arena_vprintf(f->arena, fmt, args);
	va_end(args);
	if (!run(f, script, &out))
		fail_msg("'%s': %s", script, out);
	return out;
}

static void must(bool done, const struct err *err)
{
	if (!done)
		fail_msg("%s", err->text);
}

static int start_servers(void **state)
{
	struct fixture *f = &fixture;
	const char *dir;

	*state = f;
	f->arena = arena_new();
	if (!tmpdir_make(NULL, "test-store", &f->dir, &f->err))
		return -1;
	dir = f->dir.path;
	sh(f, "mkdir repos cache");
	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct git_auth *auth = &servers[i].options.auth;
		char *url = arena_printf(f->arena, "%s/repos", dir);

		if (servers[i].start && !run(f, servers[i].start, &url)) {
			fprintf(stderr, "skipped server %s: %s\n", servers[i].name, url);
			continue;
		}
		servers[i].url = url;
		if (!strcmp(servers[i].name, "https")) {
			auth->user = "me";
			auth->password = "s3cret pass";
			auth->ca_file = arena_printf(f->arena, "%s/https/ca.pem", dir);
		}
		if (!strcmp(servers[i].name, "ssh")) {
			auth->ssh_key_file = arena_printf(f->arena, "%s/ssh/id", dir);
			auth->known_hosts_file = arena_printf(f->arena, "%s/ssh/known_hosts", dir);
		}
	}
	return 0;
}

static int stop_servers(void **state)
{
	struct fixture *f = *state;
	char *out;

	(void)run(f, "for run in */; do git_servers_stop $PWD/$run; done", &out);
	tmpdir_release(&f->dir);
	arena_free(f->arena);
	return 0;
}

/* A new repository's name. */
static const char *new_repo(struct fixture *f)
{
	const char *name = arena_printf(f->arena, "r%u.git", f->n_repos++);

	sh(f, "git_repo_new $PWD/repos/%s", name);
	return name;
}

static struct store *open_store_at(struct fixture *f, const struct server *server, const char *repo,
				   const char *branch, const char *cache)
{
	struct store_place place = { .url = arena_printf(f->arena, "%s/%s", server->url, repo),
				     .branch = branch,
				     .cache_dir =
					     arena_printf(f->arena, "%s/%s", f->dir.path, cache),
				     .has_no_history = strstr(branch, "logs") != NULL,
				     .wire = &server->options };
	struct store *store;

	if (!store_open(&place, &store, &f->err))
		fail_msg("%s: %s", server->name, f->err.text);
	return store;
}

static struct store *open_store(struct fixture *f, const struct server *server, const char *repo,
				const char *branch)
{
	return open_store_at(f, server, repo, branch, "cache");
}

static bool put(struct store *store, const char *path, const char *text, bool *made,
		struct err *err)
{
	struct store_change change = { path, text, text ? strlen(text) : 0 };
	struct store_commit commit = { .changes = &change,
				       .n_changes = 1,
				       .author_name = "reconcile",
				       .author_email = "reconcile@example.com",
				       .time_s = 1700000000,
				       .message = "state: one change" };

	return store_commit(store, &commit, made, err);
}

static const char *get(struct fixture *f, struct store *store, const char *path)
{
	struct store_file file;

	must(store_read(store, path, f->arena, &file, &f->err), &f->err);
	return file.bytes;
}

/* Two runs on two machines: b has a mirror of its own. */
static void check_life(struct fixture *f, const struct server *server)
{
	const char *repo = new_repo(f);
	struct store *a = open_store(f, server, repo, "reconcile/state");
	struct store *b = open_store_at(f, server, repo, "reconcile/state", "other-cache");
	struct store_files files;
	struct git_id before;
	bool made;

	assert_true(git_id_is_none(store_commit_id(a)));
	must(put(a, "absent", NULL, &made, &f->err), &f->err);
	assert_false(made);
	must(put(a, "shop/images/cart.yaml", "one\n", &made, &f->err), &f->err);
	assert_true(made);
	/* b was opened when there was no branch: its first commit must not replace a's */
	assert_false(put(b, "other", "x", &made, &f->err));
	if (f->err.kind != ERR_CONFLICT)
		fail_msg("%s: %s", server->name, f->err.text);
	must(store_refresh(b, &f->err), &f->err);
	assert_string_equal(get(f, b, "shop/images/cart.yaml"), "one\n");
	assert_null(get(f, b, "shop/images/cart"));
	must(put(b, "shop/images/web.yaml", "two\n", &made, &f->err), &f->err);
	before = *store_commit_id(b);
	must(put(b, "shop/images/web.yaml", "two\n", &made, &f->err), &f->err);
	assert_false(made);
	assert_string_equal(store_commit_id(b)->hex, before.hex);
	assert_false(put(a, "shop/images/web.yaml", "mine\n", &made, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	must(store_refresh(a, &f->err), &f->err);
	must(store_read_all(a, NULL, NULL, f->arena, &files, &f->err), &f->err);
	assert_int_equal(files.n, 2);
	assert_string_equal(files.v[0].path, "shop/images/cart.yaml");
	assert_string_equal(files.v[1].bytes, "two\n");
	must(put(a, "shop", NULL, &made, &f->err), &f->err);
	assert_true(made);
	store_close(&a);
	store_close(&b);
	a = open_store(f, server, repo, "reconcile/state");
	must(store_read_all(a, NULL, NULL, f->arena, &files, &f->err), &f->err);
	assert_int_equal(files.n, 0);
	store_close(&a);
	assert_string_equal(sh(f,
			       "cd repos/%s; git fsck --strict --full --no-dangling 2>&1 | grep -v "
			       "unborn || true; git rev-list reconcile/state | wc -l",
			       repo),
			    "3");
}

static void test_store__lives_on_every_server(void **state)
{
	for (size_t i = 0; i < COUNTOF(servers); i++)
		if (servers[i].url)
			check_life(*state, &servers[i]);
}

static void check_logs(struct fixture *f, const struct server *server)
{
	const char *repo = new_repo(f);
	struct store *a = open_store(f, server, repo, "reconcile/logs"), *b;
	bool made;

	must(put(a, "shop/cart/1.log", "one", &made, &f->err), &f->err);
	b = open_store_at(f, server, repo, "reconcile/logs", "other-cache");
	must(put(a, "shop/cart/2.log", "two", &made, &f->err), &f->err);
	assert_false(put(b, "shop/cart/3.log", "three", &made, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	must(store_refresh(b, &f->err), &f->err);
	must(put(b, "shop/cart/1.log", NULL, &made, &f->err), &f->err);
	store_close(&a);
	store_close(&b);
	assert_string_equal(sh(f,
			       "cd repos/%s; git rev-list reconcile/logs | wc -l; git ls-tree -r "
			       "--name-only reconcile/logs",
			       repo),
			    "1\nshop/cart/2.log");
}

static void test_store__keeps_logs_without_history_on_every_server(void **state)
{
	for (size_t i = 0; i < COUNTOF(servers); i++)
		if (servers[i].url)
			check_logs(*state, &servers[i]);
}

enum { WRITERS = 8, COMMITS = 10 };

/* A process of its own: each of its files lands, however often others are faster. */
static void write_many(struct fixture *f, const struct server *server, const char *repo, int writer)
{
	struct store *store = open_store(f, server, repo, "reconcile/state");
	struct err err = { 0 };
	bool made = false;

	for (int i = 0; i < COMMITS; i++) {
		char *path = arena_printf(f->arena, "w%d/%d", writer, i);

		for (unsigned attempt = 0; !put(store, path, path, &made, &err); attempt++) {
			if (err.kind != ERR_CONFLICT || attempt == 500) {
				fprintf(stderr, "%s: %s\n", server->name, err.text);
				_exit(1);
			}
			clock_sleep_ms(backoff_ms(attempt < 6 ? attempt : 6, 5, 300));
			if (!store_refresh(store, &err)) {
				fprintf(stderr, "%s: %s\n", server->name, err.text);
				_exit(2);
			}
		}
		if (!made)
			_exit(3);
	}
	store_close(&store);
	_exit(0);
}

static void check_race(struct fixture *f, const struct server *server)
{
	const char *repo = new_repo(f);
	pid_t pids[WRITERS];

	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i])
			write_many(f, server, repo, i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		if (status)
			fail_msg("%s: writer %d ended with %d", server->name, i, status);
	}
	assert_string_equal(sh(f,
			       "cd repos/%s; git fsck --strict --full --no-dangling 2>&1 | grep -v "
			       "unborn || true; git rev-list reconcile/state | wc -l; "
			       "git ls-tree -r reconcile/state | wc -l",
			       repo),
			    "80\n80");
}

static void test_store__loses_no_commit_of_eight_writers(void **state)
{
	static const char *const names[] = { "path", "daemon" };

	for (size_t i = 0; i < COUNTOF(servers); i++)
		for (size_t k = 0; k < COUNTOF(names); k++)
			if (servers[i].url && !strcmp(servers[i].name, names[k]))
				check_race(*state, &servers[i]);
}

static void test_store__is_whole_after_kills_at_any_moment(void **state)
{
	struct fixture *f = *state;
	const char *repo = new_repo(f);
	const struct server *server = &servers[0];
	struct store *store = open_store(f, server, repo, "reconcile/state");
	bool made;

	for (int round = 0; round < 40; round++) {
		pid_t pid = fork();

		int status;

		if (!pid)
			for (int i = 0;; i++) {
				struct err err = { 0 };

				if (!put(store, "f", arena_printf(f->arena, "%d %d", round, i),
					 &made, &err))
					made = store_refresh(store, &err);
			}
		clock_sleep_ms(2 + backoff_ms(4, 1, 12));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		must(store_refresh(store, &f->err), &f->err);
		must(put(store, "alive", arena_printf(f->arena, "%d", round), &made, &f->err),
		     &f->err);
		assert_true(made);
	}
	store_close(&store);
	assert_string_equal(sh(f,
			       "cd repos/%s; git fsck --strict --full --no-dangling 2>&1 | grep -v "
			       "unborn || true; git show reconcile/state:alive; find . -name "
			       "'*.lock' ! -name reconcile.lock",
			       repo),
			    "39");
}

/* So many that all cores deflate and inflate them, and doubles among them. */
static void test_store__keeps_thousands_of_files(void **state)
{
	enum { FILES = 5000, DOUBLES = 700 };
	struct fixture *f = *state;
	struct store_change *changes = arena_array(f->arena, FILES, sizeof(*changes));
	struct store_commit commit = { .changes = changes,
				       .n_changes = FILES,
				       .author_name = "a",
				       .author_email = "a@b",
				       .time_s = 1700000000,
				       .message = "many" };
	struct store_place place = { .branch = "reconcile/state" };
	struct store_files files;
	struct store *store;
	bool made;

	sh(f, "git init -q --bare many.git");
	place.url = path_join(f->arena, f->dir.path, "many.git");
	for (size_t i = 0; i < FILES; i++) {
		changes[i].path = arena_printf(f->arena, "n%zu/images/i%04zu.yaml", i % 50, i);
		changes[i].bytes = arena_printf(f->arena, "status: %zu\n%*s\n", i % DOUBLES,
						(int)(i % DOUBLES) * 10, "");
		changes[i].n = strlen(changes[i].bytes);
	}
	must(store_open(&place, &store, &f->err), &f->err);
	must(store_commit(store, &commit, &made, &f->err), &f->err);
	assert_true(made);
	store_close(&store);
	must(store_open(&place, &store, &f->err), &f->err);
	must(store_read_all(store, NULL, NULL, f->arena, &files, &f->err), &f->err);
	assert_int_equal(files.n, FILES);
	for (size_t i = 0; i < files.n; i++) {
		const char *number = strrchr(files.v[i].path, '/') + 2;
		const struct store_change *change = &changes[strtoul(number, NULL, 10)];

		assert_string_equal(files.v[i].path, change->path);
		assert_int_equal(files.v[i].n, change->n);
		assert_memory_equal(files.v[i].bytes, change->bytes, change->n);
	}
	store_close(&store);
	assert_string_equal(
		sh(f, "cd many.git; git fsck --strict --full 2>&1 | grep -v unborn || true"), "");
	assert_string_equal(sh(f, "cd many.git; git count-objects -v | sed -n 's/^in-pack: //p'"),
			    arena_printf(f->arena, "%d", DOUBLES + 2 * 50 + 1 + 1));
}

static void test_store__says_why_a_server_refuses(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 2; i < COUNTOF(servers); i++) {
		const char *repo = servers[i].url ? new_repo(f) : NULL;
		struct store *store;
		bool made;

		if (!repo)
			continue;
		sh(f,
		   "cd repos/%s; printf '#!/bin/sh\\necho no commits on Fridays >&2; exit 1' > "
		   "hooks/pre-receive; chmod +x hooks/pre-receive",
		   repo);
		store = open_store(f, &servers[i], repo, "reconcile/state");
		assert_false(put(store, "a", "b", &made, &f->err));
		assert_int_equal(f->err.kind, ERR_INVALID);
		if (!strstr(f->err.text, "no commits on Fridays") ||
		    !strstr(f->err.text, "hook declined"))
			fail_msg("%s: %s", servers[i].name, f->err.text);
		assert_true(git_id_is_none(store_commit_id(store)));
		store_close(&store);
		sh(f,
		   "cd repos/%s; rm hooks/pre-receive; git config receive.denyNonFastForwards true",
		   repo);
		store = open_store(f, &servers[i], repo, "reconcile/logs");
		must(put(store, "a", "b", &made, &f->err), &f->err);
		assert_false(put(store, "a", "c", &made, &f->err));
		if (f->err.kind != ERR_DENIED)
			fail_msg("%s: %s", servers[i].name, f->err.text);
		store_close(&store);
	}
}

/* A hook of the repository; it may ask for $repo and count in the file that is named after it. */
static void set_hook(struct fixture *f, const char *repo, const char *name, const char *script)
{
	const char *path = arena_printf(f->arena, "%s/repos/%s/hooks/%s", f->dir.path, repo, name);
	const char *text = arena_printf(f->arena, "#!/bin/sh\necho x >>%s/repos/%s/%s.times\n%s\n",
					f->dir.path, repo, name, script);

	must(fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0755, false, &f->err), &f->err);
}

/* Of the server's process that talks to us dies once. */
#define ONCE "[ -e died ] && exit 0; touch died; "
/* Behind the update and before the answer; "committed" is the hook's argument then. */
#define ON_COMMITTED                                                                               \
	"[ \"$1\" = committed ] || exit 0; grep -q refs/heads/reconcile/state || exit 0; "

/* How often the server was asked to take a push. */
static const char *pushes(struct fixture *f, const char *repo)
{
	return sh(f, "cd repos/%s; wc -l <pre-receive.times", repo);
}

/* One of each way in which a server's process talks to us. */
static bool is_typical(const struct server *server)
{
	return server->url && (!strcmp(server->name, "daemon") || !strcmp(server->name, "http") ||
			       !strcmp(server->name, "ssh"));
}

/* Each server, and a store on a repository of its own with a first commit; pushes are counted from then on. */
static struct store *next_store(struct fixture *f, size_t i, const char **repo)
{
	struct store *store;
	bool made;

	*repo = new_repo(f);
	store = open_store(f, &servers[i], *repo, "reconcile/state");
	must(put(store, "a", "first", &made, &f->err), &f->err);
	set_hook(f, *repo, "pre-receive", "cat >/dev/null");
	return store;
}

/* The connection ends behind the update: it is looked for, and not pushed again. */
static void test_store__looks_whether_a_push_landed(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct store *store;
		const char *repo;
		bool made;

		if (!is_typical(&servers[i]))
			continue;
		store = next_store(f, i, &repo);
		set_hook(f, repo, "reference-transaction", ON_COMMITTED ONCE "kill -9 $PPID");
		if (!put(store, "a", "second", &made, &f->err))
			fail_msg("%s: %s", servers[i].name, f->err.text);
		assert_true(made);
		assert_string_equal(get(f, store, "a"), "second");
		assert_string_equal(pushes(f, repo), "1");
		assert_string_equal(
			sh(f, "cd repos/%s; ls died; git rev-list --count reconcile/state", repo),
			"died\n2");
		store_close(&store);
	}
}

/* It ends before: it is pushed again. */
static void test_store__pushes_again_what_did_not_land(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct store *store;
		const char *repo;
		bool made;

		if (!is_typical(&servers[i]))
			continue;
		store = next_store(f, i, &repo);
		set_hook(f, repo, "pre-receive", "cat >/dev/null; " ONCE "kill -9 $PPID");
		if (!put(store, "a", "second", &made, &f->err))
			fail_msg("%s: %s", servers[i].name, f->err.text);
		assert_true(made);
		assert_string_equal(pushes(f, repo), "2");
		assert_string_equal(
			sh(f, "cd repos/%s; git rev-list --count reconcile/state", repo), "2");
		store_close(&store);
	}
}

/* It ends behind the update, and another goes on from there before we look: a conflict, and then nothing is left to do. */
static void test_store__finds_its_push_below_that_of_another(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct store *store;
		const char *repo;
		bool made;

		if (!is_typical(&servers[i]))
			continue;
		store = next_store(f, i, &repo);
		set_hook(f, repo, "reference-transaction",
			 ON_COMMITTED ONCE "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
					   "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n"
					   "b=$(echo theirs | git hash-object -w --stdin)\n"
					   "t=$({ git ls-tree reconcile/state; printf '100644 blob "
					   "%s\\tb\\n' $b; } | git mktree)\n"
					   "git update-ref refs/heads/reconcile/state $(git "
					   "commit-tree -m b -p reconcile/state $t)\n"
					   "kill -9 $PPID");
		assert_false(put(store, "a", "second", &made, &f->err));
		if (f->err.kind != ERR_CONFLICT)
			fail_msg("%s: %s", servers[i].name, f->err.text);
		must(store_refresh(store, &f->err), &f->err);
		assert_string_equal(get(f, store, "b"), "theirs\n");
		must(put(store, "a", "second", &made, &f->err), &f->err);
		assert_false(made);
		assert_string_equal(pushes(f, repo), "1");
		assert_string_equal(
			sh(f, "cd repos/%s; git rev-list --count reconcile/state", repo), "3");
		store_close(&store);
	}
}

/* Servers of a strict kind take what only goes on; one that forbids updates at the last moment says so. */
static void test_store__lives_with_strict_servers(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct store *store;
		const char *repo;
		bool made;

		if (!is_typical(&servers[i]))
			continue;
		store = next_store(f, i, &repo);
		sh(f,
		   "cd repos/%s; git config receive.denyNonFastForwards true; git config "
		   "receive.denyDeletes true; "
		   "git config receive.fsckObjects true; git config transfer.hideRefs refs/secret",
		   repo);
		must(put(store, "a", "second", &made, &f->err), &f->err);
		assert_true(made);
		set_hook(f, repo, "reference-transaction", "[ \"$1\" != prepared ]");
		assert_false(put(store, "a", "third", &made, &f->err));
		assert_string_equal(sh(f, "cd repos/%s; git show reconcile/state:a", repo),
				    "second");
		sh(f, "rm repos/%s/hooks/reference-transaction", repo);
		must(put(store, "a", "third", &made, &f->err), &f->err);
		store_close(&store);
	}
}

/* libgit2 1.5 loses a match of its own for every repository of version 1 that it opens. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

static void test_store__says_that_it_knows_sha1_alone(void **state)
{
	struct fixture *f = *state;

	sh(f, "git init -q --bare --object-format=sha256 repos/sha256.git; "
	      "git -C repos/sha256.git config http.receivepack true; touch "
	      "repos/sha256.git/git-daemon-export-ok");
	for (size_t i = 0; i < 2 * COUNTOF(servers); i++) { /* with and without a commit */
		const struct server *server = &servers[i % COUNTOF(servers)];
		struct store_place place = { .branch = "reconcile/state",
					     .wire = &server->options };
		struct store *store;
		bool made, is_open;

		if (i == COUNTOF(servers))
			sh(f, "cd repos/sha256.git; git update-ref refs/heads/reconcile/state "
			      "$(git commit-tree -m a $(git mktree </dev/null))");
		if (!server->url)
			continue;
		place.url = arena_printf(f->arena, "%s/sha256.git", server->url);
		place.cache_dir = arena_printf(f->arena, "%s/cache-sha256", f->dir.path);
		is_open = store_open(&place, &store, &f->err);
		/* Without protocol v2 an empty repository does not say what it is before something is pushed. */
		if ((is_open && put(store, "a", "b", &made, &f->err)) ||
		    !strstr(f->err.text, "sha1"))
			fail_msg("%s: %s", server->name, f->err.text);
		if (is_open)
			store_close(&store);
		f->err = (struct err){ 0 };
	}
}

static void test_store__reports_missing_repositories_and_bad_credentials(void **state)
{
	struct fixture *f = *state;
	const char *cache = arena_printf(f->arena, "%s/cache", f->dir.path), *repo = new_repo(f);
	struct store *store;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct store_place place = { .url = arena_printf(f->arena, "%s/none.git",
								 servers[i].url),
					     .branch = "s",
					     .cache_dir = cache,
					     .wire = &servers[i].options };

		if (!servers[i].url)
			continue;
		assert_false(store_open(&place, &store, &f->err));
		if (f->err.kind != ERR_ABSENT)
			fail_msg("%s: %s", servers[i].name, f->err.text);
	}
	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct git_wire_options options = servers[i].options;
		struct store_place place = { .url = arena_printf(f->arena, "%s/%s", servers[i].url,
								 repo),
					     .branch = "s",
					     .cache_dir = cache,
					     .wire = &options };

		if (!servers[i].url ||
		    (strcmp(servers[i].name, "https") && strcmp(servers[i].name, "ssh")))
			continue;
		options.max_tries = 1;
		options.auth.password = "wrong password";
		options.auth.ssh_key_file = arena_printf(f->arena, "%s/ssh/host_key", f->dir.path);
		assert_false(store_open(&place, &store, &f->err));
		if (f->err.kind != ERR_DENIED || strstr(f->err.text, "wrong password"))
			fail_msg("%s: %s", servers[i].name, f->err.text);
		options = servers[i].options;
		options.auth.ca_file = NULL;
		options.auth.known_hosts_file = "/dev/null";
		assert_false(store_open(&place, &store, &f->err));
		if (f->err.kind != ERR_DENIED)
			fail_msg("%s: %s", servers[i].name, f->err.text);
	}
}

/* 60 commits of history, a tag, a thousand refs, files that are alike: asked and fetched from every server. */
static void check_source(struct fixture *f, const struct server *server, const char *repo,
			 const char *head)
{
	const char *cache = arena_printf(f->arena, "%s/src-%s.git", f->dir.path, server->name);
	struct git_fetch fetch = { .hint_ref = "refs/tags/v1" };
	struct git_fetch_stats stats;
	struct git_revision revision;
	struct git_wire *wire;
	struct git_refs refs;
	struct git_id tree;

	must(git_wire_open(arena_printf(f->arena, "%s/%s", server->url, repo), &server->options,
			   &wire, &f->err),
	     &f->err);
	must(git_wire_ls_refs(wire, NULL, f->arena, &refs, &f->err), &f->err);
	assert_int_equal(refs.n, 1 + 1 + 1 + 1000);
	must(git_wire_resolve(wire, "main", f->arena, &revision, &f->err), &f->err);
	assert_int_equal(revision.kind, GIT_REVISION_BRANCH);
	assert_string_equal(revision.commit.hex, head);
	must(git_wire_resolve(wire, "nothing", f->arena, &revision, &f->err), &f->err);
	assert_int_equal(revision.kind, GIT_REVISION_NONE);
	must(git_wire_resolve(wire, "HEAD", f->arena, &revision, &f->err), &f->err);
	assert_string_equal(revision.commit.hex, head);
	must(git_wire_resolve(wire, "v1", f->arena, &revision, &f->err), &f->err);
	assert_int_equal(revision.kind, GIT_REVISION_TAG);
	assert_string_equal(revision.commit.hex, head);
	assert_string_not_equal(revision.id.hex, head);
	must(git_repo_init(cache, &fetch.into, &f->err), &f->err);
	fetch.commit = revision.commit;
	must(git_wire_fetch(wire, &fetch, &stats, &f->err), &f->err);
	if (stats.n_objects > 8)
		fail_msg("%s sent %u objects", server->name, stats.n_objects);
	if (stats.pack_bytes)
		assert_string_equal(
			sh(f, "git verify-pack -v %s/objects/pack/*.idx | grep -c '^chain'", cache),
			"1");
	must(git_tree_of_commit(git_repo_objects(fetch.into), &fetch.commit, &tree, &f->err),
	     &f->err);
	must(git_wire_fetch(wire, &fetch, &stats, &f->err), &f->err);
	assert_int_equal(stats.pack_bytes, 0);
	/* an old commit that no ref points at: v2 gives it, v0 only with its history */
	git_id_parse(sh(f, "git -C repos/%s rev-parse main~30", repo), GIT_ID_HEX, &fetch.commit);
	fetch.hint_ref = "refs/heads/main";
	must(git_wire_fetch(wire, &fetch, &stats, &f->err), &f->err);
	memset(fetch.commit.hex, 'e', GIT_ID_HEX);
	assert_false(git_wire_fetch(wire, &fetch, &stats, &f->err));
	if (f->err.kind != ERR_ABSENT)
		fail_msg("%s: %s", server->name, f->err.text);
	git_repo_close(&fetch.into);
	git_wire_close(&wire);
	assert_string_equal(
		sh(f, "git -C %s fsck --full --no-dangling 2>&1 | grep -v notice: || true", cache),
		"");
}

static void test_git_wire__fetches_one_commit_from_every_server(void **state)
{
	struct fixture *f = *state;
	const char *repo = new_repo(f);
	char *head;

	sh(f,
	   "git clone -q repos/%s w 2>/dev/null; cd w; git checkout -qb main; mkdir d; seq 3000 "
	   ">one; seq 3001 >two; for i in "
	   "$(seq 60); do echo $i > d/f; git add .; git commit -qm $i; done;"
	   /* the one comes as a difference to the other */
	   "seq 3000 >d/long; (cat d/long; echo more) >d/longer; git add .; git commit -qm long;"
	   "git tag -a v1 -m v1; git push -q origin main v1; cd ../repos/%s; for i in $(seq 1000); "
	   "do echo create refs/heads/b$i $(git rev-parse main); done | git update-ref --stdin; "
	   "git pack-refs --all",
	   repo, repo);
	head = sh(f, "git -C repos/%s rev-parse main", repo);
	for (size_t i = 0; i < COUNTOF(servers); i++)
		if (servers[i].url)
			check_source(f, &servers[i], repo, head);
	for (size_t i = 0; i < COUNTOF(servers); i++) {
		struct server old = servers[i];

		if (!old.url)
			continue;
		old.name = arena_printf(f->arena, "%s-only-v0", old.name);
		old.options.only_v0 = true;
		check_source(f, &old, repo, head);
	}
}

/* The first fetch brings all, the second only what the second commit changed. */
static void check_difference(struct fixture *f, const struct server *server)
{
	const char *repo = new_repo(f);
	struct store *store = open_store(f, server, repo, "s");
	struct store_change changes[300];
	struct store_commit commit = { changes, COUNTOF(changes), "a", "a@b", 1700000000, "m" };
	struct git_fetch fetch = { .hint_ref = "refs/heads/s" };
	struct git_fetch_stats first, second;
	struct git_wire *wire;
	struct git_id before;
	bool made;

	for (size_t i = 0; i < COUNTOF(changes); i++) {
		char *path = arena_printf(f->arena, "d%zu/f%zu", i / 10, i);

		changes[i] = (struct store_change){ path, path, strlen(path) };
	}
	must(store_commit(store, &commit, &made, &f->err), &f->err);
	must(git_wire_open(arena_printf(f->arena, "%s/%s", server->url, repo), &server->options,
			   &wire, &f->err),
	     &f->err);
	must(git_repo_init(arena_printf(f->arena, "%s/diff-%s.git", f->dir.path, server->name),
			   &fetch.into, &f->err),
	     &f->err);
	before = fetch.commit = *store_commit_id(store);
	must(git_wire_fetch(wire, &fetch, &first, &f->err), &f->err);
	must(put(store, "d3/f31", "new", &made, &f->err), &f->err);
	fetch.commit = *store_commit_id(store);
	fetch.have = &before;
	must(git_wire_fetch(wire, &fetch, &second, &f->err), &f->err);
	if (first.n_objects != 300 + 30 + 2 || second.n_objects != 4)
		fail_msg("%s sent %u, then %u objects", server->name, first.n_objects,
			 second.n_objects);
	git_repo_close(&fetch.into);
	git_wire_close(&wire);
	store_close(&store);
	assert_string_equal(
		sh(f, "git -C diff-%s.git fsck --full --no-dangling 2>&1 | grep -v notice: || true",
		   server->name),
		"");
}

static void test_git_wire__fetches_only_the_difference_to_what_it_has(void **state)
{
	for (size_t i = 2; i < COUNTOF(servers); i++) {
		struct server old = servers[i];

		if (!old.url)
			continue;
		check_difference(*state, &servers[i]);
		old.name = arena_printf(((struct fixture *)*state)->arena, "%s-old", old.name);
		old.options.only_v0 = true;
		check_difference(*state, &old);
	}
}

static bool comes_before(struct fixture *f, struct git_repo *repo, const char *earlier,
			 const char *later)
{
	struct git_id a, b;
	bool is_ancestor;

	assert_true(git_id_parse(earlier, strlen(earlier), &a) &&
		    git_id_parse(later, strlen(later), &b));
	must(git_is_ancestor(git_repo_objects(repo), &a, &b, &is_ancestor, &f->err), &f->err);
	return is_ancestor;
}

static void test_git_history__knows_ancestors(void **state)
{
	struct fixture *f = *state;
	struct git_repo *repo;
	struct git_id absent = { .hex = "0123456789abcdef0123456789abcdef01234567" }, id;
	const char *first, *side, *merge, *last;
	int64_t time_s;
	bool is_ancestor;

	sh(f, "git init -q -b main history; cd history; git commit -q --allow-empty -m 1; "
	      "git checkout -q -b side; git commit -q --allow-empty -m side; git checkout -q main; "
	      "git commit -q --allow-empty -m 2; git merge -q --no-ff -m merge side; "
	      "for i in $(seq 30); do git commit -q --allow-empty -m $i; done");
	first = sh(f, "git -C history rev-list --max-parents=0 main");
	side = sh(f, "git -C history rev-parse side");
	merge = sh(f, "git -C history log -1 --merges --format=%%H main");
	last = sh(f, "git -C history rev-parse main");
	must(git_repo_open(arena_printf(f->arena, "%s/history", f->dir.path), false, &repo,
			   &f->err),
	     &f->err);
	assert_true(comes_before(f, repo, first, last));
	assert_true(comes_before(f, repo, side, last));
	assert_true(comes_before(f, repo, side, merge));
	assert_false(comes_before(f, repo, last, first));
	assert_false(comes_before(f, repo, merge, side));
	assert_false(comes_before(f, repo, last, last));
	assert_true(git_id_parse(last, strlen(last), &id));
	assert_false(git_is_ancestor(git_repo_objects(repo), &id, &absent, &is_ancestor, &f->err));
	assert_int_equal(f->err.kind, ERR_ABSENT);
	f->err = (struct err){ 0 };
	must(git_commit_time(git_repo_objects(repo), &id, &time_s, &f->err), &f->err);
	assert_true(time_s > 0);
	git_repo_close(&repo);
}

static void test_git_wire__follows_a_redirect_of_its_first_question(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(servers); i++) {
		const char *repo = new_repo(f);
		struct store_place place = { .branch = "s",
					     .cache_dir = arena_printf(f->arena, "%s/cache",
								       f->dir.path),
					     .wire = &servers[i].options };
		struct store *store;
		bool made;

		if (!servers[i].url || strncmp(servers[i].url, "http", 4) != 0)
			continue;
		place.url = arena_printf(f->arena, "%s/moved/%s", servers[i].url, repo);
		must(store_open(&place, &store, &f->err), &f->err);
		must(put(store, "a", "b", &made, &f->err), &f->err);
		store_close(&store);
		assert_string_equal(sh(f, "git -C repos/%s show s:a", repo), "b");
	}
}

static void test_git_wire__gives_up_on_a_server_that_stays_silent(void **state)
{
	struct fixture *f = *state;
	static const char *const schemes[] = { "git", "http" };
	char *port = sh(f, "mkdir silent; setsid python3 -c '\nimport "
			   "socket,time\ns=socket.socket(); s.bind((\"127.0.0.1\",0)); "
			   "s.listen(9)\nprint(s.getsockname()[1],flush=True)\ntime.sleep(60)' > "
			   "silent/port 2>/dev/null </dev/null & echo $! > silent/py.pid; until [ "
			   "-s silent/port ]; do sleep 0.05; done; cat silent/port");

	for (size_t i = 0; i < COUNTOF(schemes); i++) {
		struct git_wire_options options = { .stall_timeout_ms = 1000,
						    .total_timeout_ms = 3000,
						    .max_tries = 1 };
		int64_t start = clock_mono_ms();
		struct git_wire *wire;
		struct git_refs refs;

		must(git_wire_open(
			     arena_printf(f->arena, "%s://127.0.0.1:%s/a.git", schemes[i], port),
			     &options, &wire, &f->err),
		     &f->err);
		assert_false(git_wire_ls_refs(wire, NULL, f->arena, &refs, &f->err));
		assert_int_equal(f->err.kind, ERR_TRANSIENT);
		assert_true(clock_mono_ms() - start < 8000);
		git_wire_close(&wire);
	}
}

int main(void)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "HOME=/nonexistent", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store__lives_on_every_server),
		cmocka_unit_test(test_store__keeps_logs_without_history_on_every_server),
		cmocka_unit_test(test_store__loses_no_commit_of_eight_writers),
		cmocka_unit_test(test_store__is_whole_after_kills_at_any_moment),
		cmocka_unit_test(test_store__keeps_thousands_of_files),
		cmocka_unit_test(test_store__says_why_a_server_refuses),
		cmocka_unit_test(test_store__looks_whether_a_push_landed),
		cmocka_unit_test(test_store__pushes_again_what_did_not_land),
		cmocka_unit_test(test_store__finds_its_push_below_that_of_another),
		cmocka_unit_test(test_store__lives_with_strict_servers),
		cmocka_unit_test(test_store__says_that_it_knows_sha1_alone),
		cmocka_unit_test(test_store__reports_missing_repositories_and_bad_credentials),
		cmocka_unit_test(test_git_wire__fetches_one_commit_from_every_server),
		cmocka_unit_test(test_git_wire__fetches_only_the_difference_to_what_it_has),
		cmocka_unit_test(test_git_history__knows_ancestors),
		cmocka_unit_test(test_git_wire__follows_a_redirect_of_its_first_question),
		cmocka_unit_test(test_git_wire__gives_up_on_a_server_that_stays_silent),
	};

	if (access("/usr/bin/git", X_OK) < 0) {
		fprintf(stderr, "skipped: there is no git program here\n");
		return 77;
	}
	proc_set_environment(env);
	return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
