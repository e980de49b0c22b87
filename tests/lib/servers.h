/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers.h — servers.sh for tests in C: one child per server, which ends when its pipe does, so also when a test crashes.
 * Header only, since every test is one file.
 */
#ifndef TESTS_LIB_SERVERS_H
#define TESTS_LIB_SERVERS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_USER     "builder"
#define SERVER_PASSWORD "correct-horse-battery"

struct server {
	pid_t pid;
	int in;        /* closing it ends the server */
	char addr[64]; /* "127.0.0.1:PORT" */
	char dir[512];
};

/* A new folder for one test program; removed by test_dir_remove. */
static inline void test_dir_make(char *out, size_t cap)
{
	snprintf(out, cap, "/tmp/reconcile-test-XXXXXX");
	if (!mkdtemp(out))
		abort();
}

static inline void test_run(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		union {
			const char *const *in;
			char *const *out;
		} args = { argv };

		execvp(argv[0], args.out);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "'%s' failed\n", argv[0]);
		abort();
	}
}

static inline void test_dir_remove(const char *path)
{
	const char *const argv[] = { "rm", "-rf", path, NULL };

	test_run(argv);
}

/* `script` and `arg` only for the kind "fake". False: it did not start, its log is on stderr. */
static inline bool server_start(struct server *server, const char *kind, const char *dir,
				const char *script, const char *arg)
{
	int in[2], out[2];
	ssize_t n;
	size_t len = 0;

	*server = (struct server){ .in = -1 };
	snprintf(server->dir, sizeof(server->dir), "%s", dir);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return false;
	server->pid = fork();
	if (server->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execlp("bash", "bash", TEST_SOURCE_DIR "/tests/lib/servers.sh", kind, dir, script,
		       arg, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server->in = in[1];
	while ((n = read(out[0], server->addr + len, sizeof(server->addr) - 1 - len)) > 0)
		len += (size_t)n;
	close(out[0]);
	server->addr[strcspn(server->addr, "\n")] = '\0';
	return server->addr[0] != '\0';
}

static inline void server_stop(struct server *server)
{
	if (server->in < 0)
		return;
	close(server->in);
	waitpid(server->pid, NULL, 0);
	server->in = -1;
}

/* Is there such a program? For tests that say so and exit with 77. */
static inline bool has_program(const char *name)
{
	const char *path = getenv("PATH");
	char full[1024];

	while (path && *path) {
		size_t n = strcspn(path, ":");

		snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, name);
		if (access(full, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

#endif
