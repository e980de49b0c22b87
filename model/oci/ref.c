/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.c — splits a reference from the outside in (digest, tag, domain, path) and checks each part
 * by its own rule, so that a message can say which part is wrong and why. Resolves nothing and
 * looks nowhere. Spec: distribution/reference regexp.go (grammar), normalize.go (defaults).
 */
#include "model/oci/ref.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"

/* distribution/reference counts the path below the domain. */
enum { REPO_MAX = 255, TAG_MAX = 128, PORT_MAX = 65535 };

#define DEFAULT_REGISTRY "index.docker.io"
#define DEFAULT_TAG      "latest"

struct slice {
	const char *v;
	size_t n;
};

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool slice_is(struct slice s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.v, text, s.n) == 0;
}

/* Why one part between slashes is wrong, or NULL. */
static const char *component_problem(struct slice part)
{
	size_t i = 0;

	if (part.n == 0)
		return "has an empty part between slashes";
	for (size_t k = 0; k < part.n; k++) {
		if (part.v[k] >= 'A' && part.v[k] <= 'Z')
			return "must be lower case";
		if (!is_lower_alnum(part.v[k]) && !strchr("._-", part.v[k]))
			return "has a character outside a-z, 0-9, '.', '_', '-' and '/'";
	}
	while (i < part.n) {
		size_t start = i;

		while (i < part.n && is_lower_alnum(part.v[i]))
			i++;
		if (i == start)
			return "has a part that does not begin with a letter or digit, or "
			       "doubled separators";
		if (i == part.n)
			return NULL;
		if (part.v[i] == '-')
			while (i < part.n && part.v[i] == '-')
				i++;
		else if (part.v[i] == '_' && i + 1 < part.n && part.v[i + 1] == '_')
			i += 2;
		else
			i++;
	}
	return "has a part that does not end with a letter or digit";
}

static const char *path_problem(struct slice path)
{
	size_t start = 0;

	if (path.n == 0)
		return "is empty";
	if (path.n > REPO_MAX)
		return "is longer than 255 bytes";
	for (size_t i = 0; i <= path.n; i++) {
		const char *problem;

		if (i < path.n && path.v[i] != '/')
			continue;
		problem = component_problem((struct slice){ path.v + start, i - start });
		if (problem)
			return problem;
		start = i + 1;
	}
	return NULL;
}

static const char *port_problem(struct slice port)
{
	long value = 0;

	if (port.n == 0 || port.n > 5)
		return "has no valid port behind ':'";
	for (size_t i = 0; i < port.n; i++) {
		if (port.v[i] < '0' || port.v[i] > '9')
			return "has no valid port behind ':'";
		value = value * 10 + (port.v[i] - '0');
	}
	return value >= 1 && value <= PORT_MAX ? NULL : "has a port outside 1 … 65535";
}

/* Dot-separated labels of letters, digits and inner dashes. */
static const char *hostname_problem(struct slice host)
{
	size_t start = 0;

	for (size_t i = 0; i <= host.n; i++) {
		if (i < host.n && host.v[i] != '.') {
			if (!is_alnum(host.v[i]) && host.v[i] != '-')
				return "has a character that a host name cannot have";
			continue;
		}
		if (i == start || host.v[start] == '-' || host.v[i - 1] == '-')
			return "is not a host name";
		start = i + 1;
	}
	return NULL;
}

static const char *domain_problem(struct slice domain)
{
	const char *colon;
	struct slice host = domain;

	if (domain.n > 0 && domain.v[0] == '[') {
		const char *close = memchr(domain.v, ']', domain.n);

		if (!close || close == domain.v + 1)
			return "has no valid IPv6 address in brackets";
		for (const char *c = domain.v + 1; c < close; c++)
			if (!isxdigit((unsigned char)*c) && *c != ':')
				return "has no valid IPv6 address in brackets";
		host.n = (size_t)(close + 1 - domain.v);
		if (host.n == domain.n)
			return NULL;
		if (close[1] != ':')
			return "has text behind the bracket that is no port";
		return port_problem((struct slice){ close + 2, domain.n - host.n - 1 });
	}
	colon = memchr(domain.v, ':', domain.n);
	if (colon) {
		const char *problem;

		host.n = (size_t)(colon - domain.v);
		problem = port_problem((struct slice){ colon + 1, domain.n - host.n - 1 });
		if (problem)
			return problem;
	}
	return hostname_problem(host);
}

bool ref_tag_is_valid(const char *tag)
{
	size_t n = strlen(tag);

	if (n == 0 || n > TAG_MAX || tag[0] == '.' || tag[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(tag[i]) && !strchr("_.-", tag[i]))
			return false;
	return true;
}

/* A first part is a domain when it could not be a path on Docker Hub: it has a dot or a port, or is
 * "localhost". */
static void split_domain(struct slice name, struct slice *domain, struct slice *path)
{
	const char *slash = memchr(name.v, '/', name.n);
	struct slice first = name;

	*domain = (struct slice){ NULL, 0 };
	*path = name;
	if (!slash)
		return;
	first.n = (size_t)(slash - name.v);
	if (!memchr(first.v, '.', first.n) && !memchr(first.v, ':', first.n) &&
	    !slice_is(first, "localhost"))
		return;
	*domain = first;
	*path = (struct slice){ slash + 1, name.n - first.n - 1 };
}

static bool parse_digest(const char *text, const char *at, struct arena *arena, struct ref *out,
			 struct err *err)
{
	if (!at)
		return true;
	if (!digest_is_valid(at + 1))
		return err_set(err, ERR_INVALID, "cannot parse reference '%s': %s", text,
			       strncmp(at + 1, "sha512:", 7) == 0
				       ? "sha512 digests are not supported"
				       : "the digest is not 'sha256:' and 64 hex digits");
	out->digest = arena_strdup(arena, at + 1);
	return true;
}

/* The tag stands behind the last ':' that no '/' follows. */
static bool parse_tag(const char *text, struct slice *rest, struct arena *arena, struct ref *out,
		      struct err *err)
{
	size_t i = rest->n;

	while (i > 0 && rest->v[i - 1] != ':' && rest->v[i - 1] != '/' && rest->v[i - 1] != ']')
		i--;
	if (i > 0 && rest->v[i - 1] == ':') {
		const char *tag = arena_copy(arena, rest->v + i, rest->n - i);

		if (!ref_tag_is_valid(tag))
			return err_set(
				err, ERR_INVALID,
				"cannot parse reference '%s': the tag must be 1 to 128 "
				"letters, digits, '_', '.' and '-', not begin with '.' or '-'",
				text);
		out->tag = tag;
		out->has_tag = true;
		rest->n = i - 1;
	} else if (!out->digest) {
		out->tag = DEFAULT_TAG;
	}
	return true;
}

static bool parse_name(const char *text, struct slice name, struct arena *arena, struct ref *out,
		       struct err *err)
{
	struct slice domain, path;
	const char *problem;

	split_domain(name, &domain, &path);
	problem = domain.v ? domain_problem(domain) : NULL;
	if (problem)
		return err_set(err, ERR_INVALID, "cannot parse reference '%s': the registry %s",
			       text, problem);
	problem = path_problem(path);
	if (problem)
		return err_set(err, ERR_INVALID, "cannot parse reference '%s': the repository %s",
			       text, problem);
	if (!domain.v || slice_is(domain, "docker.io") || slice_is(domain, DEFAULT_REGISTRY))
		out->registry = DEFAULT_REGISTRY;
	else
		out->registry = arena_copy(arena, domain.v, domain.n);
	out->repo = arena_copy(arena, path.v, path.n);
	if (strcmp(out->registry, DEFAULT_REGISTRY) == 0 && !strchr(out->repo, '/'))
		out->repo = arena_printf(arena, "library/%s", out->repo);
	return strlen(out->repo) <= REPO_MAX ||
	       err_set(err, ERR_INVALID,
		       "cannot parse reference '%s': the repository is longer than 255 bytes",
		       text);
}

bool ref_parse(const char *text, struct arena *arena, struct ref *out, struct err *err)
{
	struct ref ref = { 0 };
	const char *at = strchr(text, '@');
	struct slice rest = { text, at ? (size_t)(at - text) : strlen(text) };

	*out = ref;
	if (rest.n == 0)
		return err_set(err, ERR_INVALID, "cannot parse reference '%s': the name is empty",
			       text);
	if (!parse_digest(text, at, arena, &ref, err) ||
	    !parse_tag(text, &rest, arena, &ref, err) || !parse_name(text, rest, arena, &ref, err))
		return false;
	*out = ref;
	return true;
}

char *ref_format(const struct ref *ref, struct arena *arena)
{
	const char *parts[] = { ref->registry, "/",
				ref->repo,     ref->tag ? ":" : NULL,
				ref->tag,      ref->digest ? "@" : NULL,
				ref->digest };

	return arena_concat(arena, parts, COUNTOF(parts));
}

char *ref_name(const struct ref *ref, struct arena *arena)
{
	return arena_printf(arena, "%s/%s", ref->registry, ref->repo);
}

char *ref_pinned(const struct ref *ref, const char *digest, struct arena *arena)
{
	return arena_printf(arena, "%s/%s@%s", ref->registry, ref->repo, digest);
}

const char *ref_identifier(const struct ref *ref)
{
	return ref->digest ? ref->digest : ref->tag;
}
