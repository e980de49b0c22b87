/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bindings.c — what a build is given besides source and environment: Secrets by name, and the legacy pairs of a ConfigMap and
 * a Secret. Decides only whether they may be given, and whether what they hold is what the last build was given; a service
 * account's own secrets are credentials of the platform and never a build's (kpack.md §4.4).
 */
#include <string.h>

#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/kind/secret.h"
#include "reconcile/plan/rules_image.h"

/* Listed by any service account of the namespace, not only by the image's. */
static bool is_forbidden(const struct model *model, const char *ns, const char *secret)
{
	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];
		const struct service_account_spec *account = object->spec;

		if (object->kind == KIND_SERVICE_ACCOUNT && text_equal(object->meta.ns, ns) &&
		    strings_has(&account->secrets, secret))
			return true;
	}
	return false;
}

/* `what` is "service" or "binding"; `name` as the build sees it. */
static const char *secret_problem(const struct planner *p, const struct object *image,
				  const char *what, const char *name, const char *secret)
{
	const struct object *object = model_find(p->model, KIND_SECRET, image->meta.ns, secret);
	const struct secret_spec *spec = object ? object->spec : NULL;

	if (is_forbidden(p->model, image->meta.ns, secret))
		return arena_printf(p->arena,
				    "build rejected: %s \"%s\" uses forbidden secret \"%s\"", what,
				    name, secret);
	if (spec && spec->problem)
		return arena_printf(p->arena, "build rejected: %s \"%s\": %s", what, name,
				    spec->problem);
	return NULL;
}

const char *bindings_problem(const struct planner *p, const struct object *object)
{
	const struct image_build *build = &((const struct image_spec *)object->spec)->build;
	const char *why = NULL;

	for (size_t i = 0; i < build->services.n && !why; i++) {
		const struct object_ref *ref = LIST_AT(build->services, struct object_ref, i);

		if (!text_equal(ref->kind, "Secret"))
			why = arena_printf(
				p->arena,
				"build rejected: service \"%s\" is a %s; only services of "
				"kind Secret can be bound without a cluster",
				ref->name, ref->kind);
		else
			why = secret_problem(p, object, "service", ref->name, ref->name);
	}
	for (size_t i = 0; i < build->bindings.n && !why; i++) {
		const struct binding *b = LIST_AT(build->bindings, struct binding, i);

		if (b->secret_name)
			why = secret_problem(p, object, "binding", b->name, b->secret_name);
	}
	return why;
}

/* What all bindings hold, as one digest; the key id is the one that all secrets share. */
struct contents {
	struct sha256 sha;
	const char *key_id;
	size_t key_len;
	bool is_unknown; /* a secret was not hashed */
};

static void add_text(struct contents *contents, const char *text)
{
	/* With its end, so that "ab", "c" and "a", "bc" differ. */
	sha256_update(&contents->sha, text ? text : "", (text ? strlen(text) : 0) + 1);
}

static void add_secret(struct contents *contents, const struct planner *p, const char *ns,
		       const char *name)
{
	const struct object *object = model_find(p->model, KIND_SECRET, ns, name);
	const char *hash = object ? ((const struct secret_spec *)object->spec)->hash : NULL;
	const char *colon = hash ? strchr(hash, ':') : NULL;

	if (!colon) {
		contents->is_unknown = true;
		return;
	}
	contents->key_id = hash;
	contents->key_len = (size_t)(colon - hash);
	add_text(contents, colon + 1);
}

static void add_config_map(struct contents *contents, const struct planner *p, const char *ns,
			   const char *name)
{
	const struct object *object = model_find(p->model, KIND_CONFIG_MAP, ns, name);
	const struct config_map_spec *spec = object ? object->spec : NULL;

	for (size_t i = 0; spec && i < spec->data.n; i++) {
		add_text(contents, spec->data.v[i].key);
		add_text(contents, spec->data.v[i].value);
	}
	add_text(contents, NULL);
	for (size_t i = 0; spec && i < spec->binary_data.n; i++) {
		add_text(contents, spec->binary_data.v[i].key);
		add_text(contents, spec->binary_data.v[i].value);
	}
	add_text(contents, NULL);
}

const char *bindings_contents(const struct planner *p, const struct object *object)
{
	const struct image_build *build = &((const struct image_spec *)object->spec)->build;
	struct contents contents = { .key_id = "none", .key_len = 4 };
	struct digest digest;

	if (build->services.n + build->bindings.n == 0)
		return NULL;
	sha256_init(&contents.sha);
	for (size_t i = 0; i < build->services.n; i++)
		add_secret(&contents, p, object->meta.ns,
			   LIST_AT(build->services, struct object_ref, i)->name);
	for (size_t i = 0; i < build->bindings.n; i++) {
		const struct binding *b = LIST_AT(build->bindings, struct binding, i);

		add_config_map(&contents, p, object->meta.ns, b->metadata_name);
		if (b->secret_name)
			add_secret(&contents, p, object->meta.ns, b->secret_name);
	}
	if (contents.is_unknown)
		return NULL;
	digest = sha256_final(&contents.sha);
	return arena_printf(p->arena, "%.*s:%s", (int)contents.key_len, contents.key_id,
			    digest_hex(digest.text));
}
