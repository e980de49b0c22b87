/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard_streams.h — the part of the dashboard about image streams: every tag while they are few, else those whose import failed. */
#ifndef RECONCILE_REPORT_DASHBOARD_STREAMS_H
#define RECONCILE_REPORT_DASHBOARD_STREAMS_H

#include "model/kind/settings.h"
#include "model/kind/status.h"
#include "model/kind/stream.h"

/* Nothing where there are no streams. `settings` NULL: the defaults. */
void dashboard_streams(const struct settings *settings, const struct state *state, struct buf *out);
/* No tag of it has failed to import. */
bool stream_imports(const struct stream_status *status);

/* Of dashboard.c: foreign text as a cell, without markup; a reference as code. */
void dashboard_cell(const char *text, struct buf *out);
void dashboard_code(const char *text, struct buf *out);

#endif
