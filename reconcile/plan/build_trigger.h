/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_trigger.h — which triggers of a build config fire, and what is recorded of them. Pure.
 * Spec: openshift.md §3.4. On purpose different: ConfigChange fires on every change of the effective spec (design §5), unless
 * the build config is annotated `reconcile.dev/config-change: first`, which is OpenShift's way.
 */
#ifndef RECONCILE_PLAN_BUILD_TRIGGER_H
#define RECONCILE_PLAN_BUILD_TRIGGER_H

#include "model/kind/build_config_status.h"

#define ANNOTATION_CONFIG_CHANGE "reconcile.dev/config-change"
#define ANNOTATION_PAUSED        "openshift.io/build-config.paused"

/* What a tag points at now, by the tag's own reference policy. */
struct tag_now {
	const char *ns, *name; /* "stream:tag" */
	const char *image;     /* pull spec; NULL: nothing yet */
};

/* A build config as it is looked at. */
struct trigger_case {
	const struct meta *meta;
	const struct build_config_spec *spec;
	const struct build_config_status *status; /* NULL: nothing is recorded */
	const struct list *tags;                  /* struct tag_now */
};

/* "true" in any case: nothing starts a build of it. */
bool build_config_is_paused(const struct meta *meta);

/*
 * Causes of the build that is to be made, one for each distinct tag that has moved, in the order of the triggers: struct
 * build_cause; empty: none. A trigger is passed over while it is paused, while its tag points at nothing, and when the
 * recorded or the (deprecated) declared lastTriggeredImageID is the tag's image. The first one is what triggered the build.
 */
struct list image_change_decide(const struct trigger_case *c, struct arena *arena);
/*
 * status.imageChangeTriggers after a build was made for whatever cause: all triggers, paused ones too, with what their tags
 * point at, so that no second build follows for the same images. `causes` as decided; the first one's trigger alone has the
 * time.
 */
struct list image_change_record(const struct trigger_case *c, const struct list *causes,
				int64_t now_s, struct arena *arena);

/*
 * Digest over everything in the spec that can change the image: all that builds share, with namespaces made explicit, without
 * what says only where, for how long and by whom they run (serviceAccount, resources, nodeSelector, completionDeadlineSeconds,
 * secrets to push and pull with). Order of keys and old spellings do not matter.
 */
const char *config_digest(const struct build_config_spec *spec, const char *ns,
			  struct arena *arena);
/* The first build, or a digest other than the recorded one; one that is not recorded yet changes nothing. */
bool config_change_fires(const struct trigger_case *c, const char *digest);

#endif
