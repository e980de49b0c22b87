/* SPDX-License-Identifier: Apache-2.0 */
/* settings_updates.c — `updates` of the settings: how edits of manifests are written. */
#include <string.h>

#include "model/kind/check.h"
#include "model/kind/settings.h"

static const char *const writes[] = { "none", "files", "commit", NULL };
static const char *const methods[] = { "ssh", "gpg", NULL };
/* What a message may have between {{ and }}. */
static const char *const variables[] = { "summary", "changes", "run", "source" };

static const struct field author_fields[] = {
	{ "name", FIELD_STRING, AT(struct settings_updates, author_name),
	  .doc = "Default: the author of state commits." },
	{ "email", FIELD_STRING, AT(struct settings_updates, author_email),
	  .doc = "Default: the author of state commits." },
	{ 0 },
};
static const struct table author_table = { "author", sizeof(struct settings_updates),
					   author_fields };
static const struct field sign_fields[] = {
	{ "method", FIELD_ENUM, AT(struct settings_updates, sign_method), .values = methods,
	  .doc = "ssh: ssh-keygen; gpg: gpg. Only from a trusted place." },
	{ "key", FIELD_STRING, AT(struct settings_updates, sign_key),
	  .doc = "File of the ssh key, or name of the gpg key. Only from a trusted place." },
	{ 0 },
};
static const struct table sign_table = { "sign", sizeof(struct settings_updates), sign_fields };
static const struct field updates_fields[] = {
	{ "write", FIELD_ENUM, AT(struct settings_updates, write), .values = writes,
	  .deflt = "none",
	  .doc = "none: edits are only shown; files: in place; commit: to the manifests' "
		 "repository." },
	{ "branch", FIELD_STRING, AT(struct settings_updates, branch),
	  .doc = "Where they are committed; default: the branch that is checked out." },
	{ "push", FIELD_BOOL, AT(struct settings_updates, is_pushed), .deflt = "true",
	  .doc = "To origin; false: to the repository that holds the manifests." },
	{ "message", FIELD_STRING, AT(struct settings_updates, message),
	  .doc = "Of commits, with {{summary}}, {{changes}}, {{run}}, {{source}}." },
	{ "author", FIELD_STRUCT, 0, .table = &author_table, .doc = "Who commits." },
	{ "sign", FIELD_STRUCT, 0, .table = &sign_table, .doc = "How commits are signed." },
	{ 0 },
};
const struct table settings_updates_table = { "updates settings", sizeof(struct settings_updates),
					      updates_fields };

static bool is_variable(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNTOF(variables); i++)
		if (strlen(variables[i]) == n && strncmp(variables[i], name, n) == 0)
			return true;
	return false;
}

static void check_message(const struct checker *c, const char *message)
{
	for (const char *at = message; (at = strstr(at, "{{")) != NULL; at += 2) {
		const char *name = at + 2 + strspn(at + 2, " ."), *end = strstr(name, "}}");
		size_t n = end ? (size_t)(end - name) : 0;

		while (n && name[n - 1] == ' ')
			n--;
		if (!end || !is_variable(name, n)) {
			check_fail(
				c, "updates.message",
				"'{{%.*s' is none of {{summary}}, {{changes}}, {{run}}, {{source}}",
				(int)(end ? end + 2 - at - 2 : 20), at + 2);
			return;
		}
	}
}

void settings_updates_check(const struct checker *c, const struct settings_updates *updates)
{
	if (updates->branch && !branch_is_valid(updates->branch))
		check_invalid(c, "updates.branch", updates->branch, "must be the name of a branch");
	if (updates->message)
		check_message(c, updates->message);
	if (!updates->author_name != !updates->author_email)
		check_fail(c, "updates.author", "missing field(s): updates.author.%s",
			   updates->author_name ? "email" : "name");
	if (!updates->sign_method != !updates->sign_key)
		check_fail(c, "updates.sign", "missing field(s): updates.sign.%s",
			   updates->sign_method ? "key" : "method");
}
