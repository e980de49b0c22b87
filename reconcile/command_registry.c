/* SPDX-License-Identifier: Apache-2.0 */
/* command_registry.c — see command_registry.h. */
#include "reconcile/command_registry.h"

#include "buildexec/sys/proc.h"
#include "model/kind/settings.h"

enum { LOGINS = 100 };

typedef VEC(struct request_credential) logins_vec;

static void add_login(const char *suffix, struct arena *arena, logins_vec *out)
{
	const char *host = proc_getenv(arena_printf(arena, "KP_REGISTRY_HOSTNAME%s", suffix));
	const char *user = proc_getenv(arena_printf(arena, "KP_REGISTRY_USERNAME%s", suffix));
	const char *password = proc_getenv(arena_printf(arena, "KP_REGISTRY_PASSWORD%s", suffix));

	if (host && *host && user && password)
		vec_push(arena, out,
			 (struct request_credential){
				 .server = host, .user = user, .password = password });
}

/* Before what the service account brings: who sets them means this command. */
static struct list read_logins(struct arena *arena, const struct list *account)
{
	logins_vec logins = { 0 };

	add_login("", arena, &logins);
	for (unsigned i = 0; i < LOGINS; i++)
		add_login(arena_printf(arena, "_%u", i), arena, &logins);
	for (size_t i = 0; i < account->n; i++)
		vec_push(arena, &logins, *LIST_AT(*account, struct request_credential, i));
	return (struct list){ logins.v, logins.n };
}

bool command_registry_open(struct context *context, const char *ns, const char *account,
			   struct command_registry *out, struct err *err)
{
	*out = (struct command_registry){ 0 };
	if (context_load(context) != EXIT_DONE)
		return err_set(err, ERR_INVALID,
			       "registries are asked by the settings among the manifests, and the "
			       "manifests have mistakes");
	if (ns)
		credentials_collect(&context->loaded.model, ns, account, context->arena,
				    &out->credentials);
	out->credentials.registry = read_logins(context->arena, &out->credentials.registry);
	out->access = (struct access){ .registries = &context->settings->registries,
				       .credentials = &out->credentials.registry,
				       .git_hosts = &context->settings->git,
				       .git_credentials = &out->credentials.git,
				       .blob_credentials = &out->credentials.blob,
				       .base_dir = context->settings_dir,
				       .with_user_credentials = true,
				       .with_helpers = context->settings->allow_helpers };
	return access_registries(&out->access, context->arena, &out->registries, err) &&
	       registry_open(&out->registries.rules, out->registries.keychain, &out->registry, err);
}

void command_registry_release(struct command_registry *registry)
{
	if (registry->registry)
		registry_close(&registry->registry);
	if (registry->registries.keychain)
		registry_access_release(&registry->registries);
}
