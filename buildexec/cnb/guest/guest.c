/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c — options, buildpacks in the builder, the environment that both phases give to buildpacks. */
#include "buildexec/cnb/guest/guest.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "buildexec/cnb/guest/env_dir.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/platform_api.h"

enum { TEMP_DIRS_MAX = 10000 };

static const struct option {
	const char *flag, *variable, *deflt;
	size_t offset;
	bool is_in_layers; /* the default is a file of <layers> */
} options[] = {
	/* clang-format off */
	{ "app",          "CNB_APP_DIR",          "/workspace",        offsetof(struct guest, app),          false },
	{ "layers",       "CNB_LAYERS_DIR",       "/layers",           offsetof(struct guest, layers),       false },
	{ "platform",     "CNB_PLATFORM_DIR",     "/platform",         offsetof(struct guest, platform_dir), false },
	{ "buildpacks",   "CNB_BUILDPACKS_DIR",   "/cnb/buildpacks",   offsetof(struct guest, buildpacks),   false },
	{ "extensions",   "CNB_EXTENSIONS_DIR",   "/cnb/extensions",   offsetof(struct guest, extensions),   false },
	{ "build-config", "CNB_BUILD_CONFIG_DIR", "/cnb/build-config", offsetof(struct guest, build_config), false },
	{ "system",       "CNB_SYSTEM_PATH",      "/cnb/system.toml",  offsetof(struct guest, system),       false },
	{ "order",        "CNB_ORDER_PATH",       "order.toml",        offsetof(struct guest, order),        true  },
	{ "group",        "CNB_GROUP_PATH",       "group.toml",        offsetof(struct guest, group),        true  },
	{ "plan",         "CNB_PLAN_PATH",        "plan.toml",         offsetof(struct guest, plan),         true  },
	{ "generated",    "CNB_GENERATED_DIR",    "generated",         offsetof(struct guest, generated),    true  },
	{ "analyzed",     "CNB_ANALYZED_PATH",    "analyzed.toml",     offsetof(struct guest, analyzed),     true  },
	/* clang-format on */
};

static const char **slot(struct guest *guest, const struct option *option)
{
	return (const char **)(void *)((char *)guest + option->offset);
}

static const char *variable(const struct guest *guest, const char *name)
{
	size_t n = strlen(name);

	for (char *const *v = guest->environ; *v; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return "";
}

static bool fail_usage(struct guest *guest, struct err *err, const char *what, const char *arg)
{
	guest->exit_code = CNB_EXIT_ARGUMENTS;
	return err_set(err, ERR_INVALID, "parse arguments: %s '%s'", what, arg);
}

static bool set_level(struct guest *guest, const char *text, struct err *err)
{
	return say_level_parse(text, &guest->speaker.level) ||
	       fail_usage(guest, err, "no such log level", text);
}

/* One "-flag value", "-flag=value" or with two dashes, at *i. */
static bool parse_flag(struct guest *guest, int argc, char *const *argv, int *i, struct err *err)
{
	const char *arg = argv[*i], *name = arg + 1 + (arg[0] && arg[1] == '-');
	size_t n = strcspn(name, "=");
	const char *value = name[n] ? name + n + 1 : *i + 1 < argc ? argv[*i + 1] : NULL;

	if (arg[0] != '-' || n == 0)
		return fail_usage(guest, err, "unexpected argument", arg);
	if (n == 8 && strncmp(name, "no-color", n) == 0)
		return true;
	if (!value)
		return fail_usage(guest, err, "a value is missing behind", arg);
	*i += !name[n];
	if (n == 9 && strncmp(name, "log-level", n) == 0)
		return set_level(guest, value, err);
	for (size_t k = 0; k < COUNTOF(options); k++)
		if (strlen(options[k].flag) == n && strncmp(name, options[k].flag, n) == 0) {
			*slot(guest, &options[k]) = value;
			return true;
		}
	return fail_usage(guest, err, "unknown option", arg);
}

static void fill_defaults(struct guest *guest)
{
	for (size_t k = 0; k < COUNTOF(options); k++) {
		const char **value = slot(guest, &options[k]), *given;

		if (*value)
			continue;
		given = variable(guest, options[k].variable);
		if (*given)
			*value = given;
		else if (options[k].is_in_layers)
			*value = io_join(guest->arena, guest->layers, options[k].deflt);
		else
			*value = options[k].deflt;
	}
}

bool guest_options(struct guest *guest, int argc, char *const *argv, struct err *err)
{
	const char *platform = variable(guest, "CNB_PLATFORM_API");
	const char *level = variable(guest, "CNB_LOG_LEVEL");
	bool has_order;

	guest->exit_code = CNB_EXIT_PLATFORM_API;
	if (!*platform)
		return err_set(err, ERR_INVALID,
			       "get platform API version; please set 'CNB_PLATFORM_API'");
	if (!api_parse(platform, &guest->platform) || !api_is_platform(guest->platform))
		return err_set(err, ERR_INVALID,
			       "set platform API: platform API version '%s' is incompatible with "
			       "the lifecycle",
			       platform);
	guest->speaker.level = SAY_INFO;
	if (*level && !set_level(guest, level, err))
		return false;
	for (int i = 0; i < argc; i++)
		if (!parse_flag(guest, argc, argv, &i, err))
			return false;
	has_order = guest->order || *variable(guest, "CNB_ORDER_PATH");
	fill_defaults(guest);
	if (!has_order && !io_exists(guest->order))
		guest->order = "/cnb/order.toml";
	guest->exec_env = variable(guest, "CNB_EXEC_ENV");
	if (!*guest->exec_env)
		guest->exec_env = "production";
	return true;
}

const char *guest_buildpack_dir(struct guest *guest, const struct bp_element *element)
{
	return arena_printf(guest->arena, "%s/%s/%s",
			    element->is_extension ? guest->extensions : guest->buildpacks,
			    bp_folder(element->id, guest->arena), element->version);
}

bool guest_fail_api(struct guest *guest, const struct bp_element *element, struct err *err)
{
	guest->exit_code = CNB_EXIT_BUILDPACK_API;
	return err_set(err, ERR_INVALID,
		       "set API for Buildpack '%s@%s': buildpack API version '%s' is incompatible "
		       "with the lifecycle",
		       element->id, element->version, element->api ? element->api : "");
}

bool guest_find(struct guest *guest, const struct bp_element *element,
		const struct bp_descriptor **out, struct err *err)
{
	const char *key = arena_printf(guest->arena, "%s@%s", element->id, element->version);
	const char *dir = guest_buildpack_dir(guest, element);
	const char *kind = element->is_extension ? "extension" : "buildpack";
	struct bp_descriptor *descriptor = map_get(&guest->descriptors, dir);
	struct bp_element named = *element;
	struct node *tree;

	*out = descriptor;
	if (descriptor)
		return true;
	if (!bp_is_safe(element))
		return err_set(err, ERR_INVALID, "%s '%s' cannot name a folder", kind, key);
	descriptor = ARENA_NEW(guest->arena, struct bp_descriptor);
	if (!io_read_toml(io_join(guest->arena, dir, arena_printf(guest->arena, "%s.toml", kind)),
			  guest->arena, &tree, err) ||
	    !descriptor_decode(tree, io_exists(io_join(guest->arena, dir, "bin/build")),
			       guest->arena, descriptor, err))
		return err_prefix(err, "%s '%s'", kind, key);
	descriptor->dir = dir;
	descriptor->element.is_extension = element->is_extension;
	named.api = descriptor->element.api;
	if (!descriptor->is_api_known)
		return guest_fail_api(guest, &named, err);
	map_set(guest->arena, &guest->descriptors, dir, descriptor);
	*out = descriptor;
	return true;
}

/* The names that image configs use. */
static const char *machine(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },    { "aarch64", "arm64" },   { "armv7l", "arm" },
		{ "i686", "386" },        { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
		{ "riscv64", "riscv64" },
	};
	struct utsname uts;

	if (uname(&uts) == 0)
		for (size_t i = 0; i < COUNTOF(names); i++)
			if (strcmp(uts.machine, names[i][0]) == 0)
				return names[i][1];
	return "amd64";
}

bool guest_read_target(struct guest *guest, struct err *err)
{
	struct node *analyzed;
	struct err ignored = { 0 };
	char *os_release;
	size_t len;
	bool is_there;

	if (!io_read_toml_if_any(guest->analyzed, guest->arena, &analyzed, &is_there, err) ||
	    !target_decode(analyzed, guest->arena, &guest->target, err))
		return err_prefix(err, "read analyzed file");
	if (!is_there)
		say(&guest->speaker, SAY_WARN, "No analyzed metadata found at path '%s'",
		    guest->analyzed);
	/* Nothing names the distribution when the file is not there. */
	if (!io_read("/etc/os-release", 1u << 20, guest->arena, &os_release, &len, &ignored))
		os_release = NULL;
	target_complete(&guest->target, os_release, machine(), guest->arena);
	return true;
}

static void set_if_any(struct env *env, const char *name, const char *value)
{
	if (value && *value)
		vars_set(env, name, value);
}

static void add_target(struct env *env, const struct bp_target *target)
{
	vars_set(env, "CNB_TARGET_OS", target->os ? target->os : "");
	vars_set(env, "CNB_TARGET_ARCH", target->arch ? target->arch : "");
	set_if_any(env, "CNB_TARGET_ARCH_VARIANT", target->variant);
	if (target->n_distros) {
		set_if_any(env, "CNB_TARGET_DISTRO_NAME", target->distros[0].name);
		set_if_any(env, "CNB_TARGET_DISTRO_VERSION", target->distros[0].version);
	}
}

bool guest_env(struct guest *guest, const struct env *base, const struct bp_descriptor *descriptor,
	       struct env *out, struct err *err)
{
	*out = env_copy(base, guest->arena);
	if (!descriptor->is_clear_env &&
	    !env_dir_apply_user(out, io_join(guest->arena, guest->platform_dir, "env"), err))
		return false;
	if (!env_dir_apply(out, io_join(guest->arena, guest->build_config, "env"), ENV_SET_IF_EMPTY,
			   err))
		return false;
	if (api_at_least(descriptor->api, 8))
		vars_set(out, "CNB_PLATFORM_DIR", guest->platform_dir);
	if (api_at_least(descriptor->api, 10))
		add_target(out, &guest->target);
	if (api_at_least(descriptor->api, 12))
		set_if_any(out, "CNB_EXEC_ENV", guest->exec_env);
	return true;
}

bool guest_temp_dir(struct guest *guest, const char *prefix, char **out, struct err *err)
{
	const char *base = variable(guest, "TMPDIR");

	/* Counted, not random: buildpacks are told these names, and what they write must not depend on chance. */
	for (int n = 0; n < TEMP_DIRS_MAX; n++) {
		*out = arena_printf(guest->arena, "%s/%s%d", *base ? base : "/tmp", prefix, n);
		if (mkdir(*out, 0700) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	return err_sys(err, errno, "cannot make a temporary folder like '%s'", *out);
}
