/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h — what this run loads, as origins are recorded: the repository by one name for all its clones and ways to reach it,
 * the folder below the top of its work tree. Outside git the repository is the folder itself, on this machine.
 */
#ifndef RECONCILE_SCOPE_H
#define RECONCILE_SCOPE_H

#include "reconcile/context.h"

/*
 * From what was loaded and where state was found. Looks into the rest of the work tree only where what is recorded asks for
 * it: an object that was declared elsewhere, or whose manifest is gone from here.
 */
void scope_make(struct context *context, struct scope *out);

#endif
