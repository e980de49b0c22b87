/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — cnb-guest detect|build: one phase of a build, inside the builder image, never as root. */
#include <string.h>
#include <unistd.h>

#include "buildexec/cnb/guest/guest.h"
#include "buildexec/cnb/platform_api.h"

static const struct phase {
	const char *name;
	bool (*run)(struct guest *guest, struct err *err);
} phases[] = {
	{ "detect", guest_detect },
	{ "build", guest_build },
};

static const struct phase *phase_named(const char *name)
{
	for (size_t i = 0; name && i < COUNTOF(phases); i++)
		if (strcmp(name, phases[i].name) == 0)
			return &phases[i];
	return NULL;
}

static bool run(struct guest *guest, int argc, char **argv, struct err *err)
{
	const struct phase *phase = phase_named(argc > 1 ? argv[1] : NULL);

	if (!phase) {
		guest->exit_code = CNB_EXIT_ARGUMENTS;
		return err_set(err, ERR_INVALID,
			       "parse arguments: the phase is 'detect' or 'build'");
	}
	if (!guest_options(guest, argc - 2, argv + 2, err))
		return false;
	if (geteuid() == 0) {
		guest->exit_code = CNB_EXIT_FAILED;
		return err_set(err, ERR_DENIED, "%s: refusing to run as root", phase->name);
	}
	return phase->run(guest, err);
}

int main(int argc, char **argv, char **envp)
{
	struct guest guest = { .arena = arena_new(), .environ = envp };
	struct err err = { 0 };
	int code = CNB_EXIT_OK;

	guest.speaker.arena = guest.arena;
	if (!run(&guest, argc, argv, &err)) {
		code = guest.exit_code;
		say(&guest.speaker, SAY_ERROR, "failed to %s", err.text);
	}
	arena_free(guest.arena);
	return code;
}
