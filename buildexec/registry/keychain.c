/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keychain.c — gathers logins from their places once, then answers by the most specific key; among
 * equal keys the place that comes first. Helpers are programs of the user: they are run only when a
 * login needs one, each question once.
 */
#include "buildexec/registry/keychain.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "buildexec/registry/dockerconfig.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"

enum { HELPER_TIMEOUT_MS = 10000, HELPER_ANSWER_BYTES = 64 << 10, HELPER_NAME_MAX = 64 };

/* An answer of a helper, "no credentials" too. */
struct answer {
	const char *helper, *server;
	struct credential credential;
};

struct keychain {
	struct arena *arena;
	struct logins logins; /* in order of precedence */
	bool with_helpers;
	pthread_mutex_t lock; /* of what follows */
	struct arena *answers_arena;
	VEC(struct answer) answers;
};

static void hide(const char *text)
{
	if (text)
		secret_add(text, strlen(text));
}

static void hide_credential(const struct credential *credential)
{
	hide(credential->password);
	hide(credential->identity_token);
	hide(credential->registry_token);
}

static void append(struct keychain *keychain, const struct logins *logins)
{
	for (size_t i = 0; i < logins->n; i++) {
		hide_credential(&logins->v[i].credential);
		vec_push(keychain->arena, &keychain->logins, logins->v[i]);
	}
}

bool keychain_add_config(struct keychain *keychain, const char *json, size_t n, struct err *err)
{
	struct logins logins;

	if (!dockerconfig_parse(json, n, keychain->arena, &logins, err))
		return err_prefix(err, "cannot read registry credentials");
	append(keychain, &logins);
	return true;
}

void keychain_add(struct keychain *keychain, const char *server, const char *user,
		  const char *password)
{
	struct arena *arena = keychain->arena;
	struct login login = { .key = auth_key(server, arena),
			       .server = arena_strdup(arena, server),
			       .credential = { .user = arena_strdup(arena, user),
					       .password = arena_strdup(arena, password) } };

	hide_credential(&login.credential);
	vec_push(arena, &keychain->logins, login);
}

static bool add_file(struct keychain *keychain, const char *path, struct err *err)
{
	char *json;
	size_t n;

	if (!path)
		return true;
	if (!fs_read(AT_FDCWD, path, LIMIT_CONFIG_BYTES, keychain->arena, &json, &n, err))
		return false;
	if (!json || strspn(json, " \t\r\n") == n)
		return true;
	return keychain_add_config(keychain, json, n, err) || err_prefix(err, "file '%s'", path);
}

/* $NAME/rest; NULL when the variable is not set. */
static const char *below(struct arena *arena, const char *name, const char *rest)
{
	const char *value = proc_getenv(name);

	if (!value || !value[0])
		return NULL;
	return rest ? path_join(arena, value, rest) : arena_strdup(arena, value);
}

static bool add_files(struct keychain *keychain, struct err *err)
{
	struct arena *arena = keychain->arena;
	const char *docker = below(arena, "DOCKER_CONFIG", "config.json");
	const char *config = below(arena, "XDG_CONFIG_HOME", "containers/auth.json");
	const char *const paths[] = {
		below(arena, "REGISTRY_AUTH_FILE", NULL),
		below(arena, "XDG_RUNTIME_DIR", "containers/auth.json"),
		config ? config : below(arena, "HOME", ".config/containers/auth.json"),
		docker ? docker : below(arena, "HOME", ".docker/config.json"),
		below(arena, "HOME", ".dockercfg"),
	};

	for (size_t i = 0; i < COUNTOF(paths); i++)
		if (!add_file(keychain, paths[i], err))
			return false;
	return true;
}

static bool add_variables(struct keychain *keychain, struct err *err)
{
	const char *inline_config = below(keychain->arena, "DOCKER_AUTH_CONFIG", NULL);
	const char *cnb = below(keychain->arena, "CNB_REGISTRY_AUTH", NULL);
	struct logins logins;

	if (inline_config &&
	    !keychain_add_config(keychain, inline_config, strlen(inline_config), err))
		return err_prefix(err, "DOCKER_AUTH_CONFIG");
	if (!cnb)
		return true;
	if (!cnb_auth_parse(cnb, strlen(cnb), keychain->arena, &logins, err))
		return err_prefix(err, "CNB_REGISTRY_AUTH");
	append(keychain, &logins);
	return true;
}

bool keychain_open(const struct keychain_options *options, struct keychain **out, struct err *err)
{
	struct arena *arena = arena_new();
	struct keychain *keychain = ARENA_NEW(arena, struct keychain);

	*out = NULL;
	keychain->arena = arena;
	keychain->answers_arena = arena_new();
	keychain->with_helpers = options->with_helpers;
	pthread_mutex_init(&keychain->lock, NULL);
	if (options->with_files && (!add_files(keychain, err) || !add_variables(keychain, err))) {
		keychain_close(&keychain);
		return false;
	}
	*out = keychain;
	return true;
}

void keychain_close(struct keychain **keychain)
{
	struct keychain *old = *keychain;

	if (!old)
		return;
	pthread_mutex_destroy(&old->lock);
	arena_free(old->answers_arena);
	arena_free(old->arena);
	*keychain = NULL;
}

static bool helper_name_is_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789._-");

	return n > 0 && n <= HELPER_NAME_MAX && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

/* Behind the first ones, which are for us alone: what helpers find their own credentials by. */
enum { VARIABLES_OF_OURS = 3 };
const char *const keychain_variables[] = {
	"REGISTRY_AUTH_FILE",
	"DOCKER_AUTH_CONFIG",
	"CNB_REGISTRY_AUTH",
	"XDG_CONFIG_HOME",
	"DBUS_SESSION_BUS_ADDRESS",
	"DISPLAY",
	"WAYLAND_DISPLAY",
	"GNUPGHOME",
	"PASSWORD_STORE_DIR",
	"DOCKER_CONFIG",
	"AWS_PROFILE",
	"AWS_REGION",
	"AWS_DEFAULT_REGION",
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_CONFIG_FILE",
	"AWS_SHARED_CREDENTIALS_FILE",
	"AWS_ROLE_ARN",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_ECR_DISABLE_CACHE",
	"AWS_ECR_CACHE_DIR",
	"GOOGLE_APPLICATION_CREDENTIALS",
	"CLOUDSDK_CONFIG",
	"AZURE_CLIENT_ID",
	"AZURE_TENANT_ID",
	"AZURE_CLIENT_SECRET",
	"AZURE_FEDERATED_TOKEN_FILE",
	NULL,
};

/* What a helper needs of our environment; nothing else is handed on. */
static const char *const *helper_environment(struct arena *arena)
{
	struct strings env = { 0 };

	for (char *const *usual = proc_default_env(); *usual; usual++)
		vec_push(arena, &env, *usual);
	for (size_t i = VARIABLES_OF_OURS; keychain_variables[i]; i++) {
		const char *value = proc_getenv(keychain_variables[i]);

		if (value)
			vec_push(arena, &env,
				 arena_printf(arena, "%s=%s", keychain_variables[i], value));
	}
	vec_push(arena, &env, NULL);
	return env.v;
}

/* docker-credential-helpers' protocol: the server on stdin, JSON on stdout; a failure is a text on
 * stdout. */
static bool ask_helper(const char *helper, const char *server, struct arena *arena,
		       struct credential *out, struct err *err)
{
	AUTO_BUF answer = BUF_INIT(HELPER_ANSWER_BYTES);
	AUTO_BUF talk = BUF_INIT(HELPER_ANSWER_BYTES);
	const char *program = arena_printf(arena, "docker-credential-%s", helper);
	const char *const argv[] = { program, "get", NULL };
	struct proc_spec spec = { .argv = argv,
				  .env = helper_environment(arena),
				  .input = server,
				  .input_len = strlen(server),
				  .out = &answer,
				  .err = &talk,
				  .timeout_ms = HELPER_TIMEOUT_MS };
	struct proc_result result;

	if (!helper_name_is_valid(helper))
		return err_set(err, ERR_INVALID, "'%.64s' is no name of a credential helper",
			       helper);
	if (!proc_run(&spec, &result, err))
		return err_prefix(err, "cannot run '%s'", program);
	if (result.exit_code != 0 && strstr(buf_text(&answer), "credentials not found"))
		return true;
	if (result.exit_code != 0 || answer.is_over)
		return err_set(err, ERR_DENIED, "'%s' gave no credentials for '%s': %s", program,
			       server,
			       answer.is_over ? "its answer is too long"
					      : proc_result_text(&result, arena));
	return helper_answer_parse(buf_text(&answer), answer.len, arena, out, err) ||
	       err_prefix(err, "cannot read the answer of '%s'", program);
}

static const char *helper_server(const struct login *login, const char *registry)
{
	if (strcmp(registry, "index.docker.io") == 0)
		return "https://index.docker.io/v1/";
	return login->server ? login->server : registry;
}

static void copy_credential(const struct credential *from, struct arena *arena,
			    struct credential *to)
{
	*to = (struct credential){ .user = arena_strdup(arena, from->user),
				   .password = arena_strdup(arena, from->password),
				   .identity_token = arena_strdup(arena, from->identity_token),
				   .registry_token = arena_strdup(arena, from->registry_token) };
}

/* With the lock held: a helper may ask a person, who should be asked once. */
static const struct answer *helper_answer(struct keychain *keychain, const char *helper,
					  const char *server)
{
	struct arena *arena = keychain->answers_arena;
	struct answer answer = { .helper = helper, .server = arena_strdup(arena, server) };
	struct err err = { 0 };

	for (size_t i = 0; i < keychain->answers.n; i++)
		if (strcmp(keychain->answers.v[i].helper, helper) == 0 &&
		    strcmp(keychain->answers.v[i].server, server) == 0)
			return &keychain->answers.v[i];
	if (!ask_helper(helper, server, arena, &answer.credential, &err))
		log_line(LOG_WARN, "%s", err.text);
	hide_credential(&answer.credential);
	vec_push(arena, &keychain->answers, answer);
	return &keychain->answers.v[keychain->answers.n - 1];
}

static bool resolve(const struct keychain *keychain, const struct login *login,
		    const char *registry, struct arena *arena, struct credential *out)
{
	/* The keychain is constant but for the answers, which its lock guards. */
	struct keychain *inner = (struct keychain *)(uintptr_t)keychain;

	if (!login->helper) {
		copy_credential(&login->credential, arena, out);
		return true;
	}
	if (!keychain->with_helpers)
		return false;
	pthread_mutex_lock(&inner->lock);
	copy_credential(
		&helper_answer(inner, login->helper, helper_server(login, registry))->credential,
		arena, out);
	pthread_mutex_unlock(&inner->lock);
	return !credential_is_empty(out);
}

bool keychain_find(const struct keychain *keychain, const char *registry, const char *repo,
		   struct arena *arena, struct credential *out)
{
	char *host = auth_key(registry, arena);
	char *want = arena_printf(arena, "%s/%s", host, repo);

	*out = (struct credential){ 0 };
	for (;;) {
		char *slash;

		for (size_t i = 0; i < keychain->logins.n; i++) {
			const struct login *login = &keychain->logins.v[i];

			if (auth_key_matches(login->key, want) &&
			    resolve(keychain, login, host, arena, out))
				return true;
		}
		if (want[0] == '\0')
			return false;
		slash = strrchr(want, '/');
		/* Behind the host alone come the stores that know any registry: the empty key. */
		*(slash ? slash : want) = '\0';
	}
}
