/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_env.h — the variables of an OpenShift build: $(NAME) in values, values from elsewhere, and lists over lists. Pure.
 * Spec: Kubernetes variable expansion; openshift.md §3.4 "env merge", §3.6 UnresolvableEnvironmentVariable.
 */
#ifndef MODEL_KIND_BUILD_ENV_H
#define MODEL_KIND_BUILD_ENV_H

#include "model/kind/image.h"

/*
 * $(NAME) becomes the value of the last variable of that name, and stays as written where there is none; $$ becomes $, so
 * that $$(NAME) is shown as $(NAME). Values are not expanded again.
 *   vars  struct env_var; values NULL count as ""
 */
char *env_expand(const char *text, const struct list *vars, struct arena *arena);

/* The value behind a valueFrom: NULL and ERR_ABSENT, or another error, where it cannot be had. */
typedef bool (*env_lookup_fn)(void *context, const struct node *value_from, const char **value,
			      struct err *err);
/*
 * All variables with plain values, in order: each sees those before it. A value wins over valueFrom. Fails with the first
 * variable that cannot be had, by name: the build's reason is UnresolvableEnvironmentVariable then.
 */
MUST_CHECK bool env_resolve(const struct list *vars, env_lookup_fn lookup, void *context,
			    struct arena *arena, struct list *out, struct err *err);

/* `over` wins by name and comes last, as variables of a build request do. */
struct list env_merge(const struct list *base, const struct list *over, struct arena *arena);
/* `over` wins by name in the place where `base` has it; new names come last (build arguments). */
struct list env_override(const struct list *base, const struct list *over, struct arena *arena);

#endif
