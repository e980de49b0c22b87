/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_env.c — our environment as main saw it, what of it children get, and results as words.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

/* What programs need to find each other, their files and the network; nothing that may hold a
 * secret by habit. */
static const char *const allowed[] = {
	"PATH",
	"HOME",
	"LANG",
	"LC_ALL",
	"LC_CTYPE",
	"TMPDIR",
	"TZ",
	"USER",
	"LOGNAME",
	"XDG_RUNTIME_DIR",
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"all_proxy",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"NO_PROXY",
	"ALL_PROXY",
	"SSL_CERT_DIR",
	"SSL_CERT_FILE",
	"DOCKER_HOST",
	"DOCKER_TLS_VERIFY",
	"DOCKER_CERT_PATH",
};

static const char *const *ours;
static struct strings added;
static char *children[COUNTOF(allowed) + 1];

static const char *find(const char *name)
{
	size_t len = strlen(name);

	for (const char *const *at = ours; at && *at; at++)
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at;
	for (size_t i = 0; i < added.n; i++)
		if (strncmp(added.v[i], name, len) == 0 && added.v[i][len] == '=')
			return added.v[i];
	return NULL;
}

void proc_add_environment(const struct strings *more)
{
	added = *more;
}

void proc_set_environment(const char *const *environ_list)
{
	size_t n = 0;

	ours = environ_list;
	for (size_t i = 0; i < COUNTOF(allowed); i++) {
		const char *entry = find(allowed[i]);

		if (entry)
			memcpy(&children[n++], &entry, sizeof(entry));
	}
	children[n] = NULL;
}

const char *proc_getenv(const char *name)
{
	const char *entry = find(name);

	return entry ? entry + strlen(name) + 1 : NULL;
}

char *const *proc_default_env(void)
{
	return children;
}

unsigned long long proc_start_time(pid_t pid)
{
	char text[1024];
	AUTO_FD fd = -1;
	const char *at;
	ssize_t n;

	snprintf(text, sizeof(text), "/proc/%d/stat", (int)pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* Field 22; fields are counted behind the ")" of the name, which may hold anything. */
	at = strrchr(text, ')');
	/* One that ended and that nobody has waited for yet does nothing any more. */
	if (at && at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X'))
		return 0;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

char *proc_result_text(const struct proc_result *result, struct arena *arena)
{
	const char *name;

	if (result->is_timeout)
		return arena_strdup(arena, "timed out");
	if (!result->signal)
		return arena_printf(arena, "exit status %d", result->exit_code);
	name = sigabbrev_np(result->signal);
	if (!name)
		return arena_printf(arena, "killed by signal %d", result->signal);
	return arena_printf(arena, "killed by signal %d (SIG%s)", result->signal, name);
}
