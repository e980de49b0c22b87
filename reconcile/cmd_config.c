/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c — `config default-repository` and `config default-service-account` (kpack.md §5.7). */
#include "model/kind/check.h"
#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/kp_config.h"

struct setting {
	const char *key, *value;
};

static int set_all(struct manifests *all, struct kp_config *config, const struct setting *settings,
		   size_t n)
{
	const struct declared *const shown[] = { &config->manifest };
	const struct edit_result result = {
		.all = all, .shown = shown, .n_shown = 1, .what = "kp-config set"
	};
	struct err err = { 0 };

	for (size_t i = 0; i < n; i++)
		if (!kp_config_set(all, config, settings[i].key, settings[i].value, &err))
			return context_fail(&err, EXIT_ERROR);
	return edit_finish(&result);
}

int cmd_config_repository(struct context *context)
{
	const struct strings *args = &context->options.args;
	struct manifests all;
	struct kp_config config;
	struct err err = { 0 };

	if (args->n && !kp_repository_check(args->v[0], context->arena, &err))
		return context_fail(&err, EXIT_USAGE);
	if (!manifests_open(context, &all, &err) || !kp_config_read(&all, &config, &err))
		return context_fail(&err, EXIT_ERROR);
	if (args->n) {
		const struct setting settings[] = { { KP_REPOSITORY, args->v[0] },
						    { KP_ACCOUNT, config.account },
						    { KP_ACCOUNT_NS, config.account_ns } };

		return set_all(&all, &config, settings, config.is_there ? 1 : COUNTOF(settings));
	}
	if (!config.repository) {
		log_line(LOG_ERROR, "no default repository is set; use 'reconcile config "
				    "default-repository REPOSITORY'");
		return EXIT_ERROR;
	}
	buf_printf(&context->out, "%s\n", config.repository);
	return EXIT_DONE;
}

int cmd_config_account(struct context *context)
{
	const struct options *options = &context->options;
	struct manifests all;
	struct kp_config config;
	struct err err = { 0 };

	if (!options->args.n && options->object.account_ns) {
		err_set(&err, ERR_INVALID, "--service-account-namespace goes with a NAME");
		return context_fail(&err, EXIT_USAGE);
	}
	if (options->args.n && !check_name_is_valid(options->args.v[0])) {
		err_set(&err, ERR_INVALID, "'%s' cannot be the name of a service account",
			options->args.v[0]);
		return context_fail(&err, EXIT_USAGE);
	}
	if (!manifests_open(context, &all, &err) || !kp_config_read(&all, &config, &err))
		return context_fail(&err, EXIT_ERROR);
	if (options->args.n) {
		const struct setting settings[] = {
			{ KP_ACCOUNT, options->args.v[0] },
			{ KP_ACCOUNT_NS,
			  options->object.account_ns ? options->object.account_ns : "kpack" },
		};

		return set_all(&all, &config, settings, COUNTOF(settings));
	}
	buf_printf(&context->out, "Name: %s\nNamespace: %s\n", config.account, config.account_ns);
	return EXIT_DONE;
}
