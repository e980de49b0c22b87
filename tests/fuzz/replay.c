/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c — the main of every fuzz target in ordinary builds: feeds the files named, and every
 * file of the folders named, to LLVMFuzzerTestOneInput in the order of their names. An absent or
 * empty folder fails: a corpus that is not there tests nothing.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool feed_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t n;

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		if (file)
			fclose(file);
		return false;
	}
	/* Exactly as large as the input, so that a sanitizer sees a read behind it. */
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data)
		abort();
	n = fread(data, 1, (size_t)st.st_size, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	return true;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool feed_folder(const char *folder, unsigned *count)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_shown, alphasort);
	bool ok = n >= 0;

	if (n < 0)
		perror(folder);
	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		ok = feed_file(path) && ok;
		free(entries[i]);
		++*count;
	}
	if (n >= 0)
		free(entries);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	bool ok = true;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode)) {
			ok = feed_file(argv[i]) && ok;
			count++;
		} else {
			ok = feed_folder(argv[i], &count) && ok;
		}
	}
	printf("%u inputs\n", count);
	return ok && count ? EXIT_SUCCESS : EXIT_FAILURE;
}
