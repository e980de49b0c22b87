/* SPDX-License-Identifier: Apache-2.0 */
/* command_registry.c — see command_registry.h. */
#include "reconcile/command_registry.h"

#include "model/kind/settings.h"

bool command_registry_open(struct context *context, const char *ns, const char *account,
			   struct command_registry *out, struct err *err)
{
	*out = (struct command_registry){ 0 };
	credentials_collect(&context->loaded.model, ns, account, context->arena, &out->credentials);
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
