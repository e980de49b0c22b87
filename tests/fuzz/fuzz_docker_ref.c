/* links: model_oci */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_docker_ref.c — any bytes as a reference of OpenShift's; what is taken prints and reads back as the same. */
#include <stdint.h>
#include <string.h>

#include "model/oci/docker_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct docker_ref ref, again;
	struct err err = { 0 };

	if (docker_ref_parse(arena_copy(arena, data, size), arena, &ref, &err)) {
		const char *text = docker_ref_format(&ref, arena);

		if (!docker_ref_parse(text, arena, &again, &err))
			BUG("'%s' does not read back: %s", text, err.text);
		if (strcmp(docker_ref_format(&again, arena), text) != 0 ||
		    !docker_ref_equal(ref, again))
			BUG("'%s' reads back differently", text);
		if (!docker_ref_equal(ref, docker_ref_defaults(ref)))
			BUG("'%s' is not what its defaults are", text);
		(void)docker_ref_name_string(&ref, arena);
		(void)docker_ref_v2(docker_ref_most_specific(ref));
	}
	arena_free(arena);
	return 0;
}
