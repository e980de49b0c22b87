/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_add.c — see daemon_add.h. Nothing is expanded: what could be an address in the end is refused. */
#include "buildexec/engine/daemon_add.h"

#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\v\f\r\n";

/* Quotes vanish wherever they stand, in lists of JSON and in words. */
static bool may_be_address(const char *args, char escape)
{
	static const char mark[] = "://";
	size_t n_seen = 0;

	for (; *args; args++) {
		if (*args == '$' || *args == '\\' || *args == escape)
			return true;
		if (*args == '\'' || *args == '"')
			continue;
		n_seen = *args == mark[n_seen] ? n_seen + 1 : *args == mark[0];
		if (n_seen == sizeof(mark) - 1)
			return true;
	}
	return false;
}

/* "ADD a /b", as ONBUILD has it. */
static bool trigger_may_fetch(const char *text, char escape)
{
	text += strspn(text, blanks);
	return strncasecmp(text, "ADD", 3) == 0 && text[3] && strchr(blanks, text[3]) &&
	       may_be_address(text + 3, escape);
}

static bool refuse(const char *where, struct err *err)
{
	return err_set(
		err, ERR_INVALID,
		"%s: builds have no network here, and what ADD names by an address, a variable "
		"or with an escape a Docker daemon may fetch with its own (install buildah and "
		"crun, or name files of the source)",
		where);
}

static bool check_base(const struct engine_base *base, struct err *err)
{
	const struct node *list = node_at(base->image.config.tree, "config", "OnBuild", NULL);

	for (const struct node *one = list && list->kind == NODE_SEQ ? list->first : NULL; one;
	     one = one->next)
		if (one->kind == NODE_STRING && trigger_may_fetch(one->text, '\\'))
			return refuse("ONBUILD of a base image", err) ||
			       err_prefix(err, "'%s'", base->name);
	return true;
}

bool daemon_add_check(const struct dockerfile *file, const struct engine_bases *bases,
		      struct err *err)
{
	for (size_t i = 0; i < file->n; i++) {
		const struct docker_instruction *one = &file->v[i];

		if ((strcmp(one->name, "ADD") == 0 && may_be_address(one->args, file->escape)) ||
		    (strcmp(one->name, "ONBUILD") == 0 &&
		     trigger_may_fetch(one->args, file->escape)))
			return refuse(one->name, err) ||
			       err_prefix(err, "line %u of the Dockerfile", one->line);
	}
	for (size_t i = 0; i < bases->n; i++)
		if (!check_base(&bases->v[i], err))
			return false;
	return true;
}
