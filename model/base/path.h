/* SPDX-License-Identifier: Apache-2.0 */
/* path.h — paths as texts: nothing is looked up in a file system, where a link may lead elsewhere (sys/open_inside.h). */
#ifndef MODEL_BASE_PATH_H
#define MODEL_BASE_PATH_H

#include <stdbool.h>

#include "model/base/arena.h"

/* path.Clean of Go: no ".", no empty parts, ".." taken back where it can be; "." for an empty one. */
const char *path_clean(const char *path, struct arena *arena);
/* Is one of its parts ".."? */
bool path_has_dotdot(const char *path);

#endif
