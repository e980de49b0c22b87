/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h — Secret, ServiceAccount and ConfigMap as inputs. Secret values: `data` (base64,
 * decoded here), `stringData`, and, ours, `reconcile.dev/from-env` and `reconcile.dev/from-file`
 * annotations ("KEY=NAME,…") that name where a value comes from at run time, so that no value
 * needs to stand in git. Values never reach state.
 */
#ifndef MODEL_KIND_SECRET_H
#define MODEL_KIND_SECRET_H

#include "model/kind/image.h"

#define SECRET_DOCKER_CONFIG_JSON "kubernetes.io/dockerconfigjson"
#define SECRET_DOCKER_CFG         "kubernetes.io/dockercfg"
#define SECRET_BASIC_AUTH         "kubernetes.io/basic-auth"
#define SECRET_SSH_AUTH           "kubernetes.io/ssh-auth"
#define ANNOTATION_FROM_ENV       "reconcile.dev/from-env"
#define ANNOTATION_FROM_FILE      "reconcile.dev/from-file"

struct secret_value {
	const char *key;
	const char *bytes; /* NUL-terminated behind len */
	size_t len;
	/* Set by the program: as a login it goes to these alone (server_is_among); NULL: wherever the manifests say */
	const struct strings *servers;
};
struct secret_spec {
	const char *type;   /* "Opaque" */
	struct list values; /* struct secret_value: data decoded, then stringData, which wins */
	const struct node *data, *string_data; /* as written */
	/* Set by the program, not read from a manifest: */
	const char *hash;    /* keyed hash of the values, "<key id>:<64 hex>"; NULL: no key */
	const char *problem; /* why a value could not be had; NULL: all are there */
	bool is_partial;     /* values from outside were not asked for (offline) */
};
struct service_account_spec {
	struct strings secrets;            /* names */
	struct strings image_pull_secrets; /* names */
	/* struct object_ref: the same with their places */
	struct list secret_refs, image_pull_refs;
};
struct config_map_spec {
	struct pairs data, binary_data; /* binary_data in base64, checked */
};
extern const struct table secret_table, service_account_table, config_map_table;

/*
 * By the service binding specification these keys say what a binding is: their values are words that logs are full of, and
 * are not hidden there.
 */
bool secret_key_is_public(const char *key);
const struct secret_value *secret_get(const struct secret_spec *secret, const char *key);

/* One "KEY=NAME" of the annotations above. */
struct secret_source {
	const char *key;
	const char *from; /* NULL: no '=' was written */
};
/* Takes the next one off *rest; false at the end. */
bool secret_source_next(const char **rest, struct arena *arena, struct secret_source *out);

#endif
