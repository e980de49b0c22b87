/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.h — the field table of metadata, shared by manifests, state files and schemas. Its
 * struct is struct meta. */
#ifndef MODEL_KIND_METADATA_H
#define MODEL_KIND_METADATA_H

#include "model/kind/kind.h"

extern const struct table metadata_table;

#endif
