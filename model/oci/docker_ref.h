/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_ref.h — image references as OpenShift reads them, which is not quite as ref.h does: nothing is defaulted unless
 * asked for, a first part without '.', ':' and not "localhost" is a namespace, and "wildfly:15.0" is name and tag.
 * Spec: openshift library-go pkg/image/reference (openshift.md §2.2).
 */
#ifndef MODEL_OCI_DOCKER_REF_H
#define MODEL_OCI_DOCKER_REF_H

#include "model/base/arena.h"

/* "" where a part is not written; never NULL. */
struct docker_ref {
	const char *registry, *ns, *name, *tag, *id;
};

/* ERR_INVALID says what is wrong with the text. Parts live in the arena. */
MUST_CHECK bool docker_ref_parse(const char *text, struct arena *arena, struct docker_ref *out,
				 struct err *err);
/* docker.io, library (there only), latest (without tag and id). */
struct docker_ref docker_ref_defaults(struct docker_ref ref);
struct docker_ref docker_ref_minimal(struct docker_ref ref); /* drops the tag latest */
struct docker_ref
docker_ref_daemon_minimal(struct docker_ref ref); /* one name of the hub, no library, no latest */
struct docker_ref docker_ref_repository(struct docker_ref ref);    /* drops tag and id */
struct docker_ref docker_ref_most_specific(struct docker_ref ref); /* an id wins over a tag */
/* With defaults, and the hub's registry-1 host, for talking to it. */
struct docker_ref docker_ref_v2(struct docker_ref ref);
/* "registry/ns/name:tag@id", of the parts that are there. */
char *docker_ref_format(const struct docker_ref *ref, struct arena *arena);
/* "name:tag" or "name@id", "latest" by default. */
char *docker_ref_name_string(const struct docker_ref *ref, struct arena *arena);
/* After defaults. */
bool docker_ref_equal(struct docker_ref a, struct docker_ref b);

#endif
