/* SPDX-License-Identifier: Apache-2.0 */
/* build_env.c — see build_env.h. */
#include "model/kind/build_env.h"

#include <string.h>

#include "model/base/limits.h"

static const struct env_var *find(const struct list *vars, const char *name, size_t n)
{
	for (size_t i = vars->n; i; i--) {
		const struct env_var *var = LIST_AT(*vars, struct env_var, i - 1);

		if (var->name && strncmp(var->name, name, n) == 0 && !var->name[n])
			return var;
	}
	return NULL;
}

/* What stands at a '$': its bytes are taken off, what it means is put. */
static const char *expand_one(const char *at, const struct list *vars, struct buf *out)
{
	const char *end = at[1] == '(' ? strchr(at + 2, ')') : NULL;
	const struct env_var *var;

	if (at[1] == '$') {
		buf_byte(out, '$');
		return at + 2;
	}
	if (!end) { /* no variable: as written */
		size_t n = at[1] ? 2 : 1;

		buf_add(out, at, n);
		return at + n;
	}
	var = find(vars, at + 2, (size_t)(end - at) - 2);
	if (var)
		buf_puts(out, var->value ? var->value : "");
	else
		buf_add(out, at, (size_t)(end - at) + 1);
	return end + 1;
}

char *env_expand(const char *text, const struct list *vars, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(LIMIT_ENV_FILE);

	while (*text) {
		size_t n = strcspn(text, "$");

		buf_add(&out, text, n);
		text += n;
		if (*text)
			text = expand_one(text, vars, &out);
	}
	return buf_copy(&out, arena);
}

bool env_resolve(const struct list *vars, env_lookup_fn lookup, void *context, struct arena *arena,
		 struct list *out, struct err *err)
{
	struct env_var *all = arena_array(arena, vars->n, sizeof(*all));

	*out = (struct list){ 0 };
	for (size_t i = 0; i < vars->n; i++) {
		const struct env_var *var = LIST_AT(*vars, struct env_var, i);
		const struct list before = { all, i };
		const char *value = "";

		if (var->value && *var->value)
			value = env_expand(var->value, &before, arena);
		else if (var->value_from && !lookup(context, var->value_from, &value, err))
			return err_prefix(err, "variable '%s'", var->name);
		all[i] = (struct env_var){ .name = var->name, .value = value, .pos = var->pos };
	}
	*out = (struct list){ all, vars->n };
	return true;
}

static bool has(const struct list *vars, const char *name)
{
	return find(vars, name, strlen(name)) != NULL;
}

struct list env_merge(const struct list *base, const struct list *over, struct arena *arena)
{
	struct env_var *all = arena_array(arena, base->n + over->n, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < base->n; i++)
		if (!has(over, LIST_AT(*base, struct env_var, i)->name))
			all[n++] = *LIST_AT(*base, struct env_var, i);
	for (size_t i = 0; i < over->n; i++)
		all[n++] = *LIST_AT(*over, struct env_var, i);
	return (struct list){ all, n };
}

struct list env_override(const struct list *base, const struct list *over, struct arena *arena)
{
	struct env_var *all = arena_array(arena, base->n + over->n, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < base->n; i++) {
		const struct env_var *var = LIST_AT(*base, struct env_var, i);
		const struct env_var *new_one = find(over, var->name, strlen(var->name));

		all[n++] = new_one ? *new_one : *var;
	}
	for (size_t i = 0; i < over->n; i++) {
		const struct env_var *var = LIST_AT(*over, struct env_var, i);

		if (!has(base, var->name))
			all[n++] = *var;
	}
	return (struct list){ all, n };
}
