/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c — tables and rules of ImagePolicy and ImageRepository. */
#include "model/kind/policy.h"

#include <string.h>
#include <strings.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"
#include "model/kind/status_tables.h"

static const struct field range_fields[] = {
	{ "range", FIELD_STRING, AT(struct policy_range, range), .is_required = true,
	  .doc = "Versions that count: \"1.2.x\", \">=1.0.0 <2.0.0\"." },
	{ 0 },
};
static const struct table range_table = { "semver policy", sizeof(struct policy_range),
					  range_fields };
static const struct field order_fields[] = {
	{ "order", FIELD_STRING, AT(struct policy_order, order), .deflt = "asc",
	  .doc = "asc: the greatest is the latest; desc: the smallest." },
	{ 0 },
};
static const struct table order_table = { "policy", sizeof(struct policy_order), order_fields };
static const struct field choice_fields[] = {
	{ "semver", FIELD_STRUCT_PTR, AT(struct policy_spec, semver), &range_table,
	  .doc = "The highest version of a range." },
	{ "alphabetical", FIELD_STRUCT_PTR, AT(struct policy_spec, alphabetical), &order_table,
	  .doc = "By bytes." },
	{ "numerical", FIELD_STRUCT_PTR, AT(struct policy_spec, numerical), &order_table,
	  .doc = "By value; every tag must be a number." },
	{ 0 },
};
static const struct table choice_table = { "policy", sizeof(struct policy_spec), choice_fields };
static const struct field filter_fields[] = {
	{ "pattern", FIELD_STRING, AT(struct policy_spec, pattern),
	  .doc = "Regular expression that is looked for in every tag." },
	{ "extract", FIELD_STRING, AT(struct policy_spec, extract),
	  .doc = "What is compared: $1, ${name}, …" },
	{ 0 },
};
static const struct table filter_table = { "filterTags", sizeof(struct policy_spec),
					   filter_fields };
static const struct field repository_ref_fields[] = {
	{ "name", FIELD_STRING, AT(struct policy_spec, repository), .is_required = true,
	  POS(struct policy_spec, repository_pos),
	  .doc = "Of an ImageRepository, or of an ImageStream." },
	{ "namespace", FIELD_STRING, AT(struct policy_spec, repository_ns),
	  .doc = "Default: the policy's." },
	{ 0 },
};
static const struct table repository_ref_table = { "imageRepositoryRef", sizeof(struct policy_spec),
						   repository_ref_fields };
static const char *const digest_values[] = { "Never", "IfNotPresent", "Always", NULL };
static const struct field policy_fields[] = {
	{ "imageRepositoryRef", FIELD_STRUCT, 0, &repository_ref_table, .is_required = true,
	  .doc = "Whose tags are chosen from." },
	{ "policy", FIELD_STRUCT, 0, &choice_table, .is_required = true,
	  .doc = "What makes a tag the latest: exactly one." },
	{ "filterTags", FIELD_STRUCT, 0, &filter_table, .doc = "Which tags are looked at." },
	{ "digestReflectionPolicy", FIELD_ENUM, AT(struct policy_spec, digests),
	  .values = digest_values, .deflt = "Never",
	  .doc = "Whether the digest goes along, and whether it is asked for again." },
	{ "interval", FIELD_STRING, AT(struct policy_spec, interval),
	  .doc = "Accepted; every run asks." },
	{ "suspend", FIELD_BOOL, AT(struct policy_spec, is_suspended),
	  .doc = "The latest stays what is recorded." },
	{ 0 },
};
const struct table policy_spec_table = { "ImagePolicy spec", sizeof(struct policy_spec),
					 policy_fields };

static const struct field repository_fields[] = {
	{ "image", FIELD_STRING, AT(struct repository_spec, image), .is_required = true,
	  .doc = "host/path, without tag." },
	{ "exclusionList", FIELD_STRINGS, AT(struct repository_spec, excluded), .has_given = true,
	  .given_offset = AT(struct repository_spec, has_excluded),
	  .doc = "Patterns of tags that do not count; default ^.*\\.sig$." },
	{ "secretRef", FIELD_STRUCT_PTR, AT(struct repository_spec, secret_ref), &named_table,
	  .doc = "Secret with the registry's credentials." },
	{ "serviceAccountName", FIELD_STRING, AT(struct repository_spec, service_account),
	  .doc = "Whose pull secrets are used." },
	{ "insecure", FIELD_BOOL, AT(struct repository_spec, is_insecure), .doc = "Plain HTTP." },
	{ "suspend", FIELD_BOOL, AT(struct repository_spec, is_suspended),
	  .doc = "It is not asked." },
	{ "interval", FIELD_IGNORED, .doc = "Accepted; every run asks." },
	{ "timeout", FIELD_IGNORED },
	{ "certSecretRef", FIELD_IGNORED },
	{ "proxySecretRef", FIELD_IGNORED },
	{ "accessFrom", FIELD_IGNORED },
	{ "provider", FIELD_IGNORED },
	{ 0 },
};
const struct table repository_spec_table = { "ImageRepository spec", sizeof(struct repository_spec),
					     repository_fields };

static const struct field ref_fields[] = {
	{ "name", FIELD_STRING, AT(struct policy_ref, name) },
	{ "tag", FIELD_STRING, AT(struct policy_ref, tag) },
	{ "digest", FIELD_STRING, AT(struct policy_ref, digest) },
	{ 0 },
};
static const struct table ref_table = { "image ref", sizeof(struct policy_ref), ref_fields };
static const struct field status_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct policy_status, conditions), &condition_table },
	{ "latestImage", FIELD_STRING, AT(struct policy_status, latest_image) },
	{ "latestRef", FIELD_STRUCT, AT(struct policy_status, latest), &ref_table },
	{ "observedPreviousRef", FIELD_STRUCT, AT(struct policy_status, previous), &ref_table },
	{ 0 },
};
const struct table policy_status_table = { "ImagePolicy status", sizeof(struct policy_status),
					   status_fields };

static bool is_order(const struct policy_order *order)
{
	return !order || strcasecmp(order->order, "asc") == 0 ||
	       strcasecmp(order->order, "desc") == 0;
}

struct tag_rule policy_rule(const struct policy_spec *spec,
			    const struct repository_spec *repository, struct arena *arena)
{
	const struct policy_order *order =
		spec->alphabetical ? spec->alphabetical : spec->numerical;
	struct tag_rule rule = {
		.order = spec->semver      ? TAG_SEMVER
			 : spec->numerical ? TAG_NUMERICAL
					   : TAG_ALPHABETICAL,
		.range = spec->semver ? spec->semver->range : NULL,
		.is_descending = order && strcasecmp(order->order, "desc") == 0,
		.pattern = spec->pattern && *spec->pattern ? spec->pattern : NULL,
		.extract = spec->extract,
	};

	if (repository && repository->has_excluded)
		rule.excluded = repository->excluded;
	else if (repository) /* signatures lie beside the images */
		vec_push(arena, &rule.excluded, "^.*\\.sig$");
	return rule;
}

void policy_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct policy_spec *spec = object->spec;
	struct tag_rule rule;
	struct err err = { 0 };

	check_filled(&c, "spec.imageRepositoryRef.name", spec->repository);
	if (!spec->semver + !spec->alphabetical + !spec->numerical != 2) {
		check_fail(&c, "spec.policy",
			   "expected exactly one of spec.policy.semver, spec.policy.alphabetical, "
			   "spec.policy.numerical");
		return;
	}
	if (!is_order(spec->alphabetical) || !is_order(spec->numerical)) {
		check_fail(&c,
			   spec->numerical ? "spec.policy.numerical" : "spec.policy.alphabetical",
			   "the order must be 'asc' or 'desc'");
		return;
	}
	rule = policy_rule(spec, NULL, arena);
	if ((!spec->semver || spec->semver->range) && !tag_rule_check(&rule, &err))
		check_fail(&c,
			   strncmp(err.text, "the range", 9) == 0 ? "spec.policy.semver.range"
								  : "spec.filterTags.pattern",
			   "%s", err.text);
	if (spec->extract && *spec->extract && !rule.pattern)
		check_warn(&c, "spec.filterTags.extract",
			   "without a pattern there is nothing to extract");
}

void repository_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct repository_spec *spec = (struct repository_spec *)(uintptr_t)object->spec;
	struct tag_rule rule = { .order = TAG_ALPHABETICAL, .excluded = spec->excluded };
	struct err err = { 0 };

	if (check_filled(&c, "spec.image", spec->image)) {
		check_image(&c, "spec.image", spec->image);
		if (spec->image &&
		    (strchr(spec->image, '@') ||
		     strchr(strrchr(spec->image, '/') ? strrchr(spec->image, '/') : spec->image,
			    ':')))
			check_fail(&c, "spec.image",
				   "a repository is named without tag and digest: '%s'",
				   spec->image);
	}
	if (!tag_rule_check(&rule, &err))
		check_fail(&c, "spec.exclusionList", "%s", err.text);
	if (spec->secret_ref)
		spec->secrets = (struct list){ spec->secret_ref, 1 };
}
