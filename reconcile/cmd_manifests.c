/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_manifests.c — commands that need manifests alone: `validate`, `schema`. */
#include <string.h>

#include "model/doc/json.h"
#include "model/kind/kind.h"
#include "reconcile/commands.h"

int cmd_validate(struct context *context)
{
	int code = context_load(context);
	const struct model *model = &context->loaded.model;

	if (code != EXIT_DONE)
		return code;
	buf_printf(&context->out, "%zu object%s in %zu file%s %s valid", model->objects.n,
		   model->objects.n == 1 ? "" : "s", model->n_files, model->n_files == 1 ? "" : "s",
		   model->objects.n == 1 ? "is" : "are");
	if (model->n_ignored)
		buf_printf(&context->out, "; %zu of other kinds are ignored", model->n_ignored);
	if (context->loaded.diags.n_warnings)
		buf_printf(&context->out, "; %zu warning%s", context->loaded.diags.n_warnings,
			   context->loaded.diags.n_warnings == 1 ? "" : "s");
	buf_byte(&context->out, '\n');
	return EXIT_DONE;
}

int cmd_schema(struct context *context)
{
	const struct node *schema;
	enum kind kind = KIND_NONE;

	if (context->options.args.n) {
		kind = kind_by_word(context->options.args.v[0]);
		if (kind != KIND_NONE && kind_info(kind)->is_workload) {
			log_line(LOG_ERROR,
				 "the schema of %s is that of Kubernetes: only image fields are "
				 "ours",
				 kind_name(kind));
			return EXIT_USAGE;
		}
		if (kind == KIND_NONE) {
			const char *names[KINDS], *near;
			size_t n = 0;

			for (enum kind k = KIND_NONE + 1; k < KINDS; k++)
				if (!kind_info(k)->is_workload)
					names[n++] = kind_name(k);
			near = suggest(context->options.args.v[0], names, n);
			log_line(LOG_ERROR, "unknown kind '%s'%s%s%s", context->options.args.v[0],
				 near ? "; did you mean '" : "", near ? near : "",
				 near ? "'?" : "");
			return EXIT_USAGE;
		}
	}
	schema = kind == KIND_NONE ? kinds_schema(context->arena)
				   : kind_schema(kind, context->arena);
	json_print(schema, JSON_PRETTY, &context->out);
	buf_byte(&context->out, '\n');
	return EXIT_DONE;
}
