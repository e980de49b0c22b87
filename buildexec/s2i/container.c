/* SPDX-License-Identifier: Apache-2.0 */
/* container.c — see container.h: the image, its user, and scripts run in it. place.c puts files there. */
#include "buildexec/s2i/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { USER_FILE_BYTES = 4 << 20, SCRIPT_HEAD = 255 };

void s2i_warn(const struct s2i_spec *spec, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	build_log_warn("%s", text);
	if (spec->on_notice)
		spec->on_notice(spec->ctx, text);
}

int64_t s2i_created_s(const struct s2i_spec *spec)
{
	return spec->created_s ? spec->created_s : TAR_FIXED_MTIME_S;
}

/* Every program expects it, and the source goes there. */
static bool make_tmp(const struct container *container, struct err *err)
{
	struct arena *arena = container->spec->arena;
	const char *host = path_join(arena, container->upper, "tmp");
	struct rootfs_entry entry;

	if (!rootfs_find(&container->base, "/tmp", false, arena, &entry, err))
		return false;
	if (entry.host)
		return true;
	if (mkdir(host, 0700) != 0 || chmod(host, 01777) != 0)
		return err_sys(err, errno, "cannot create folder '%s'", host);
	return true;
}

/* The folder of changes takes mode and owner of the image's own root, which overlayfs shows from it. */
static bool make_upper(struct container *container, const char *name, struct err *err)
{
	struct arena *arena = container->spec->arena;
	struct rootfs_entry root;

	container->upper_dir = path_join(arena, container->spec->work_dir, name);
	container->upper = path_join(arena, container->upper_dir, "fs");
	if (!fs_make_dirs(container->upper, 0755, err) ||
	    !rootfs_find(&container->base, "/", false, arena, &root, err))
		return false;
	if (!container->is_rootless &&
	    chown(container->upper, root.stat.st_uid, root.stat.st_gid) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", container->upper);
	if (chmod(container->upper, root.stat.st_mode & 07777) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", container->upper);
	if (!make_tmp(container, err))
		return false;
	for (size_t i = 0; i < container->base.layers.n; i++)
		vec_push(arena, &container->all.layers, container->base.layers.v[i]);
	vec_push(arena, &container->all.layers, container->upper);
	container->all.form = container->is_rootless ? UNPACK_AS_USER : UNPACK_AS_ROOT;
	return true;
}

bool container_open(struct container *container, const struct s2i_spec *spec, const char *reference,
		    const char *name, struct err *err)
{
	struct platform want = platform_host();
	struct ref ref;

	*container = (struct container){ .spec = spec };
	container->is_rootless = spec->is_rootless || geteuid() != 0;
	if (!ref_parse(reference, spec->arena, &ref, err) ||
	    !registry_read_image(spec->registry, &ref, &want, spec->arena, &container->image,
				 err) ||
	    !image_unpack(&container->image, spec->access, spec->store, spec->arena,
			  &container->base.layers, err))
		return false;
	container->base.form = unpack_form_here();
	container->working_dir = container->image.config.working_dir;
	if (!container->working_dir || container->working_dir[0] != '/')
		container->working_dir = "/";
	return make_upper(container, name, err);
}

const char *container_label(const struct container *container, const char *name,
			    const char *old_name, const char *variable)
{
	const struct image_config *config = &container->image.config;
	const char *value = pairs_get(&config->labels, name);

	if ((!value || !value[0]) && old_name)
		value = pairs_get(&config->labels, old_name);
	if ((!value || !value[0]) && variable)
		value = env_get(&config->env, variable);
	return value && value[0] ? value : NULL;
}

bool container_set_user(struct container *container, const char *text, struct err *err)
{
	struct arena *arena = container->spec->arena;
	char *passwd, *group;
	size_t ignored;

	if (!text || !text[0])
		text = container_label(container, "io.openshift.s2i.assemble-user", NULL, NULL);
	if (!text)
		text = container->image.config.user;
	container->user_text = text ? text : "";
	if (!rootfs_read(&container->base, "/etc/passwd", USER_FILE_BYTES, arena, &passwd, &ignored,
			 err) ||
	    !rootfs_read(&container->base, "/etc/group", USER_FILE_BYTES, arena, &group, &ignored,
			 err))
		return false;
	return user_resolve(container->user_text,
			    &(struct user_files){ .passwd = passwd, .group = group }, arena,
			    &container->user, err);
}

static void take_output(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	(void)is_stderr;
	build_log_take(ctx, bytes, n);
}

struct output {
	struct build_log log;
	const struct script_run *run;
};

static void take_apart(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	struct output *output = ctx;

	if (is_stderr)
		take_output(&output->log, true, bytes, n);
	else
		output->run->stdout_fn(output->run->stdout_ctx, false, bytes, n);
}

static struct strings env_of(const struct container *container, const struct script_run *run)
{
	static const struct pairs none = { 0 };
	struct arena *arena = container->spec->arena;
	const char *home = container->user.home;
	struct strings env =
		environment_join(run->env ? run->env : &none, &container->image.config.env, arena);

	if (!env_get(&env, "PATH"))
		vec_push(arena, &env, "PATH=" USUAL_PATH);
	if (!env_get(&env, "HOME"))
		env_set(arena, &env, "HOME", home ? home : "/");
	if (!env_get(&env, "SOURCE_DATE_EPOCH"))
		env_set(arena, &env, "SOURCE_DATE_EPOCH",
			arena_printf(arena, "%lld", (long long)s2i_created_s(container->spec)));
	return env;
}

/* The interpreter that "#!" names must be there: the kernel's "no such file" would seem to be the script's. */
static bool check_interpreter(const struct container *container, const char *path, char *line,
			      struct err *err)
{
	struct rootfs_entry entry;

	line += strspn(line, " \t");
	line[strcspn(line, " \t\r\n")] = '\0';
	if (!rootfs_find(&container->all, line, true, container->spec->arena, &entry, err))
		return false;
	return entry.host ||
	       err_set(err, ERR_INVALID, "script '%s' needs '%s', which the image does not have",
		       path, line);
}

/* Scripts without "#!" are the shell's, as where a shell starts them; a program needs none. */
static bool command_of(const struct container *container, const char *path, struct strings *argv,
		       struct err *err)
{
	struct arena *arena = container->spec->arena;
	struct rootfs_entry entry;
	char head[SCRIPT_HEAD + 1] = { 0 };
	AUTO_FD fd = -1;

	if (!rootfs_find(&container->all, path, true, arena, &entry, err))
		return false;
	if (!entry.host || !S_ISREG(entry.stat.st_mode))
		return err_set(err, ERR_INVALID, "there is no script '%s' in the image", path);
	if (!(entry.stat.st_mode & 0111))
		return err_set(err, ERR_INVALID, "script '%s' may not be executed", path);
	fd = open(entry.host, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || read(fd, head, SCRIPT_HEAD) < 0)
		return err_sys(err, errno, "cannot read script '%s'", path);
	if (memcmp(head, "#!", 2) == 0) {
		if (!check_interpreter(container, path, head + 2, err))
			return false;
	} else if (memcmp(head, "\177ELF", 4) != 0) {
		vec_push(arena, argv, "/bin/sh");
	}
	vec_push(arena, argv, path);
	return true;
}

static bool script_failed(const struct container *container, struct script_run *run,
			  struct err *err)
{
	const struct sandbox_limits *limits = &container->spec->limits;
	const struct sandbox_result *result = &run->result;

	run->has_failed = true;
	if (result->is_cancelled)
		return err_set(err, ERR_CANCELLED, "cancelled");
	if (result->is_timeout && limits->wall_ms == 0)
		return err_set(err, ERR_INVALID, "DeadlineExceeded: it was not done in time");
	if (result->is_timeout)
		return err_set(err, ERR_INVALID,
			       "DeadlineExceeded: it took longer than its limit of %lld s",
			       (long long)(limits->wall_ms / 1000));
	if (result->is_oom)
		return err_set(err, ERR_INVALID,
			       "OOMKilled: it needed more memory than its limit of %lld MiB allows",
			       (long long)(limits->memory_bytes >> 20));
	return err_set(err, ERR_INVALID, "'%s' failed (exit code %d)", run->path,
		       result->exit_code);
}

static void fill_sandbox(const struct container *container, const struct script_run *run,
			 struct sandbox_spec *out)
{
	const struct s2i_spec *spec = container->spec;

	*out = (struct sandbox_spec){
		.runtime = spec->runtime,
		.work_dir = spec->work_dir,
		.root = { .to = "/", .lowers = container->all.layers },
		.env = env_of(container, run),
		.cwd = container->working_dir,
		.uid = container->user.uid,
		.gid = container->user.gid,
		.groups = container->user.groups.v,
		.n_groups = container->user.groups.n,
		.network = spec->network,
		.limits = spec->limits,
		.is_rootless = container->is_rootless,
		.is_cancelled = spec->is_cancelled,
		.cancel_ctx = spec->ctx,
	};
	if (run->is_kept) {
		out->root.lowers = container->base.layers;
		out->root.upper_dir = container->upper_dir;
		out->binds = container->volumes.v;
		out->n_binds = container->volumes.n;
	}
	if (spec->deadline_ms) {
		int64_t left_ms = spec->deadline_ms - clock_mono_ms();

		/* What came before took it all: it is ended at once, and so reported. */
		out->limits.wall_ms = left_ms > 0 ? left_ms : 1;
	}
}

bool container_run(struct container *container, struct script_run *run, struct err *err)
{
	struct output output = { .run = run };
	struct sandbox_spec sandbox;
	const char *ignored;
	bool is_done;

	/* As an engine does it where the image has no such folder. */
	if (!container_make_dir(container, container->working_dir, &ignored, err))
		return false;
	fill_sandbox(container, run, &sandbox);
	if (!command_of(container, run->path, &sandbox.argv, err)) {
		run->has_failed = err->kind == ERR_INVALID;
		return false;
	}
	sandbox.output = run->stdout_fn ? take_apart : take_output;
	sandbox.output_ctx = &output; /* whose first member the log is */
	is_done = sandbox_run(&sandbox, &run->result, err);
	build_log_end(&output.log);
	if (!is_done) {
		/* It is there, so its interpreter is not: the image's fault. No runtime is this machine's. */
		run->has_failed = strncmp(err->text, "cannot start '", 14) == 0;
		if (run->has_failed)
			err->kind = ERR_INVALID;
		return false;
	}
	if (run->result.exit_code != 0 || run->result.is_timeout || run->result.is_cancelled)
		return script_failed(container, run, err);
	return true;
}
