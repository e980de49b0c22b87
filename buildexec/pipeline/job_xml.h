/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_xml.h — a pipeline job as Jenkins keeps it (config.xml), made from a build config. Pure. Written only: of a job's
 * config that a server sends, two marks are looked for and nothing is parsed.
 * Spec: config.xml of the plugins workflow-job, workflow-cps (CpsFlowDefinition, CpsScmFlowDefinition), git and folder.
 */
#ifndef BUILDEXEC_PIPELINE_JOB_XML_H
#define BUILDEXEC_PIPELINE_JOB_XML_H

#include "model/base/buf.h"
#include "model/kind/bc_request.h"

/* Text of an element: markup, controls and line ends as references; what XML cannot hold becomes U+FFFD. */
void xml_text(const char *text, struct buf *out);

/* The parameters of a job that are secret: their values come out of secrets. */
bool job_is_hidden(const struct bc_request *config, const char *value);
/* Is the i-th variable of the strategy a parameter? Of one name the last is, and our own names are ours. */
bool job_takes(const struct bc_request *config, size_t i);
/*
 * The job's config. Its description ends with job_mark(): who it belongs to, and the digest of all the rest but
 * `credentials`, the id of Jenkins' own credentials for git; NULL: none. ERR_INVALID when there is nothing to run.
 */
MUST_CHECK bool job_config(const struct bc_request *config, const char *credentials,
			   struct arena *arena, const char **out, struct err *err);
/* "reconcile BuildConfig shop/cart sha256:…" */
MUST_CHECK bool job_mark(const struct bc_request *config, struct arena *arena, const char **out,
			 struct err *err);
/* config.xml of a folder. */
const char *folder_config(struct arena *arena);

enum job_state {
	JOB_FOREIGN, /* not made for this build config */
	JOB_CHANGED, /* made for it, with other contents, or without parameters that it had: a Jenkinsfile may set others */
	JOB_CURRENT,
};
enum job_state job_state(const char *config_xml, const struct bc_request *config, const char *mark);
/* The id of credentials that a person chose in the job; NULL: none, or none that can be kept. */
const char *job_credentials(const char *config_xml, struct arena *arena);

#endif
