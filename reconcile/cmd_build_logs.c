/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_build_logs.c — `build logs`: as it is kept, or as it grows while the build runs on this machine. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "model/kind/build_phase.h"
#include "reconcile/apply/log_file.h"
#include "reconcile/build_command.h"
#include "reconcile/commands.h"

enum { FOLLOW_MS = 200 };

/* What the record of a build says of its log. */
struct logged {
	const struct build_ref *ref;
	const char *log; /* path; NULL: none is kept */
	const char *url; /* of a pipeline's run; NULL */
	bool is_running;
};

static bool read_logged(struct context *context, const struct build_ref *ref, struct logged *out,
			struct err *err)
{
	struct build_record record = { 0 };
	const struct node *document;
	struct bc_build build;

	*out = (struct logged){ .ref = ref };
	if (ref->owner->kind == KIND_IMAGE) {
		if (!state_read_build(context->store, ref->owner->ns, ref->owner->name, ref->number,
				      context->arena, &record, err))
			return false;
		out->log = record.log;
		out->is_running =
			record.inputs.result && strcmp(record.inputs.result, "Building") == 0;
		return true;
	}
	if (!build_read_config(context, ref, &build, &document, err))
		return false;
	if (!document)
		return err_set(err, ERR_ABSENT, "build \"%s\" not found",
			       build_ref_name(ref, context->arena));
	out->log = build.log;
	out->url = build.url;
	out->is_running = !phase_is_terminal(phase_find(build.phase));
	return true;
}

/* A build of another process on this machine is followed through its log file, which goes away at its end. */
static bool follow(struct context *context, const struct build_ref *ref)
{
	struct arena *arena = context->arena;
	const char *path = arena_printf(arena, "%s/logs/%s", context->cache_dir,
					log_file_name(ref->owner->id, ref->number, arena));
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct err err = { 0 };
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return false;
	for (;;) {
		while ((n = read(fd, chunk, sizeof(chunk))) > 0)
			if (!fd_write_all(STDOUT_FILENO, chunk, (size_t)n, &err))
				return true;
		if (!fs_exists(path))
			return true;
		clock_sleep_ms(FOLLOW_MS);
	}
}

/* Nothing of it is there: text NULL. */
static bool read_log(struct context *context, const char *path, const char **text, size_t *len,
		     struct err *err)
{
	const char *folder = context_log_folder(context);
	struct store_file file = { 0 };
	char *bytes = NULL;

	if (folder) {
		if (!fs_read(AT_FDCWD, path_join(context->arena, folder, path), 2 * LIMIT_LOG_BYTES,
			     context->arena, &bytes, len, err))
			return false;
		*text = bytes;
		return true;
	}
	if (!context_open_logs(context, err))
		return false;
	if (context->logs && !store_read(context->logs, path, context->arena, &file, err))
		return false;
	*text = file.bytes;
	*len = file.n;
	return true;
}

static int print_log(struct context *context, const struct logged *logged)
{
	const char *name = arena_printf(context->arena, "build %lld of \"%s\"",
					(long long)logged->ref->number, logged->ref->owner->name);
	const char *text = NULL;
	struct err err = { 0 };
	size_t len = 0;

	if (!logged->log && logged->url)
		err_set(&err, ERR_ABSENT, "no log is kept of %s; its pipeline is at %s", name,
			logged->url);
	else if (!logged->log)
		err_set(&err, ERR_ABSENT, "no log is kept of %s%s", name,
			logged->is_running ? ": it has not ended, and does not run on this machine"
					   : "");
	else if (!path_is_inside(logged->log))
		err_set(&err, ERR_INVALID, "the record of %s names no log: '%s'", name,
			logged->log);
	if (err.kind)
		return context_fail(&err, EXIT_ERROR);
	if (!read_log(context, logged->log, &text, &len, &err))
		return context_fail(&err, context_log_folder(context) ? EXIT_ERROR : EXIT_STATE);
	if (!text) {
		err_set(&err, ERR_ABSENT, "the log of %s is gone", name);
		return context_fail(&err, EXIT_ERROR);
	}
	/* Kept clean; but what is read back is foreign. */
	sanitize(text, len, true, &context->out);
	return EXIT_DONE;
}

int cmd_build_logs(struct context *context)
{
	struct build_ref ref;
	struct logged logged;
	struct err err = { 0 };
	int code = build_choose(context, context->options.args.v[0], &ref);

	if (code != EXIT_DONE)
		return code;
	if (!read_logged(context, &ref, &logged, &err))
		return context_fail(&err, EXIT_ERROR);
	if (logged.is_running && follow(context, &ref))
		return EXIT_DONE;
	return print_log(context, &logged);
}
