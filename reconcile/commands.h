/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h — the functions of the command table, one file per group: cmd_<verb>.c. Each returns an exit code. */
#ifndef RECONCILE_COMMANDS_H
#define RECONCILE_COMMANDS_H

#include "reconcile/context.h"

command_fn cmd_run, cmd_validate, cmd_schema, cmd_graph, cmd_why;
command_fn cmd_image_list, cmd_image_status;
/* By the kind that the command's first word names. */
command_fn cmd_object_create, cmd_object_patch, cmd_object_save, cmd_object_delete;
command_fn cmd_part_list, cmd_part_status;
command_fn cmd_image_trigger, cmd_store_remove;
command_fn cmd_secret_create, cmd_secret_delete, cmd_secret_list;
command_fn cmd_config_repository, cmd_config_account, cmd_import;
command_fn cmd_start_build;
command_fn cmd_build_list, cmd_build_status, cmd_build_logs, cmd_build_cancel;
command_fn cmd_buildconfig_list, cmd_buildconfig_describe;
command_fn cmd_stream_list, cmd_stream_describe, cmd_stream_lookup, cmd_describe, cmd_get;
command_fn cmd_tag, cmd_import_any, cmd_stream_import, cmd_prune_builds, cmd_prune_images;
command_fn cmd_state_push;
command_fn cmd_worker, cmd_help, cmd_completion, cmd_man, cmd_version;

#endif
