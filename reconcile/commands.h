/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h — the functions of the command table, one file per group: cmd_<verb>.c. Each returns an exit code. */
#ifndef RECONCILE_COMMANDS_H
#define RECONCILE_COMMANDS_H

#include "reconcile/context.h"

command_fn cmd_run, cmd_validate, cmd_schema, cmd_graph, cmd_why;
command_fn cmd_image_list, cmd_image_status;
command_fn cmd_image_create, cmd_image_patch, cmd_image_save, cmd_image_delete, cmd_image_trigger;
command_fn cmd_build_list, cmd_build_status, cmd_build_logs;
command_fn cmd_builder_list, cmd_builder_status, cmd_cluster_builder_list,
	cmd_cluster_builder_status;
command_fn cmd_stack_list, cmd_stack_status, cmd_store_list, cmd_store_status;
command_fn cmd_worker, cmd_help, cmd_completion, cmd_man, cmd_version;

#endif
