/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h — folders of manifests: N images in up to 100 namespaces, one file each
 * of about 900 bytes, as a team that uses kpack would write them, with the builders, stacks and accounts they refer to; and their statuses.
 * The same N gives the same bytes everywhere.
 */
#ifndef TESTS_BENCH_FIXTURE_H
#define TESTS_BENCH_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

enum { FIXTURE_NAMESPACES = 100 };

struct fixture {
	size_t n_images;
	const char *git_base; /* in front of "repo-07.git"; NULL: a server of that name */
	size_t n_repos;       /* 0: one for each image */
};

const char *fixture_namespace(size_t i, struct arena *arena);
const char *fixture_image(size_t i, struct arena *arena);
/* <folder>/<namespace>/<image>.yaml and <folder>/base.yaml */
MUST_CHECK bool fixture_write(const struct fixture *fixture, const char *folder, struct err *err);
/* The status of image i after `round` builds, as status_encode prints it: 1 to 2 KB of YAML. */
const char *fixture_status(size_t i, int64_t round, struct arena *arena);
const char *fixture_status_path(size_t i, struct arena *arena);

#endif
