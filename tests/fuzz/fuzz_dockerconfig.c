/* links: exec_registry */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dockerconfig.c — any bytes as a credentials file, a CNB_REGISTRY_AUTH, a helper's answer, a token server's, a key and an error body. */
#include <stdint.h>
#include <string.h>

#include "buildexec/registry/auth.h"
#include "buildexec/registry/dockerconfig.h"
#include "buildexec/registry/remote_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *json = arena_copy(arena, data, size);
	struct credential credential;
	struct logins logins;
	const char *token;
	int64_t life_s;
	struct err err = { 0 };
	const char *key = auth_key(json, arena);

	if (dockerconfig_parse(json, size, arena, &logins, &err))
		for (size_t i = 0; i < logins.n; i++)
			if (!logins.v[i].helper && credential_is_empty(&logins.v[i].credential))
				BUG("a login without credentials");
	(void)!cnb_auth_parse(json, size, arena, &logins, &err);
	(void)!helper_answer_parse(json, size, arena, &credential, &err);
	if (token_answer_parse(json, size, arena, &token, &life_s, &err) &&
	    (!*token || strpbrk(token, " \r\n\t") || life_s <= 0))
		BUG("a token that is none: '%s' for %lld s", token, (long long)life_s);
	if (!strchr(key, '*') && !auth_key_matches(key, key))
		BUG("'%s' does not match itself", key);
	(void)auth_key_matches(key, "registry.example.com:5000/team/app");
	if (strpbrk(remote_words(json, strlen(json), arena), "\x1b\r\n"))
		BUG("words that are not harmless");
	arena_free(arena);
	return 0;
}
