/* SPDX-License-Identifier: Apache-2.0 */
/* bom_report.h — a bill of materials for people and for programs. */
#ifndef RECONCILE_BOM_REPORT_H
#define RECONCILE_BOM_REPORT_H

#include "buildexec/cnb/bom.h"
#include "model/base/buf.h"

/* The table of components; a line that says so when there are none. */
void bom_text(const struct bom *bom, struct arena *arena, struct buf *out);
/* {formatVersion, image, components, files}: each file as it is in the image. The trees of `bom` are shared. */
struct node *bom_node(const struct bom *bom, const char *image, struct arena *arena);

#endif
