/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitmodules.h — the file .gitmodules as a list, and where a submodule's relative URL leads. Pure; the text is foreign.
 * Spec: gitmodules(5); git-config(1) "Syntax".
 */
#ifndef BUILDEXEC_SOURCE_GITMODULES_H
#define BUILDEXEC_SOURCE_GITMODULES_H

#include "model/base/vec.h"

struct gitmodule {
	const char *name, *path, *url; /* path and url NULL when not written */
};
struct gitmodules {
	VEC(struct gitmodule) list;
};

/* Sections of other kinds are passed over. ERR_INVALID names the line. */
MUST_CHECK bool gitmodules_parse(const char *text, size_t n, struct arena *arena,
				 struct gitmodules *out, struct err *err);
/* By path; NULL when there is none. */
const struct gitmodule *gitmodules_find(const struct gitmodules *modules, const char *path);
/* "./x" and "../x" as seen from the parent's URL; other URLs as they are. ERR_INVALID when it leads above the root. */
MUST_CHECK bool gitmodules_url(const char *parent, const char *url, struct arena *arena,
			       const char **out, struct err *err);

#endif
