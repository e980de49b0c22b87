/* SPDX-License-Identifier: Apache-2.0 */
/* image_filter.h — kp's `image list --filter`: builder=, clusterbuilder=, latest-reason=, ready= (kpack.md §5.4). */
#ifndef RECONCILE_IMAGE_FILTER_H
#define RECONCILE_IMAGE_FILTER_H

#include "model/base/vec.h"
#include "model/kind/status.h"

/* ERR_INVALID: `invalid filter argument "x"`. */
MUST_CHECK bool image_filters_check(const struct strings *filters, struct err *err);
/* Every filter holds; of the values of one, separated by commas, one is enough. */
bool image_filters_match(const struct strings *filters, const struct image_status *status);

#endif
