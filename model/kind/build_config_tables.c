/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_tables.c — the field tables of BuildConfig and Build, in the order in which OpenShift prints them.
 * Source: OpenShift build API (openshift.md §3.1). The shared fields are one macro: two tables begin with them.
 */
#include "model/kind/build_config.h"

/* ---- sources ---- */

static const struct field git_fields[] = {
	{ "uri", FIELD_STRING, AT(struct build_git, uri), .is_required = true,
	  .doc = "The repository: https, ssh, git or file URL, or user@host:path." },
	{ "ref", FIELD_STRING, AT(struct build_git, ref),
	  .doc = "Branch, tag or commit. Default: the remote's HEAD." },
	{ "httpProxy", FIELD_STRING, AT(struct build_git, http_proxy), .doc = "For http URLs." },
	{ "httpsProxy", FIELD_STRING, AT(struct build_git, https_proxy), .doc = "For https URLs." },
	{ "noProxy", FIELD_STRING, AT(struct build_git, no_proxy),
	  .doc = "Hosts that are reached directly." },
	{ 0 },
};
static const struct table git_table = { "git source", sizeof(struct build_git), git_fields };

static const struct field binary_fields[] = {
	{ "asFile", FIELD_STRING, AT(struct build_binary, as_file),
	  .doc = "What is sent is one file of this name; absent: an archive." },
	{ 0 },
};
static const struct table binary_table = { "binary source", sizeof(struct build_binary),
					   binary_fields };

static const struct field image_path_fields[] = {
	{ "sourcePath", FIELD_STRING, AT(struct image_path, source_path), .is_required = true,
	  .doc = "In the image, absolute; '/.' at its end copies a folder's content." },
	{ "destinationDir", FIELD_STRING, AT(struct image_path, destination_dir),
	  .is_required = true, .doc = "In the source, relative." },
	{ 0 },
};
static const struct table image_path_table = { "image path", sizeof(struct image_path),
					       image_path_fields };

static const struct field image_source_fields[] = {
	{ "from", FIELD_STRUCT, AT(struct build_image_source, from), .table = &object_ref_table,
	  .is_required = true, .doc = "ImageStreamTag, ImageStreamImage or DockerImage." },
	{ "as", FIELD_STRINGS, AT(struct build_image_source, as),
	  .doc = "Names that FROM and COPY --from of the Dockerfile use for it." },
	{ "paths", FIELD_STRUCTS, AT(struct build_image_source, paths), .table = &image_path_table,
	  .doc = "What is copied out of it." },
	{ "pullSecret", FIELD_STRUCT_PTR, AT(struct build_image_source, pull_secret),
	  .table = &named_table, .doc = "A Secret to pull it with." },
	{ 0 },
};
static const struct table image_source_table = { "image source", sizeof(struct build_image_source),
						 image_source_fields };

static const struct field secret_source_fields[] = {
	{ "secret", FIELD_STRUCT, AT(struct file_source, name), .table = &named_table,
	  .is_required = true, .doc = "The Secret." },
	{ "destinationDir", FIELD_STRING, AT(struct file_source, destination_dir),
	  .doc = "Where its keys become files." },
	{ 0 },
};
static const struct table secret_source_table = { "secret source", sizeof(struct file_source),
						  secret_source_fields };
static const struct field config_map_source_fields[] = {
	{ "configMap", FIELD_STRUCT, AT(struct file_source, name), .table = &named_table,
	  .is_required = true, .doc = "The ConfigMap." },
	{ "destinationDir", FIELD_STRING, AT(struct file_source, destination_dir),
	  .doc = "Where its keys become files." },
	{ 0 },
};
static const struct table config_map_source_table = { "config map source",
						      sizeof(struct file_source),
						      config_map_source_fields };

static const struct field source_fields[] = {
	{ "type", FIELD_STRING, AT(struct build_source, type),
	  .doc = "Legacy: Git, Dockerfile, Binary, Image or None; what is given decides." },
	{ "binary", FIELD_STRUCT_PTR, AT(struct build_source, binary), .table = &binary_table,
	  .doc = "Sent along when a build is started." },
	{ "dockerfile", FIELD_STRING, AT(struct build_source, dockerfile),
	  .doc = "The text of a Dockerfile, instead of the source's." },
	{ "git", FIELD_STRUCT_PTR, AT(struct build_source, git), .table = &git_table,
	  .doc = "A git repository." },
	{ "images", FIELD_STRUCTS, AT(struct build_source, images), .table = &image_source_table,
	  .doc = "Images that files are copied from." },
	{ "contextDir", FIELD_STRING, AT(struct build_source, context_dir),
	  .doc = "The folder of the source that is built." },
	{ "sourceSecret", FIELD_STRUCT_PTR, AT(struct build_source, secret), .table = &named_table,
	  .doc = "A Secret to fetch the source with." },
	{ "secrets", FIELD_STRUCTS, AT(struct build_source, secrets), .table = &secret_source_table,
	  .doc = "Secrets that become files of the source." },
	{ "configMaps", FIELD_STRUCTS, AT(struct build_source, config_maps),
	  .table = &config_map_source_table, .doc = "ConfigMaps that become files of the source." },
	{ 0 },
};
static const struct table build_source_table = { "build source", sizeof(struct build_source),
						 source_fields };

static const struct field user_fields[] = {
	{ "name", FIELD_STRING, AT(struct source_user, name), .doc = "A person's name." },
	{ "email", FIELD_STRING, AT(struct source_user, email), .doc = "A person's address." },
	{ 0 },
};
static const struct table user_table = { "user", sizeof(struct source_user), user_fields };
static const struct field git_revision_fields[] = {
	{ "commit", FIELD_STRING, AT(struct commit_revision, commit), .doc = "The commit." },
	{ "author", FIELD_STRUCT, AT(struct commit_revision, author), .table = &user_table,
	  .doc = "Who wrote it." },
	{ "committer", FIELD_STRUCT, AT(struct commit_revision, committer), .table = &user_table,
	  .doc = "Who committed it." },
	{ "message", FIELD_STRING, AT(struct commit_revision, message), .doc = "Of the commit." },
	{ 0 },
};
static const struct table git_revision_table = { "git revision", sizeof(struct commit_revision),
						 git_revision_fields };
static const struct field revision_fields[] = {
	{ "type", FIELD_STRING, AT(struct source_revision, type), .doc = "Git." },
	{ "git", FIELD_STRUCT_PTR, AT(struct source_revision, git), .table = &git_revision_table,
	  .doc = "The commit that is built." },
	{ 0 },
};
const struct table source_revision_table = { "revision", sizeof(struct source_revision),
					     revision_fields };

/* ---- strategies ---- */

static const struct field variable_fields[] = {
	{ "name", FIELD_STRING, AT(struct env_var, name), .is_required = true,
	  POS(struct env_var, pos), .doc = "The variable." },
	{ "value", FIELD_STRING, AT(struct env_var, value),
	  .doc = "Its value; $(NAME) stands for variables before it." },
	{ "valueFrom", FIELD_NODE, AT(struct env_var, value_from),
	  .doc = "secretKeyRef, configMapKeyRef or fieldRef." },
	{ 0 },
};
static const struct table variable_table = { "env", sizeof(struct env_var), variable_fields };

static const struct field volume_item_fields[] = {
	{ "key", FIELD_STRING, AT(struct volume_item, key), .is_required = true,
	  .doc = "The key." },
	{ "path", FIELD_STRING, AT(struct volume_item, path), .is_required = true,
	  .doc = "The file it becomes." },
	{ "mode", FIELD_INT, AT(struct volume_item, mode), .has_given = true,
	  .given_offset = AT(struct volume_item, has_mode), .min = 0, .max = 0777,
	  .doc = "Of the file." },
	{ 0 },
};
static const struct table volume_item_table = { "volume item", sizeof(struct volume_item),
						volume_item_fields };
/* clang-format off */
#define VOLUME_FILES                                                                               \
	{ "items", FIELD_STRUCTS, AT(struct volume_files, items), .table = &volume_item_table,     \
	  .doc = "Single keys; absent: all." },                                                    \
	{ "defaultMode", FIELD_INT, AT(struct volume_files, default_mode), .has_given = true,      \
	  .given_offset = AT(struct volume_files, has_default_mode), .min = 0, .max = 0777,        \
	  .doc = "Of the files." },                                                                \
	{ "optional", FIELD_BOOL, AT(struct volume_files, is_optional), .doc = "It may be absent." }
/* clang-format on */
static const struct field secret_volume_fields[] = {
	{ "secretName", FIELD_STRING, AT(struct volume_files, name), .doc = "The Secret." },
	VOLUME_FILES,
	{ 0 },
};
static const struct table secret_volume_table = { "secret volume", sizeof(struct volume_files),
						  secret_volume_fields };
static const struct field config_map_volume_fields[] = {
	{ "name", FIELD_STRING, AT(struct volume_files, name), .doc = "The ConfigMap." },
	VOLUME_FILES,
	{ 0 },
};
static const struct table config_map_volume_table = { "config map volume",
						      sizeof(struct volume_files),
						      config_map_volume_fields };
static const struct field volume_source_fields[] = {
	{ "type", FIELD_STRING, AT(struct build_volume, type), .is_required = true,
	  .doc = "Secret, ConfigMap or CSI." },
	{ "secret", FIELD_STRUCT_PTR, AT(struct build_volume, secret),
	  .table = &secret_volume_table, .doc = "Files of a Secret." },
	{ "configMap", FIELD_STRUCT_PTR, AT(struct build_volume, config_map),
	  .table = &config_map_volume_table, .doc = "Files of a ConfigMap." },
	{ "csi", FIELD_NODE, AT(struct build_volume, csi), .doc = "A volume of a CSI driver." },
	{ 0 },
};
static const struct table volume_source_table = { "volume source", sizeof(struct build_volume),
						  volume_source_fields };
static const struct field mount_fields[] = {
	{ "destinationPath", FIELD_STRING, AT(struct volume_mount, destination_path),
	  .is_required = true, .doc = "Where builds see it, absolute." },
	{ 0 },
};
static const struct table mount_table = { "volume mount", sizeof(struct volume_mount),
					  mount_fields };
static const struct field volume_fields[] = {
	{ "name", FIELD_STRING, AT(struct build_volume, name), .is_required = true,
	  .doc = "The volume's name." },
	{ "source", FIELD_STRUCT, 0, .table = &volume_source_table, .is_required = true,
	  .doc = "What it holds." },
	{ "mounts", FIELD_STRUCTS, AT(struct build_volume, mounts), .table = &mount_table,
	  .doc = "Where builds see it." },
	{ 0 },
};
static const struct table volume_table = { "build volume", sizeof(struct build_volume),
					   volume_fields };

static const struct field docker_fields[] = {
	{ "from", FIELD_STRUCT_PTR, AT(struct docker_strategy, from), .table = &object_ref_table,
	  .doc = "Replaces the image of the last FROM." },
	{ "pullSecret", FIELD_STRUCT_PTR, AT(struct docker_strategy, pull_secret),
	  .table = &named_table, .doc = "A Secret to pull images with." },
	{ "noCache", FIELD_BOOL, AT(struct docker_strategy, is_uncached),
	  .doc = "No layers of earlier builds are used." },
	{ "env", FIELD_STRUCTS, AT(struct docker_strategy, env), .table = &variable_table,
	  .doc = "Variables, as ENV behind every FROM." },
	{ "forcePull", FIELD_BOOL, AT(struct docker_strategy, is_pull_forced),
	  .doc = "Images are pulled even where they are there." },
	{ "dockerfilePath", FIELD_STRING, AT(struct docker_strategy, dockerfile_path),
	  .doc = "Below the context folder. Default: Dockerfile." },
	{ "buildArgs", FIELD_STRUCTS, AT(struct docker_strategy, build_args),
	  .table = &variable_table, .doc = "Values of the Dockerfile's ARGs." },
	{ "imageOptimizationPolicy", FIELD_STRING, AT(struct docker_strategy, optimization),
	  .doc = "None; SkipLayers and SkipLayersAndWarn squash the image." },
	{ "volumes", FIELD_STRUCTS, AT(struct docker_strategy, volumes), .table = &volume_table,
	  .doc = "Mounted while the build runs." },
	{ 0 },
};
static const struct table docker_table = { "Docker strategy", sizeof(struct docker_strategy),
					   docker_fields };

static const struct field s2i_fields[] = {
	{ "from", FIELD_STRUCT, AT(struct source_strategy, from), .table = &object_ref_table,
	  .is_required = true, .doc = "The builder image." },
	{ "pullSecret", FIELD_STRUCT_PTR, AT(struct source_strategy, pull_secret),
	  .table = &named_table, .doc = "A Secret to pull images with." },
	{ "env", FIELD_STRUCTS, AT(struct source_strategy, env), .table = &variable_table,
	  .doc = "Variables of the assemble script and of the image." },
	{ "scripts", FIELD_STRING, AT(struct source_strategy, scripts),
	  .doc = "URL of the scripts, instead of the builder's." },
	{ "incremental", FIELD_BOOL, AT(struct source_strategy, is_incremental), .has_given = true,
	  .given_offset = AT(struct source_strategy, has_incremental),
	  .doc = "Artifacts of the last image are used again." },
	{ "forcePull", FIELD_BOOL, AT(struct source_strategy, is_pull_forced),
	  .doc = "The builder is pulled even where it is there." },
	{ "volumes", FIELD_STRUCTS, AT(struct source_strategy, volumes), .table = &volume_table,
	  .doc = "Mounted while the build runs." },
	{ 0 },
};
static const struct table s2i_table = { "Source strategy", sizeof(struct source_strategy),
					s2i_fields };

static const struct field spec_mount_fields[] = {
	{ "secretSource", FIELD_STRUCT, AT(struct secret_spec_mount, secret), .table = &named_table,
	  .is_required = true, .doc = "The Secret." },
	{ "mountPath", FIELD_STRING, AT(struct secret_spec_mount, mount_path), .is_required = true,
	  .doc = "Where the builder sees it." },
	{ 0 },
};
static const struct table spec_mount_table = { "secret mount", sizeof(struct secret_spec_mount),
					       spec_mount_fields };
static const struct field custom_fields[] = {
	{ "from", FIELD_STRUCT, AT(struct custom_strategy, from), .table = &object_ref_table,
	  .is_required = true, .doc = "The image that builds." },
	{ "pullSecret", FIELD_STRUCT_PTR, AT(struct custom_strategy, pull_secret),
	  .table = &named_table, .doc = "A Secret to pull images with." },
	{ "env", FIELD_STRUCTS, AT(struct custom_strategy, env), .table = &variable_table,
	  .doc = "Variables of the builder." },
	{ "exposeDockerSocket", FIELD_BOOL, AT(struct custom_strategy, has_docker_socket),
	  .doc = "The builder may use this machine's container engine." },
	{ "forcePull", FIELD_BOOL, AT(struct custom_strategy, is_pull_forced),
	  .doc = "The builder is pulled even where it is there." },
	{ "secrets", FIELD_STRUCTS, AT(struct custom_strategy, secrets), .table = &spec_mount_table,
	  .doc = "Secrets that the builder sees." },
	{ "buildAPIVersion", FIELD_STRING, AT(struct custom_strategy, api_version),
	  .doc = "Of the Build that the builder is given." },
	{ 0 },
};
static const struct table custom_table = { "Custom strategy", sizeof(struct custom_strategy),
					   custom_fields };

static const struct field pipeline_fields[] = {
	{ "jenkinsfilePath", FIELD_STRING, AT(struct pipeline_strategy, path),
	  .doc = "Below the context folder. Default: Jenkinsfile." },
	{ "jenkinsfile", FIELD_STRING, AT(struct pipeline_strategy, text),
	  .doc = "The text of a Jenkinsfile." },
	{ "env", FIELD_STRUCTS, AT(struct pipeline_strategy, env), .table = &variable_table,
	  .doc = "Variables of the pipeline." },
	{ 0 },
};
static const struct table pipeline_table = { "JenkinsPipeline strategy",
					     sizeof(struct pipeline_strategy), pipeline_fields };

static const struct field strategy_fields[] = {
	{ "type", FIELD_STRING, AT(struct build_strategy, type),
	  .doc = "Legacy: Docker, Source, Custom or JenkinsPipeline; what is given decides." },
	{ "dockerStrategy", FIELD_STRUCT_PTR, AT(struct build_strategy, docker),
	  .table = &docker_table, .doc = "A Dockerfile." },
	{ "sourceStrategy", FIELD_STRUCT_PTR, AT(struct build_strategy, source),
	  .table = &s2i_table, .doc = "Source-to-Image." },
	{ "customStrategy", FIELD_STRUCT_PTR, AT(struct build_strategy, custom),
	  .table = &custom_table, .doc = "An image that builds." },
	{ "jenkinsPipelineStrategy", FIELD_STRUCT_PTR, AT(struct build_strategy, pipeline),
	  .table = &pipeline_table, .doc = "A Jenkinsfile." },
	{ 0 },
};
static const struct table strategy_table = { "build strategy", sizeof(struct build_strategy),
					     strategy_fields };

/* ---- output and the rest ---- */

static const struct field label_fields[] = {
	{ "name", FIELD_STRING, AT(struct image_label, name), .is_required = true,
	  .doc = "The label." },
	{ "value", FIELD_STRING, AT(struct image_label, value), .doc = "Its value." },
	{ 0 },
};
static const struct table label_table = { "image label", sizeof(struct image_label), label_fields };
static const struct field output_fields[] = {
	{ "to", FIELD_STRUCT_PTR, AT(struct build_output, to), .table = &object_ref_table,
	  .doc = "ImageStreamTag or DockerImage; absent: nothing is pushed." },
	{ "pushSecret", FIELD_STRUCT_PTR, AT(struct build_output, push_secret),
	  .table = &named_table, .doc = "A Secret to push with." },
	{ "imageLabels", FIELD_STRUCTS, AT(struct build_output, labels), .table = &label_table,
	  .doc = "Labels of the image." },
	{ 0 },
};
static const struct table output_table = { "build output", sizeof(struct build_output),
					   output_fields };

static const struct field written_fields[] = {
	{ "limits", FIELD_NODE, AT(struct build_common, limits),
	  .doc = "The most that a build may use: cpu, memory." },
	{ "requests", FIELD_NODE, AT(struct build_common, requests),
	  .doc = "What a build is promised: cpu, memory." },
	{ "claims", FIELD_IGNORED },
	{ 0 },
};
static const struct table written_table = { "resources", sizeof(struct build_common),
					    written_fields };

static const struct field post_commit_fields[] = {
	{ "command", FIELD_STRINGS, AT(struct post_commit, command),
	  .doc = "Runs in the new image, instead of its entrypoint." },
	{ "args", FIELD_STRINGS, AT(struct post_commit, args),
	  .doc = "Of the command, the script or the entrypoint." },
	{ "script", FIELD_STRING, AT(struct post_commit, script),
	  .doc = "Runs in a shell of the new image." },
	{ 0 },
};
static const struct table post_commit_table = { "post commit hook", sizeof(struct post_commit),
						post_commit_fields };

/* clang-format off */
#define COMMON_FIELDS                                                                              \
	{ "serviceAccount", FIELD_STRING, AT(struct build_common, service_account),                \
	  .deflt = "builder", .doc = "Whose secrets a build may use." },                           \
	{ "source", FIELD_STRUCT, AT(struct build_common, source), .table = &build_source_table,   \
	  .doc = "What is built." },                                                               \
	{ "revision", FIELD_STRUCT_PTR, AT(struct build_common, revision),                         \
	  .table = &source_revision_table, .doc = "The commit that is built, whatever the ref is at." },  \
	{ "strategy", FIELD_STRUCT, AT(struct build_common, strategy), .table = &strategy_table,   \
	  .is_required = true, .doc = "How it is built: exactly one strategy." },                  \
	{ "output", FIELD_STRUCT, AT(struct build_common, output), .table = &output_table,         \
	  .doc = "Where the image goes." },                                                        \
	{ "resources", FIELD_STRUCT, 0, .table = &written_table,                                   \
	  .doc = "Limits of CPU and memory." },                                                    \
	{ "postCommit", FIELD_STRUCT, AT(struct build_common, post_commit),                        \
	  .table = &post_commit_table, .doc = "Runs in the new image before it is pushed." },      \
	{ "completionDeadlineSeconds", FIELD_INT, AT(struct build_common, deadline_s),             \
	  .has_given = true, .given_offset = AT(struct build_common, has_deadline),                \
	  .doc = "Seconds after which a build has failed." },                                      \
	{ "nodeSelector", FIELD_STRING_MAP, AT(struct build_common, node_selector),                \
	  .doc = "Of the build pod; accepted." },                                                  \
	{ "mountTrustedCA", FIELD_BOOL, AT(struct build_common, trusts_ca),                        \
	  .doc = "The machine's certificate authorities are the build's too." }
/* clang-format on */
static const struct field common_fields[] = { COMMON_FIELDS, { 0 } };
const struct table build_common_table = { "build spec", sizeof(struct build_common),
					  common_fields };

/* ---- triggers ---- */

static const struct field webhook_fields[] = {
	{ "secret", FIELD_STRING, AT(struct webhook, secret),
	  .doc = "Deprecated: a secret in the clear. Use secretReference." },
	{ "secretReference", FIELD_STRUCT_PTR, AT(struct webhook, secret_ref),
	  .table = &named_table, .doc = "A Secret with the key WebHookSecretKey." },
	{ "allowEnv", FIELD_BOOL, AT(struct webhook, may_set_env),
	  .doc = "Generic only: the request may bring variables." },
	{ 0 },
};
static const struct table webhook_table = { "webhook trigger", sizeof(struct webhook),
					    webhook_fields };
static const struct field image_change_fields[] = {
	{ "from", FIELD_STRUCT_PTR, AT(struct image_change, from), .table = &object_ref_table,
	  .doc = "An ImageStreamTag. Default: the strategy's from." },
	{ "paused", FIELD_BOOL, AT(struct image_change, is_paused), .doc = "It does not fire." },
	{ "lastTriggeredImageID", FIELD_STRING, AT(struct image_change, last_image),
	  .doc = "Deprecated: what is recorded says it." },
	{ 0 },
};
static const struct table image_change_table = { "image change trigger",
						 sizeof(struct image_change), image_change_fields };
static const struct field trigger_fields[] = {
	{ "type", FIELD_STRING, AT(struct build_trigger, type), .is_required = true,
	  .doc = "GitHub, GitLab, Bitbucket, Generic, ImageChange or ConfigChange." },
	{ "github", FIELD_STRUCT_PTR, AT(struct build_trigger, github), .table = &webhook_table,
	  .doc = "Of a GitHub webhook." },
	{ "gitlab", FIELD_STRUCT_PTR, AT(struct build_trigger, gitlab), .table = &webhook_table,
	  .doc = "Of a GitLab webhook." },
	{ "bitbucket", FIELD_STRUCT_PTR, AT(struct build_trigger, bitbucket),
	  .table = &webhook_table, .doc = "Of a Bitbucket webhook." },
	{ "generic", FIELD_STRUCT_PTR, AT(struct build_trigger, generic), .table = &webhook_table,
	  .doc = "Of any other webhook." },
	{ "imageChange", FIELD_STRUCT_PTR, AT(struct build_trigger, image_change),
	  .table = &image_change_table, .doc = "Of an image stream tag that moves." },
	{ 0 },
};
static const struct table trigger_table = { "trigger", sizeof(struct build_trigger),
					    trigger_fields };

static const struct field build_config_fields[] = {
	COMMON_FIELDS,
	{ "triggers", FIELD_STRUCTS, AT(struct build_config_spec, triggers),
	  .table = &trigger_table, .doc = "What starts a build." },
	{ "runPolicy", FIELD_STRING, AT(struct build_config_spec, run_policy), .deflt = "Serial",
	  .doc = "Serial, SerialLatestOnly or Parallel." },
	{ "successfulBuildsHistoryLimit", FIELD_INT, AT(struct build_config_spec, success_limit),
	  .has_given = true, .given_offset = AT(struct build_config_spec, has_success_limit),
	  .doc = "Complete builds to keep. Default: 5; all in the legacy group." },
	{ "failedBuildsHistoryLimit", FIELD_INT, AT(struct build_config_spec, failed_limit),
	  .has_given = true, .given_offset = AT(struct build_config_spec, has_failed_limit),
	  .doc = "Other finished builds to keep. Default: 5; all in the legacy group." },
	{ 0 },
};
const struct table build_config_spec_table = { "BuildConfig spec", sizeof(struct build_config_spec),
					       build_config_fields };

/* ---- Build ---- */

static const struct field hook_cause_fields[] = {
	{ "revision", FIELD_STRUCT_PTR, AT(struct hook_cause, revision),
	  .table = &source_revision_table, .doc = "The commit that was pushed." },
	{ "secret", FIELD_STRING, AT(struct hook_cause, secret), .doc = "Veiled." },
	{ 0 },
};
static const struct table hook_cause_table = { "webhook cause", sizeof(struct hook_cause),
					       hook_cause_fields };
static const struct field image_cause_fields[] = {
	{ "imageID", FIELD_STRING, AT(struct image_cause, image), .doc = "The new image." },
	{ "fromRef", FIELD_STRUCT_PTR, AT(struct image_cause, from), .table = &object_ref_table,
	  .doc = "The tag that moved." },
	{ 0 },
};
static const struct table image_cause_table = { "image change cause", sizeof(struct image_cause),
						image_cause_fields };
static const struct field cause_fields[] = {
	{ "message", FIELD_STRING, AT(struct build_cause, message), .doc = "In words." },
	{ "githubWebHook", FIELD_STRUCT_PTR, AT(struct build_cause, github),
	  .table = &hook_cause_table, .doc = "A GitHub webhook." },
	{ "gitlabWebHook", FIELD_STRUCT_PTR, AT(struct build_cause, gitlab),
	  .table = &hook_cause_table, .doc = "A GitLab webhook." },
	{ "bitbucketWebHook", FIELD_STRUCT_PTR, AT(struct build_cause, bitbucket),
	  .table = &hook_cause_table, .doc = "A Bitbucket webhook." },
	{ "genericWebHook", FIELD_STRUCT_PTR, AT(struct build_cause, generic),
	  .table = &hook_cause_table, .doc = "Another webhook." },
	{ "imageChangeBuild", FIELD_STRUCT_PTR, AT(struct build_cause, image),
	  .table = &image_cause_table, .doc = "An image stream tag that moved." },
	{ 0 },
};
const struct table build_cause_table = { "build cause", sizeof(struct build_cause), cause_fields };

static const struct field build_fields[] = {
	COMMON_FIELDS,
	{ "triggeredBy", FIELD_STRUCTS, AT(struct build_spec, triggered_by),
	  .table = &build_cause_table, .doc = "Why the build was made." },
	{ 0 },
};
const struct table build_spec_table = { "Build spec", sizeof(struct build_spec), build_fields };
