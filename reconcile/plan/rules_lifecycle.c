/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_lifecycle.c — a ClusterLifecycle: its image at its digest, its version and APIs.
 * Rules: kpack.md §2.10, §3.4 "lifecycle".
 */
#include <string.h>

#include "reconcile/plan/labels.h"
#include "reconcile/plan/rules.h"

/* One of these must be spoken by a lifecycle that builds here. */
static const char *const platform_apis[] = { "0.3", "0.4", "0.5", "0.6", "0.7", "0.8" };
#define PLATFORM_APIS_TEXT "0.3, 0.4, 0.5, 0.6, 0.7, 0.8"

static bool apis_check(const struct lifecycle_apis *apis, struct arena *arena, struct err *err)
{
	struct strings all = { 0 };

	for (size_t i = 0; i < apis->platform_supported.n; i++)
		vec_push(arena, &all, apis->platform_supported.v[i]);
	for (size_t i = 0; i < apis->platform_deprecated.n; i++)
		vec_push(arena, &all, apis->platform_deprecated.v[i]);
	for (size_t i = 0; i < COUNTOF(platform_apis); i++) {
		if (strings_has(&all, platform_apis[i]))
			return true;
	}
	return err_set(err, ERR_INVALID,
		       "unsupported platform apis in kpack lifecycle: %s, expecting one of: %s",
		       strings_join(&all, ", ", arena), PLATFORM_APIS_TEXT);
}

static void lifecycle_ready(struct planner *p, struct lifecycle_status *status, const char *problem)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &status->conditions, 1, p->options.now_s, p->arena);
	conditions_add(&edit, "Ready", problem ? COND_FALSE : COND_TRUE, NULL, problem);
	status->conditions = edit.list;
}

static void lifecycle_fail(struct planner *p, struct step *step, struct lifecycle_status *status,
			   enum err_kind kind, const char *why)
{
	lifecycle_ready(p, status, why);
	step_block(step, (struct stop){ kind, true }, why);
}

void rule_lifecycle(struct planner *p, struct step *step)
{
	const struct buildpack_spec *spec = step->object->spec;
	const struct lifecycle_status *old = recorded_status(p, step->object);
	struct lifecycle_status *status = ARENA_NEW(p->arena, struct lifecycle_status);
	bool is_usable = lifecycle_is_usable(spec, old);
	struct pin pin =
		pin_resolve(p, &(struct pin_ask){ .image = spec->image,
						  .account = account_of(p->model, step->object),
						  .recorded = old ? &old->image : NULL,
						  .is_usable = is_usable,
						  .wants_labels = true });
	struct err err = { 0 };

	if (old)
		*status = *old;
	step->status = status;
	step->action = ACTION_RESOLVE;
	step->summary = "resolve";
	if (pin.state == PIN_FAILED) {
		lifecycle_fail(p, step, status, pin.why_kind, pin.why);
		return;
	}
	if (pin.state == PIN_UNKNOWN) {
		if (step_stays_unready(step, &status->conditions))
			return;
		step->is_unknown = true;
		step_unknown(step, "latestImage", p->arena);
		return;
	}
	if (!(is_usable && pin.state == PIN_SAME)) {
		struct lifecycle_status read = { .conditions = status->conditions };

		if (!labels_lifecycle(pin.fact->config, p->arena, &read, &err)) {
			lifecycle_fail(p, step, status, err.kind,
				       arena_printf(p->arena,
						    "cannot read lifecycle image '%s': %s",
						    spec->image, err.text));
			return;
		}
		if (!apis_check(&read.apis, p->arena, &err)) {
			lifecycle_fail(p, step, status, err.kind, arena_strdup(p->arena, err.text));
			return;
		}
		*status = read;
		step->summary = old ? "lifecycle image moved" : "resolve";
		step->old_value = pin_digest(pin.old);
		step->new_value = pin_digest(pin.pinned);
	}
	status->image = (struct image_pin){ spec->image, pin.pinned };
	lifecycle_ready(p, status, NULL);
}
