/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c — which engine builds. See engine.h. */
#include "buildexec/engine/engine.h"

#include <string.h>
#include <sys/stat.h>

#include "buildexec/sys/proc.h"
#include "buildexec/task/inside.h"

enum { ERROR_MAX_BYTES = 400 };

/* In the order in which they are tried. */
static const struct engine *const engines[] = { &engine_buildah, &engine_daemon };

static bool is_wanted(const char *setting, const struct engine *engine)
{
	return !setting || strcmp(setting, "auto") == 0 || strcmp(setting, engine->name) == 0;
}

bool engine_open(struct engine_job *job, const struct engine **out, struct err *err)
{
	const char *setting = job->task->request->engine;
	AUTO_BUF why = BUF_INIT(ERROR_MAX_BYTES), install = BUF_INIT(ERROR_MAX_BYTES);

	for (size_t i = 0; i < COUNTOF(engines); i++) {
		struct err absent = { 0 };

		if (!is_wanted(setting, engines[i]))
			continue;
		if (engines[i]->open(job, &absent)) {
			*out = engines[i];
			return true;
		}
		engines[i]->close(job);
		if (absent.kind != ERR_ABSENT) {
			*err = absent;
			return err_prefix(err, "cannot use %s", engines[i]->name);
		}
		buf_printf(&why, "%s%s", why.len ? "; " : "", absent.text);
		buf_printf(&install, "%s%s", install.len ? ", or " : "", engines[i]->packages);
	}
	return err_set(err, ERR_INVALID,
		       "nothing here can build a Dockerfile: %s; install %s (packages of Debian), "
		       "or set builds.engine",
		       buf_text(&why), buf_text(&install));
}

static bool check_ignore(const struct engine_job *job, const char *name, struct err *err)
{
	const char *real;
	struct stat st;

	if (!inside_find(job->context, name, job->task->arena, &real, err) || !real)
		return err->kind == ERR_NONE;
	return (stat(real, &st) == 0 && S_ISREG(st.st_mode)) ||
	       err_set(err, ERR_INVALID, "'%s' is no plain file", name);
}

bool engine_build(const struct engine *engine, struct engine_job *job, const char **id,
		  struct err *err)
{
	static const char *const lists[] = { ".containerignore", ".dockerignore" };

	for (size_t i = 0; i < COUNTOF(lists); i++)
		if (!check_ignore(job, lists[i], err))
			return false;
	return engine->build(job, id, err);
}

void engine_add_proxies(struct engine_job *job, const struct list *env)
{
	static const char *const names[] = { "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
					     "http_proxy", "https_proxy", "no_proxy" };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *value = env_var_find(env, names[i]);

		value = value ? value : proc_getenv(names[i]);
		if (value)
			vec_push(job->task->arena, &job->env,
				 (struct pair){ .key = names[i], .value = value });
	}
}
