/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.c — the kinds as one table, and what a document is by its apiVersion and kind.
 * The groups of 2019 and 2020 (build.pivotal.io, experimental.kpack.pivotal.io) had the same kinds;
 * they load as kpack.io.
 */
#include "model/kind/kind.h"

#include <string.h>

#include "model/base/md5.h"
#include "model/kind/build_config.h"
#include "model/kind/builder.h"
#include "model/kind/image.h"
#include "model/kind/policy.h"
#include "model/kind/rules.h"
#include "model/kind/secret.h"
#include "model/kind/settings.h"
#include "model/kind/stream.h"

static const char *const both[] = { "v1alpha2", "v1alpha1", NULL };
static const char *const alpha2[] = { "v1alpha2", NULL };
static const char *const v1[] = { "v1", NULL };
static const char *const v1_and_betas[] = { "v1", "v1beta2", "v1beta1", NULL };
static const char *const batches[] = { "v1", "v1beta1", "v2alpha1", NULL };

#define WORDS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
static const struct kind_info kinds[] = {
	[KIND_NONE] = { .name = "" },
	[KIND_CLUSTER_STACK] = {
		.name = "ClusterStack", .group = "kpack.io", .versions = both, .old_names = WORDS("Stack"),
		.words = WORDS("clusterstack", "stack", "csk"), .is_cluster = true, .state_folder = "stacks",
		.spec_table = &stack_spec_table, .check = stack_spec_check,
		.doc = "A build image and a run image that fit together: the operating system of builds and apps.",
	},
	[KIND_CLUSTER_STORE] = {
		.name = "ClusterStore", .group = "kpack.io", .versions = both, .old_names = WORDS("Store"),
		.words = WORDS("clusterstore", "store", "csr"), .is_cluster = true, .state_folder = "stores",
		.spec_table = &store_spec_table, .check = store_spec_check,
		.doc = "Images that hold buildpacks, from which builders are composed.",
	},
	[KIND_BUILDPACK] = {
		.name = "Buildpack", .group = "kpack.io", .versions = alpha2,
		.words = WORDS("buildpack", "bp"), .state_folder = "buildpacks",
		.spec_table = &buildpack_spec_table, .check = buildpack_spec_check,
		.doc = "One buildpack image, for the builders of its namespace.",
	},
	[KIND_CLUSTER_BUILDPACK] = {
		.name = "ClusterBuildpack", .group = "kpack.io", .versions = alpha2,
		.words = WORDS("clusterbuildpack", "cbp"), .is_cluster = true, .state_folder = "buildpacks",
		.spec_table = &cluster_buildpack_spec_table, .check = buildpack_spec_check,
		.doc = "One buildpack image, for all builders.",
	},
	[KIND_CLUSTER_LIFECYCLE] = {
		.name = "ClusterLifecycle", .group = "kpack.io", .versions = alpha2,
		.words = WORDS("clusterlifecycle", "lifecycle", "clc"), .is_cluster = true, .state_folder = "lifecycles",
		.spec_table = &lifecycle_spec_table, .check = buildpack_spec_check,
		.doc = "A lifecycle image that builders are composed with.",
	},
	[KIND_BUILDER] = {
		.name = "Builder", .group = "kpack.io", .versions = both, .old_names = WORDS("CustomBuilder"),
		.words = WORDS("builder", "custombuilder", "bldr"), .state_folder = "builders",
		.spec_table = &builder_spec_table, .check = builder_spec_check,
		.doc = "A builder image composed of a stack and buildpacks, for the images of its namespace.",
	},
	[KIND_CLUSTER_BUILDER] = {
		.name = "ClusterBuilder", .group = "kpack.io", .versions = both,
		.old_names = WORDS("CustomClusterBuilder", "ClusterClusterBuilder"),
		.words = WORDS("clusterbuilder", "customclusterbuilder", "cb", "ccb"), .is_cluster = true, .state_folder = "builders",
		.spec_table = &cluster_builder_spec_table, .check = builder_spec_check,
		.doc = "A builder image composed of a stack and buildpacks, for all images.",
	},
	[KIND_IMAGE] = {
		.name = "Image", .group = "kpack.io", .versions = both,
		.words = WORDS("image", "img"), .state_folder = "images",
		.spec_table = &image_spec_table, .adapt = image_adapt, .check = image_spec_check,
		.doc = "A source and a builder, and the tag that is kept built from them.",
	},
	[KIND_IMAGE_STREAM] = {
		.name = "ImageStream", .group = "image.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("imagestream", "stream", "is"), .state_folder = "imagestreams",
		.spec_table = &stream_spec_table, .adapt = stream_adapt, .check = stream_spec_check,
		.doc = "Named pointers to images, with their history.",
	},
	[KIND_IMAGE_STREAM_TAG] = {
		.name = "ImageStreamTag", .group = "image.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("imagestreamtag", "istag"),
		.spec_table = &stream_tag_table, .is_whole = true, .adapt = stream_tag_adapt, .check = stream_tag_check,
		.doc = "One tag of an image stream, declared on its own.",
	},
	[KIND_IMAGE_STREAM_MAPPING] = {
		.name = "ImageStreamMapping", .group = "image.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("imagestreammapping"),
		.spec_table = &stream_mapping_table, .is_whole = true, .adapt = stream_mapping_adapt, .check = stream_mapping_check,
		.doc = "An image that was pushed, to be tagged into a stream once.",
	},
	[KIND_IMAGE_STREAM_IMPORT] = {
		.name = "ImageStreamImport", .group = "image.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("imagestreamimport"),
		.spec_table = &stream_import_table, .adapt = stream_import_adapt, .check = stream_import_check,
		.doc = "Images that are imported into a stream once.",
	},
	[KIND_BUILD_CONFIG] = {
		.name = "BuildConfig", .group = "build.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("buildconfig", "bc"), .state_folder = "buildconfigs",
		.spec_table = &build_config_spec_table, .adapt = build_config_adapt, .check = build_config_check,
		.doc = "A source, a strategy, an output, and what triggers builds.",
	},
	[KIND_BUILD] = {
		.name = "Build", .group = "build.openshift.io", .versions = v1, .is_core_too = true,
		.words = WORDS("build"), .state_folder = "builds",
		.spec_table = &build_spec_table, .adapt = build_adapt, .check = build_check,
		.doc = "One execution of a build, declared on its own.",
	},
	[KIND_IMAGE_POLICY] = {
		.name = "ImagePolicy", .group = "image.toolkit.fluxcd.io", .versions = v1_and_betas,
		.words = WORDS("imagepolicy"), .state_folder = "imagepolicies",
		.spec_table = &policy_spec_table, .check = policy_spec_check,
		.doc = "Which tag of a repository or an image stream is the latest; marked fields follow it.",
	},
	[KIND_IMAGE_REPOSITORY] = {
		.name = "ImageRepository", .group = "image.toolkit.fluxcd.io", .versions = v1_and_betas,
		.words = WORDS("imagerepository"),
		.spec_table = &repository_spec_table, .check = repository_spec_check,
		.doc = "A repository whose tags an ImagePolicy chooses from.",
	},
	[KIND_DEPLOYMENT] = {
		.name = "Deployment", .group = "apps", .versions = v1_and_betas,
		.words = WORDS("deployment", "deploy"), .state_folder = "deployments", .is_workload = true,
		.more_versions = WORDS("extensions/v1beta1"),
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_STATEFUL_SET] = {
		.name = "StatefulSet", .group = "apps", .versions = v1_and_betas,
		.words = WORDS("statefulset", "sts"), .state_folder = "statefulsets", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_DAEMON_SET] = {
		.name = "DaemonSet", .group = "apps", .versions = v1_and_betas,
		.words = WORDS("daemonset", "ds"), .state_folder = "daemonsets", .is_workload = true,
		.more_versions = WORDS("extensions/v1beta1"),
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_REPLICA_SET] = {
		.name = "ReplicaSet", .group = "apps", .versions = v1_and_betas,
		.words = WORDS("replicaset", "rs"), .state_folder = "replicasets", .is_workload = true,
		.more_versions = WORDS("extensions/v1beta1"),
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_JOB] = {
		.name = "Job", .group = "batch", .versions = batches,
		.words = WORDS("job"), .state_folder = "jobs", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_CRON_JOB] = {
		.name = "CronJob", .group = "batch", .versions = batches,
		.words = WORDS("cronjob", "cj"), .state_folder = "cronjobs", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_POD] = {
		.name = "Pod", .group = "", .versions = v1,
		.words = WORDS("pod", "po"), .state_folder = "pods", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_POD_TEMPLATE] = {
		.name = "PodTemplate", .group = "", .versions = v1,
		.words = WORDS("podtemplate"), .state_folder = "podtemplates", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_REPLICATION_CONTROLLER] = {
		.name = "ReplicationController", .group = "", .versions = v1,
		.words = WORDS("replicationcontroller", "rc"), .state_folder = "replicationcontrollers", .is_workload = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_DEPLOYMENT_CONFIG] = {
		.name = "DeploymentConfig", .group = "apps.openshift.io", .versions = v1,
		.words = WORDS("deploymentconfig", "dc"), .state_folder = "deploymentconfigs", .is_workload = true,
		.is_core_too = true,
		.doc = "A workload whose images may follow tags.",
	},
	[KIND_SECRET] = {
		.name = "Secret", .group = "", .versions = v1, .words = WORDS("secret"),
		.spec_table = &secret_table, .is_whole = true, .adapt = secret_adapt, .check = secret_check,
		.doc = "Credentials and other values that must not be seen.",
	},
	[KIND_SERVICE_ACCOUNT] = {
		.name = "ServiceAccount", .group = "", .versions = v1, .words = WORDS("serviceaccount", "sa"),
		.spec_table = &service_account_table, .is_whole = true, .adapt = service_account_adapt,
		.doc = "The secrets that a build may use.",
	},
	[KIND_CONFIG_MAP] = {
		.name = "ConfigMap", .group = "", .versions = v1, .words = WORDS("configmap", "cm"),
		.spec_table = &config_map_table, .is_whole = true, .check = config_map_check,
		.doc = "Values that builds read, by name.",
	},
	[KIND_SETTINGS] = {
		.name = "Settings", .group = "reconcile.dev", .versions = v1, .words = WORDS("settings"),
		.is_cluster = true, .spec_table = &settings_table, .is_whole = true,
		.adapt = settings_adapt, .check = settings_check,
		.doc = "Where state lives, how registries are reached, and how much runs at once.",
	},
};
_Static_assert(COUNTOF(kinds) == KINDS, "every kind needs a row");

/* Groups that kpack used before it was called kpack.io, and what their only version is. */
static const char *const old_groups[] = { "build.pivotal.io", "experimental.kpack.pivotal.io" };

/* Recognised, and the work of later steps or of other tools that read the same folder. */
static const struct {
	const char *group, *kinds; /* blanks around every name */
} elsewhere[] = {
	{ "kpack.io", " Build SourceResolver " },
	{ "kp.kpack.io", " DependencyDescriptor " },
	{ "image.openshift.io",
	  " Image ImageSignature ImageStreamImage ImageStreamLayers ImageTag " },
};

const struct kind_info *kind_info(enum kind kind)
{
	if ((unsigned)kind >= KINDS)
		BUG("no kind %d", (int)kind);
	return &kinds[kind];
}

const char *kind_name(enum kind kind)
{
	return kind_info(kind)->name;
}

struct version_ref {
	const char *group, *version;
	size_t group_len;
};

/* "kpack.io/v1alpha2" → both parts; core kinds have no group. */
static struct version_ref version_split(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	if (!slash)
		return (struct version_ref){ "", api_version, 0 };
	return (struct version_ref){ api_version, slash + 1, (size_t)(slash - api_version) };
}

static bool group_is(const struct version_ref *ref, const char *group)
{
	return strlen(group) == ref->group_len && strncmp(ref->group, group, ref->group_len) == 0;
}

static bool group_is_old(const struct version_ref *ref)
{
	for (size_t i = 0; i < COUNTOF(old_groups); i++)
		if (group_is(ref, old_groups[i]))
			return true;
	return false;
}

static bool has_text(const char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static bool version_fits(const struct kind_info *info, const struct version_ref *ref)
{
	if (strcmp(info->group, "kpack.io") == 0 && group_is_old(ref))
		return strcmp(ref->version, "v1alpha1") == 0;
	if (info->is_core_too && group_is(ref, ""))
		return strcmp(ref->version, "v1") == 0;
	for (const char *const *more = info->more_versions; more && *more; more++) {
		const struct version_ref other = version_split(*more);

		if (other.group_len == ref->group_len &&
		    strncmp(other.group, ref->group, ref->group_len) == 0 &&
		    strcmp(other.version, ref->version) == 0)
			return true;
	}
	return group_is(ref, info->group) && has_text(info->versions, ref->version);
}

enum kind kind_find(const char *api_version, const char *kind)
{
	struct version_ref ref;

	if (!api_version || !kind)
		return KIND_NONE;
	ref = version_split(api_version);
	for (enum kind k = KIND_NONE + 1; k < KINDS; k++)
		if ((strcmp(kinds[k].name, kind) == 0 || has_text(kinds[k].old_names, kind)) &&
		    version_fits(&kinds[k], &ref))
			return k;
	return KIND_NONE;
}

enum kind kind_by_word(const char *word)
{
	char lower[32];
	size_t n = strlen(word);

	if (n >= sizeof(lower))
		return KIND_NONE;
	for (size_t i = 0; i <= n; i++)
		lower[i] =
			(char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + ('a' - 'A') : word[i]);
	for (int plural = 0; plural < 2; plural++) {
		for (enum kind k = KIND_NONE + 1; k < KINDS; k++)
			if (has_text(kinds[k].words, lower))
				return k;
		if (n < 2 || lower[n - 1] != 's')
			break;
		lower[n - 1] = '\0';
	}
	return KIND_NONE;
}

bool kind_is_known_elsewhere(const char *api_version, const char *kind)
{
	struct version_ref ref;

	if (!api_version || !kind || !*kind || strchr(kind, ' '))
		return false;
	ref = version_split(api_version);
	for (size_t i = 0; i < COUNTOF(elsewhere); i++) {
		const char *at = elsewhere[i].kinds;
		size_t n = strlen(kind);

		if (!group_is(&ref, elsewhere[i].group) && !(i == 0 && group_is_old(&ref)))
			continue;
		while ((at = strstr(at, kind)) && !(at[-1] == ' ' && at[n] == ' '))
			at += n;
		if (at)
			return true;
	}
	return false;
}

/* Any kind of ours has this name, whatever the group. */
static bool name_is_ours(const char *kind)
{
	for (enum kind k = KIND_NONE + 1; k < KINDS; k++)
		if (!kinds[k].is_workload &&
		    (strcmp(kinds[k].name, kind) == 0 || has_text(kinds[k].old_names, kind)))
			return true;
	return false;
}

enum document_class document_class(const struct node *document, enum kind *kind)
{
	const char *api_version = node_text(document, "apiVersion"),
		   *name = node_text(document, "kind");
	struct version_ref ref;

	*kind = KIND_NONE;
	if (!api_version) /* a chart's values, a compose file, … unless the kind says otherwise */
		return name && name_is_ours(name) ? DOCUMENT_BROKEN : DOCUMENT_FOREIGN;
	*kind = kind_find(api_version, name);
	if (*kind != KIND_NONE)
		return DOCUMENT_OURS;
	if (kind_is_known_elsewhere(api_version, name))
		return DOCUMENT_LATER;
	ref = version_split(api_version);
	if (group_is(&ref, "kpack.io") || group_is(&ref, "reconcile.dev") ||
	    group_is(&ref, "image.openshift.io") || group_is_old(&ref))
		return DOCUMENT_BROKEN;
	return DOCUMENT_FOREIGN;
}

char *object_id(enum kind kind, const char *ns, const char *name, struct arena *arena)
{
	const char *namespaced[] = { kind_name(kind), "/", ns && *ns ? ns : "default", "/", name };
	const char *cluster[] = { kind_name(kind), "/", name };

	if (kind_info(kind)->is_cluster)
		return arena_concat(arena, cluster, COUNTOF(cluster));
	return arena_concat(arena, namespaced, COUNTOF(namespaced));
}

enum { NAME_MAX_BYTES = 63, NAME_HEAD = NAME_MAX_BYTES - MD5_HEX };

/* knative.dev/pkg/kmeta ChildName (kpack.md §2.3). */
char *child_name(const char *parent, const char *suffix, struct arena *arena)
{
	size_t n_parent = strlen(parent), n_suffix = strlen(suffix);
	char hash[MD5_HEX + 1];
	char *name, *both_names;
	size_t n;

	if (n_parent + n_suffix <= NAME_MAX_BYTES)
		return arena_printf(arena, "%s%s", parent, suffix);
	if (n_suffix < NAME_HEAD) {
		md5_hex(parent, n_parent, hash);
		n = NAME_HEAD - n_suffix;
		return arena_printf(arena, "%.*s%s%s", (int)n, parent, hash, suffix);
	}
	both_names = arena_printf(arena, "%s%s", parent, suffix);
	md5_hex(both_names, n_parent + n_suffix, hash);
	n = n_parent < NAME_HEAD ? n_parent : NAME_HEAD;
	name = arena_printf(arena, "%.*s%s%.*s", (int)n, parent, hash,
			    (int)(NAME_MAX_BYTES - MD5_HEX - n), suffix);
	for (n = strlen(name); n && !((name[n - 1] >= 'a' && name[n - 1] <= 'z') ||
				      (name[n - 1] >= 'A' && name[n - 1] <= 'Z') ||
				      (name[n - 1] >= '0' && name[n - 1] <= '9'));)
		name[--n] = '\0';
	return name;
}
