/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_refs.h — what a build config reads and writes by reference: its strategy's image, its source images, its output, and
 * the tags that trigger it, with stream, tag and namespace made explicit. Pure.
 */
#ifndef MODEL_KIND_BUILD_REFS_H
#define MODEL_KIND_BUILD_REFS_H

#include "model/kind/build_config.h"

enum build_use { USE_STRATEGY, USE_SOURCE, USE_OUTPUT, USE_TRIGGER, BUILD_USES };

struct build_ref {
	enum build_use use;
	size_t index; /* of the source image, or of the trigger in the spec's list */
	const struct object_ref *from;
	/* A tag or image of a stream; else `image` is the pull spec. */
	const char *ns, *stream, *tag, *id;
	const char *image;
};

/*
 * All references that can be read; what the checks refuse is left out. `ns` is the build config's. Triggers are those of type
 * ImageChange, paused ones too, default ones by the strategy's reference.
 */
struct list build_config_refs(const struct build_config_spec *spec, const char *ns,
			      struct arena *arena);
/* One; false when it is none. */
bool build_ref_of(const struct object_ref *from, const char *ns, struct arena *arena,
		  struct build_ref *out);
/* What an ImageChange trigger follows: its own from or the strategy's. NULL: another trigger. */
const struct object_ref *trigger_from(const struct build_config_spec *spec,
				      const struct build_trigger *trigger);

/* A Secret or ConfigMap of its namespace that a build reads, and the reason that OpenShift has for its absence. */
struct build_need {
	enum kind kind;
	const char *name;
	const char *field;  /* whose it is, in words: "spec.source.secrets[0]" */
	const char *reason; /* of build_phase.h */
	struct pos pos;     /* line 0: not known */
};
/* Each place of the spec that names one; optional ones are left out. Rules: openshift.md §3.4, §3.5. */
struct list build_needs(const struct build_common *common, struct arena *arena);

#endif
