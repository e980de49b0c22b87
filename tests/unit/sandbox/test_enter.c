/* SPDX-License-Identifier: Apache-2.0 */
/* test_enter.c — a host that gives no namespaces: an error, and no process id that somebody could kill by mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sandbox/enter.h"
#include "buildexec/sys/fs.h"

static void nothing(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
}

/* The kernel refuses user namespaces to a process that was put into another root. */
static int enter_in_another_root(const char *root)
{
	static const char *const argv[] = { "/bin/true", NULL }, *const env[] = { NULL };
	const struct enter_spec spec = { .program = "/bin/true",
					 .argv = argv,
					 .env = env,
					 .bundle = "/",
					 .is_rootless = true,
					 .fds = { -1, -1, -1 },
					 .prepare = nothing };
	struct err err = { 0 };
	pid_t pid = -1;

	if (chroot(root) < 0 || chdir("/") < 0)
		return 2;
	if (enter_start(&spec, &pid, &err))
		return 3;
	return pid == 0 && err.kind != ERR_NONE ? 0 : 4;
}

static void test_enter__gives_no_process_when_the_host_gives_no_namespaces(void **state)
{
	struct tmpdir root;
	struct err err = { 0 };
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		puts("skipped: only root may change its root");
		skip();
	}
	assert_true(tmpdir_make(NULL, "reconcile-test", &root, &err));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(enter_in_another_root(root.path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tmpdir_release(&root);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enter__gives_no_process_when_the_host_gives_no_namespaces),
	};

	return cmocka_run_group_tests_name("enter", tests, NULL, NULL);
}
