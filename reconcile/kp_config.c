/* SPDX-License-Identifier: Apache-2.0 */
/* kp_config.c — reads and edits the ConfigMap kp-config. */
#include "reconcile/kp_config.h"

#include "model/oci/ref.h"

static const struct manifest_id config_id = { KIND_CONFIG_MAP, "kpack", "kp-config" };

static const char *value_of(const struct node *data, const char *key, const char *old_key)
{
	const char *value = node_text(data, key);

	if (!value || !*value)
		value = node_text(data, old_key);
	return value && *value ? value : NULL;
}

bool kp_config_read(struct manifests *all, struct kp_config *out, struct err *err)
{
	const struct node *data;
	const char *account, *ns;

	*out = (struct kp_config){ .account = "default", .account_ns = "kpack" };
	if (!manifest_find(all, &config_id, &out->manifest, &out->is_there, err))
		return false;
	if (!out->is_there)
		return true;
	data = node_get(manifest_node(&out->manifest), "data");
	out->repository = value_of(data, KP_REPOSITORY, "canonical.repository");
	account = value_of(data, KP_ACCOUNT, "canonical.repository.serviceaccount");
	ns = value_of(data, KP_ACCOUNT_NS, "canonical.repository.serviceaccount.namespace");
	if (account)
		out->account = account;
	if (ns)
		out->account_ns = ns;
	if (out->repository && !kp_repository_check(out->repository, all->context->arena, err))
		return err_prefix(err, "%s", manifest_where(&out->manifest));
	return true;
}

bool kp_config_set(struct manifests *all, struct kp_config *config, const char *key,
		   const char *value, struct err *err)
{
	struct edit_path at;

	if (!config->is_there && !manifest_new(all, &config_id, true, &config->manifest, err))
		return false;
	config->is_there = true;
	at = edit_key(&config->manifest.at, "data");
	at = edit_key(&at, key);
	return edit_set(&config->manifest.file->edit, &at, node_string(all->context->arena, value),
			err);
}

bool kp_repository_check(const char *text, struct arena *arena, struct err *err)
{
	struct ref ref;

	if (!ref_parse(text, arena, &ref, err))
		return err_prefix(err, "default repository '%s'", text);
	if (ref.has_tag || ref.digest)
		return err_set(err, ERR_INVALID,
			       "default repository '%s': a repository, without tag or digest",
			       text);
	return true;
}
