/* SPDX-License-Identifier: Apache-2.0 */
/* bc_request.c — the field tables of bc_request.h. */
#include "model/kind/bc_request.h"

static const char *const purposes[] = { FILES_INPUT, FILES_VOLUME, FILES_CUSTOM, FILES_PUSH,
					FILES_PULL,  FILES_SOURCE, NULL };
static const struct field files_fields[] = {
	{ "purpose", FIELD_ENUM, AT(struct request_files, purpose), .values = purposes,
	  .is_required = true },
	{ "name", FIELD_STRING, AT(struct request_files, name), .is_required = true },
	{ "destination", FIELD_STRING, AT(struct request_files, destination) },
	{ "files", FIELD_STRING_MAP, AT(struct request_files, files) },
	{ "secret", FIELD_BOOL, AT(struct request_files, is_secret) },
	{ "mode", FIELD_INT, AT(struct request_files, mode), .min = 0, .max = 0777 },
	{ 0 },
};
static const struct table files_table = { "files", sizeof(struct request_files), files_fields };

static const struct field binary_fields[] = {
	{ "path", FIELD_STRING, AT(struct request_binary, path), .is_required = true },
	{ "content", FIELD_STRING, AT(struct request_binary, content) },
	{ "asFile", FIELD_STRING, AT(struct request_binary, as_file) },
	{ 0 },
};
static const struct table binary_table = { "binary", sizeof(struct request_binary), binary_fields };

static const struct field jenkins_fields[] = {
	{ "url", FIELD_STRING, AT(struct request_jenkins, url), .is_required = true },
	{ "user", FIELD_STRING, AT(struct request_jenkins, user) },
	{ "token", FIELD_STRING, AT(struct request_jenkins, token) },
	{ "caFile", FIELD_STRING, AT(struct request_jenkins, ca_file) },
	{ "insecure", FIELD_BOOL, AT(struct request_jenkins, is_insecure) },
	{ 0 },
};
static const struct table jenkins_table = { "jenkins", sizeof(struct request_jenkins),
					    jenkins_fields };

static const struct field request_fields[] = {
	{ "config", FIELD_STRING, AT(struct bc_request, config), .is_required = true },
	{ "build", FIELD_STRING, AT(struct bc_request, build), .is_required = true },
	{ "namespace", FIELD_STRING, AT(struct bc_request, ns) },
	{ "number", FIELD_INT, AT(struct bc_request, number), .min = 1, .max = INT32_MAX },
	{ "spec", FIELD_STRUCT, AT(struct bc_request, spec), &build_common_table,
	  .is_required = true },
	{ "files", FIELD_STRUCTS, AT(struct bc_request, files), &files_table },
	{ "binary", FIELD_STRUCT_PTR, AT(struct bc_request, binary), &binary_table },
	{ "buildJson", FIELD_STRING, AT(struct bc_request, build_json) },
	{ "dockerSocket", FIELD_STRING, AT(struct bc_request, docker_socket) },
	{ "jenkins", FIELD_STRUCT_PTR, AT(struct bc_request, jenkins), &jenkins_table },
	{ "hidden", FIELD_STRINGS, AT(struct bc_request, hidden) },
	{ 0 },
};
const struct table bc_request_table = { "build config request", sizeof(struct bc_request),
					request_fields };
