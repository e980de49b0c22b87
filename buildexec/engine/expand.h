/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand.h — variables in a word of a Dockerfile: $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word}, ${NAME+word},
 * quotes taken away, the escape character obeyed. Pure. Spec: Dockerfile reference, "Environment replacement".
 */
#ifndef BUILDEXEC_ENGINE_EXPAND_H
#define BUILDEXEC_ENGINE_EXPAND_H

#include "model/base/buf.h"
#include "model/doc/field.h"

enum { DOCKER_WORD_MAX_BYTES = 64 << 10 };

/*
 * NULL: it has a variable without value in `values`, another kind of replacement, no end, or is longer than
 * DOCKER_WORD_MAX_BYTES; what it means is then not known. A pair's value may be NULL: declared and empty.
 */
const char *docker_expand(const char *word, char escape, const struct pairs *values,
			  struct arena *arena);
/* Gives the name this value, in place of the one that it has. */
void docker_set(struct pairs *values, const char *name, const char *value, struct arena *arena);

#endif
