/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_report.h — build configs and their builds as oc describes them: field order, wording, alignment (openshift.md §5.5;
 * openshift/oc pkg/helpers/describe). Of manifest and record alone. There are no pods here, and webhooks are served by CI:
 * both are said to be none. Pure but for the cleaning of foreign text.
 */
#ifndef RECONCILE_REPORT_BUILD_REPORT_H
#define RECONCILE_REPORT_BUILD_REPORT_H

#include "model/kind/build_config_status.h"
#include "reconcile/report/describe.h"

struct described_build {
	const struct bc_build *build;
	int64_t now_s;
	bool is_bold;    /* the phase, for a terminal */
	bool is_verbose; /* also what made it: key, run, engine, base images */
};
/* `oc describe build NAME` */
void build_describe(const struct described_build *view, struct arena *arena, struct buf *out);

struct described_config {
	const char *ns, *name;
	const struct meta *meta;              /* of the manifest; NULL: it is not at hand */
	const struct build_config_spec *spec; /* of the manifest; NULL */
	/* of the manifest, else of the newest build; NULL: neither is known */
	const struct build_common *common;
	const struct build_config_status *status; /* NULL: nothing is recorded */
	int64_t now_s;
};
/* `oc describe bc/NAME` */
void build_config_describe(const struct described_config *view, struct arena *arena,
			   struct buf *out);

/* Strategy, source, output and hook: what both have in common. */
void build_common_describe(struct describe *to, const struct build_common *common);
/* "Commit: 4e5f6a7 (words)", author and committer; nothing for NULL. */
void build_revision_describe(struct describe *to, const struct source_revision *revision);

#endif
