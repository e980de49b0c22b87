/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard_configs.h — the part of the dashboard about build configs: all while they are few, else those that are not ready. */
#ifndef RECONCILE_REPORT_DASHBOARD_CONFIGS_H
#define RECONCILE_REPORT_DASHBOARD_CONFIGS_H

#include "model/base/buf.h"
#include "model/kind/build_config_status.h"

/* Nothing where there are no build configs. */
void dashboard_configs(const struct state *state, struct buf *out);
/* As its condition says; without one, its newest build is complete. */
bool config_is_ready(const struct build_config_status *status);

#endif
