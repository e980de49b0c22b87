/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c — one program, the commit on its stdin, the signature on its stdout. */
#include "reconcile/store/sign.h"

#include <string.h>

#include "buildexec/sys/proc.h"

enum { SIGN_MS = 60000, SIGNATURE_BYTES = 64 << 10, COMPLAINT_BYTES = 2000, AGENT_VARIABLES = 3 };

/* What the programs need besides the usual to find their keys. */
static const char *const agent_variables[AGENT_VARIABLES] = { "SSH_AUTH_SOCK", "GNUPGHOME",
							      "GPG_AGENT_INFO" };

static const char *const *environment(struct arena *arena)
{
	char *const *usual = proc_default_env();
	const char **env;
	size_t n = 0;

	while (usual[n])
		n++;
	env = arena_array(arena, n + AGENT_VARIABLES + 1, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = usual[i];
	for (size_t i = 0; i < AGENT_VARIABLES; i++) {
		const char *value = proc_getenv(agent_variables[i]);

		if (value)
			env[n++] = arena_printf(arena, "%s=%s", agent_variables[i], value);
	}
	return env;
}

static bool is_signature(const char *text)
{
	return strncmp(text, "-----BEGIN ", 11) == 0 && strstr(text, " SIGNATURE-----");
}

bool commit_sign(const void *ctx, const char *bytes, size_t n, struct arena *arena,
		 const char **signature, struct err *err)
{
	const struct signer *signer = ctx;
	const char *const by_ssh[] = { "ssh-keygen", "-q", "-Y",        "sign", "-n",
				       "git",        "-f", signer->key, NULL };
	const char *const by_gpg[] = { "gpg",     "--batch",      "--no-tty",  "--detach-sign",
				       "--armor", "--local-user", signer->key, NULL };
	AUTO_BUF out = BUF_INIT(SIGNATURE_BYTES);
	AUTO_BUF complaint = BUF_INIT(COMPLAINT_BYTES);
	struct proc_spec spec = { .argv = signer->method == SIGN_SSH ? by_ssh : by_gpg,
				  .env = environment(arena),
				  .input = bytes,
				  .input_len = n,
				  .out = &out,
				  .err = &complaint,
				  .timeout_ms = SIGN_MS };
	struct proc_result result;

	*signature = NULL;
	if (!proc_run(&spec, &result, err))
		return err_prefix(err, "cannot sign the commit");
	if (result.exit_code != 0 || out.is_over || !is_signature(buf_text(&out)))
		return err_set(err, ERR_DENIED, "cannot sign the commit: %s: %s: %s", spec.argv[0],
			       proc_result_text(&result, arena), buf_text(&complaint));
	*signature = buf_copy(&out, arena);
	return true;
}
