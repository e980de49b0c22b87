/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h — ImagePolicy and ImageRepository (image.toolkit.fluxcd.io v1, v1beta2, v1beta1), and the markers by which
 * fields of YAML files follow a policy. A policy whose repository is no ImageRepository but an ImageStream of that
 * namespace chooses from the stream's tags. Source of fields and rules: gitops.md §2.
 */
#ifndef MODEL_KIND_POLICY_H
#define MODEL_KIND_POLICY_H

#include "model/kind/status.h"
#include "model/oci/tag_rule.h"

struct policy_order {      /* alphabetical, numerical */
	const char *order; /* "asc", "desc"; any case */
};
struct policy_range { /* semver */
	const char *range;
};
struct policy_spec {
	const char *repository, *repository_ns; /* NULL: the policy's own */
	struct pos repository_pos;
	struct policy_range *semver; /* one of the three */
	struct policy_order *alphabetical, *numerical;
	const char *pattern, *extract;
	const char *digests; /* "Never", "IfNotPresent", "Always" */
	const char *interval;
	bool is_suspended;
};
struct repository_spec {
	const char *image;
	const char *service_account;
	struct list secrets; /* struct named: secretRef */
	struct named *secret_ref;
	struct strings excluded; /* patterns of tags */
	bool has_excluded;
	bool is_insecure, is_suspended;
};

struct policy_ref {
	const char *name, *tag, *digest; /* repository; digest NULL: not wanted */
};
struct policy_status {
	struct list conditions;
	struct policy_ref latest;   /* latestRef; name NULL: none */
	struct policy_ref previous; /* observedPreviousRef */
	const char *latest_image;   /* "name:tag[@digest]", or "name@digest" of a stream's image */
};

extern const struct table policy_spec_table, repository_spec_table, policy_status_table;

/* The rule of a policy; `repository` (NULL: a stream) says what is left out. */
struct tag_rule policy_rule(const struct policy_spec *spec,
			    const struct repository_spec *repository, struct arena *arena);

enum marker_part { MARKER_IMAGE, MARKER_TAG, MARKER_NAME, MARKER_DIGEST };
/* A scalar that follows a policy: `image: … # {"$imagepolicy": "ns:name[:tag|:name|:digest]"}`. */
struct marker {
	const char *ns, *name;
	enum marker_part part;
	const char *value; /* what stands there */
	struct pos pos;    /* of the scalar */
	struct pos comment;
	const struct source_file *file;
};
struct markers {
	struct marker *v;
	size_t n, cap;
};
/*
 * The markers of a text that yaml_parse has taken. Costs a search for one word where there are none. Comments that mean to
 * be markers and are none are warnings.
 */
void markers_find(const struct source_file *file, struct arena *arena, struct markers *out,
		  struct diags *diags);

#endif
