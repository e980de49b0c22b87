/* SPDX-License-Identifier: Apache-2.0 */
/* place.c — prefix rules and host names. */
#include "buildexec/registry/place.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HUB          "index.docker.io"
#define HUB_API_HOST "registry-1.docker.io" /* what answers /v2/ for Docker Hub */

/* Bytes of `name` that the prefix covers; 0 when it does not. "docker.io" is index.docker.io. */
static size_t prefix_match(const char *prefix, const char *name)
{
	size_t n = strlen(prefix);
	const char *rest = name;

	while (n > 0 && prefix[n - 1] == '/')
		n--;
	if (n >= 9 && memcmp(prefix, "docker.io", 9) == 0 && (n == 9 || prefix[9] == '/')) {
		if (strncmp(name, "index.", 6) != 0)
			return 0;
		rest = name + 6;
	} else if (n > 2 && prefix[0] == '*' && prefix[1] == '.') {
		size_t n_host = strcspn(name, "/");
		size_t n_tail = 0;

		while (n_tail < n - 1 && prefix[1 + n_tail] != '/')
			n_tail++;
		if (n_host <= n_tail)
			return 0;
		prefix++;
		n--;
		rest = name + (n_host - n_tail);
	}
	if (strncmp(rest, prefix, n) != 0 || (rest[n] != '\0' && rest[n] != '/'))
		return 0;
	return (size_t)(rest - name) + n;
}

static const struct registry_rule *find_rule(const struct registry_rules *rules, const char *name,
					     size_t *n_covered)
{
	const struct registry_rule *best = NULL;
	size_t best_len = 0;

	*n_covered = 0;
	for (size_t i = 0; rules && i < rules->list.n; i++) {
		const struct registry_rule *rule = &rules->list.v[i];
		size_t n = prefix_match(rule->prefix, name);

		if (n > 0 && strlen(rule->prefix) > best_len) {
			best = rule;
			best_len = strlen(rule->prefix);
			*n_covered = n;
		}
	}
	return best;
}

/* A part of the path must not have the name of a file of the layout above it. */
static bool layout_name_is_free(const char *repo)
{
	static const char *const taken[] = { "blobs", "index.json", "oci-layout" };
	const char *part = strchr(repo, '/');

	for (; part; part = strchr(part, '/')) {
		size_t n = strcspn(++part, "/");

		for (size_t i = 0; i < COUNTOF(taken); i++)
			if (n == strlen(taken[i]) && memcmp(part, taken[i], n) == 0)
				return false;
	}
	return true;
}

static bool set_http(const char *name, struct arena *arena, struct place *out, struct err *err)
{
	struct ref ref;

	if (!ref_parse(name, arena, &ref, err))
		return false;
	out->host = strcmp(ref.registry, HUB) == 0 ? HUB_API_HOST : ref.registry;
	out->repo = ref.repo;
	return true;
}

bool place_find(const struct registry_rules *rules, const struct ref *ref, struct arena *arena,
		struct place *out, struct err *err)
{
	char *name = ref_name(ref, arena);
	size_t n_covered;
	const struct registry_rule *rule = find_rule(rules, name, &n_covered);

	*out = (struct place){ .rule = rule,
			       .shown = name,
			       .is_insecure = rule && rule->is_insecure };
	if (rule && rule->is_blocked)
		return err_set(err, ERR_DENIED, "cannot use '%s': '%s' is blocked by the settings",
			       name, rule->prefix);
	if (rule && rule->layout) {
		if (!layout_name_is_free(ref->repo))
			return err_set(err, ERR_INVALID,
				       "cannot keep '%s' in a folder: a part of its name is a name "
				       "of the layout's own",
				       name);
		out->layout = arena_printf(arena, "%s/%s", rule->layout, name);
		out->host = ref->registry;
		out->repo = ref->repo;
		return true;
	}
	if (!rule || !rule->location)
		return set_http(name, arena, out, err);
	return set_http(arena_printf(arena, "%s%s", rule->location, name + n_covered), arena, out,
			err) ||
	       err_prefix(err, "location of the rule for '%s'", rule->prefix);
}

bool place_find_readable(const struct registry_rules *rules, const struct ref *ref,
			 struct arena *arena, struct places *out, struct err *err)
{
	const char *name = ref_name(ref, arena);
	struct place last;
	size_t n_covered;

	*out = (struct places){ 0 };
	if (!place_find(rules, ref, arena, &last, err))
		return false;
	find_rule(rules, name, &n_covered);
	for (size_t i = 0; last.rule && i < last.rule->mirrors.n; i++) {
		const char *there =
			arena_printf(arena, "%s%s", last.rule->mirrors.v[i], name + n_covered);
		size_t ignored;
		/* A mirror's own rule says how to speak to it; where it is, the mirror's name says.
		 */
		struct place mirror = { .rule = find_rule(rules, there, &ignored), .shown = name };

		mirror.is_insecure = mirror.rule && mirror.rule->is_insecure;
		if (!set_http(there, arena, &mirror, err))
			return err_prefix(err, "mirror of the rule for '%s'", last.rule->prefix);
		vec_push(arena, out, mirror);
	}
	vec_push(arena, out, last);
	return true;
}

/* The host without its port. */
static size_t host_len(const char *host)
{
	const char *close = host[0] == '[' ? strchr(host, ']') : NULL;

	return close ? (size_t)(close + 1 - host) : strcspn(host, ":");
}

static bool is_ipv4(const char *host, size_t n)
{
	return n > 0 && strspn(host, "0123456789.") >= n;
}

bool host_is_local(const char *host)
{
	size_t n = host_len(host);

	return (n == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (n == 5 && memcmp(host, "[::1]", 5) == 0) ||
	       (is_ipv4(host, n) && strncmp(host, "127.", 4) == 0);
}

/*
 * Where the registered domain begins: two labels, three below the usual second levels of countries
 * ("co.uk"). An approximation of the public suffix list, on the careful side for what it guards:
 * who may see a password.
 */
static size_t registered_start(const char *host, size_t n)
{
	static const char *const second_levels[] = { "ac",  "co",   "com", "edu", "gob",
						     "gov", "govt", "mil", "net", "ne",
						     "nom", "or",   "org", "go",  "gv" };
	size_t starts[3] = { 0 };
	size_t n_labels = 0;
	size_t second, n_second, n_top;

	for (size_t i = n; i > 0 && n_labels < 3; i--)
		if (i == 1 || host[i - 2] == '.')
			starts[n_labels++] = i - 1;
	if (n_labels < 3)
		return 0;
	second = starts[1];
	n_second = starts[0] - 1 - second;
	n_top = n - starts[0];
	for (size_t i = 0; n_top == 2 && i < COUNTOF(second_levels); i++)
		if (strlen(second_levels[i]) == n_second &&
		    strncasecmp(host + second, second_levels[i], n_second) == 0)
			return starts[2];
	return second;
}

bool host_is_related(const char *a, const char *b)
{
	size_t n_a = host_len(a), n_b = host_len(b);
	size_t start_a, start_b;

	if (n_a == n_b && strncasecmp(a, b, n_a) == 0)
		return true;
	if (host_is_local(a) && host_is_local(b))
		return true;
	if (is_ipv4(a, n_a) || is_ipv4(b, n_b) || a[0] == '[' || b[0] == '[')
		return false;
	start_a = registered_start(a, n_a);
	start_b = registered_start(b, n_b);
	/* A name without a dot is a host of its own. */
	if (!memchr(a + start_a, '.', n_a - start_a))
		return false;
	return n_a - start_a == n_b - start_b &&
	       strncasecmp(a + start_a, b + start_b, n_a - start_a) == 0;
}
