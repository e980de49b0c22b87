/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h — from a reference to where its repository is, by the rules of the settings. Decides only; opens nothing.
 * Spec: containers-registries.conf(5) "prefix", "location", "mirror" for the meaning of the rules.
 */
#ifndef BUILDEXEC_REGISTRY_PLACE_H
#define BUILDEXEC_REGISTRY_PLACE_H

#include "buildexec/registry/registry.h"

struct place {
	const struct registry_rule *rule; /* NULL: none fits */
	const char *layout;      /* folder of this repository's OCI layout; NULL: over HTTP */
	const char *host, *repo; /* as the server knows them                                */
	const char *shown;       /* "registry/repo" as people wrote it                      */
	bool is_insecure;        /* plain HTTP and unknown certificates will do             */
};
struct places {
	struct place *v;
	size_t n, cap;
};

/* Where to write, and to read last. ERR_DENIED: blocked. ERR_INVALID: the rule makes no valid name. */
MUST_CHECK bool place_find(const struct registry_rules *rules, const struct ref *ref,
			   struct arena *arena, struct place *out, struct err *err);
/* Where to read, in order: the mirrors, then the place itself. */
MUST_CHECK bool place_find_readable(const struct registry_rules *rules, const struct ref *ref,
				    struct arena *arena, struct places *out, struct err *err);
/* "localhost", 127.0.0.0/8 and [::1], with or without a port: spoken to without TLS where TLS fails, as Docker does. */
bool host_is_local(const char *host);
/* Both below the same registered domain ("auth.docker.io", "registry-1.docker.io"), or the very same host. */
bool host_is_related(const char *a, const char *b);

#endif
