/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.h — image references as values.
 * Grammar: distribution/reference ([domain/]path[:tag][@digest]); a first part without '.', ':' and not "localhost" is no
 * domain; the default domain is index.docker.io, a one-part path there gets "library/".
 * Spec: distribution/distribution reference/reference.go; go-containerregistry name (what kpack shows).
 */
#ifndef MODEL_OCI_REF_H
#define MODEL_OCI_REF_H

#include "model/base/arena.h"

struct ref {
	const char *registry; /* host[:port], "index.docker.io" by default     */
	const char *repo;     /* path below it, "library/x" expanded           */
	const char *tag;      /* "latest" by default; NULL when only a digest  */
	const char *digest;   /* "sha256:…" or NULL                            */
	bool has_tag;         /* written, not defaulted                        */
};

/* ERR_INVALID says which part is wrong. Texts live in the arena. At most 255 bytes of repository. */
MUST_CHECK bool ref_parse(const char *text, struct arena *arena, struct ref *out, struct err *err);
/* registry/repo[:tag][@digest], registry always written. */
char *ref_format(const struct ref *ref, struct arena *arena);
/* registry/repo */
char *ref_name(const struct ref *ref, struct arena *arena);
/* registry/repo@digest */
char *ref_pinned(const struct ref *ref, const char *digest, struct arena *arena);
/* Digest if there is one, else the tag: what kpack calls the identifier. */
const char *ref_identifier(const struct ref *ref);
bool ref_tag_is_valid(const char *tag);

#endif
