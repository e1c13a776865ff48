/* SPDX-License-Identifier: BSD-3-Clause */

/* The shim loader: what a user reads when a library is missing or wrong, and
 * that a failure is not remembered. Takes the path of a good shim. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlshimloader.h"

static int failures;

static void
expect_failure (const char *name, const char *shim, const char *torch,
    const char *words)
{
  TlError error = TL_ERROR_INIT;

  g_setenv ("TLPIPE_SHIM", shim, TRUE);
  g_setenv ("TLPIPE_TORCH", torch, TRUE);
  if (tl_shim_load (&error) != NULL || !strstr (error.message, words)) {
    fprintf (stderr, "%s: expected \"%s\", got \"%s\"\n", name, words,
        error.message);
    failures++;
  }
}

int
main (int argc, char **argv)
{
  TlError error = TL_ERROR_INIT;
  TlBackendInfo info = {.struct_size = sizeof info};
  const TlShim *shim;

  if (argc != 3) {
    fprintf (stderr, "usage: %s SHIM NOT-A-SHIM\n", argv[0]);
    return 2;
  }
  expect_failure ("missing shim", "/nonexistent/libtlshim.so", "",
      "does not exist: tlpipe was built without libtorch");
  expect_failure ("missing libtorch", argv[1], "/nonexistent",
      "libtorch at /nonexistent/lib/libtorch_cpu.so does not load; install it");
  expect_failure ("another library", argv[2], "", "is not a tlpipe shim");

  g_setenv ("TLPIPE_SHIM", argv[1], TRUE);
  g_unsetenv ("TLPIPE_TORCH");
  shim = tl_shim_load (&error);
  if (!shim || shim->backend_describe (&info, &error) != TL_OK) {
    fprintf (stderr, "good shim: %s\n", error.message);
    return 1;
  }
  if (strcmp (tl_shim_library_path (), argv[1]) != 0
      || tl_shim_load (&error) != shim) {
    fprintf (stderr, "loaded %s, not once\n", tl_shim_library_path ());
    failures++;
  }
  printf ("loaded %s %s\n", info.name, info.version);
  return failures ? 1 : 0;
}
