/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlshimloader.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>

#define SHIM_LIBRARY "libtlshim-torch.so"
#define TORCH_LIBRARY "libtorch_cpu.so"

#define INSTALL_HINT                                                           \
  "install it with \"pip install torch==2.13.0\", or set TLPIPE_TORCH to the " \
  "folder that has lib/" TORCH_LIBRARY

/* Under lock; set once. */
static GMutex lock;
static TlShim shim;
static gboolean loaded;
static gchar *library_path;
static gchar *torch_path;

/* Where libtorch is looked for when the shim cannot find it by itself and
 * nobody said where: patterns, the first match wins. */
static const gchar *const torch_places[] = {
    TL_TORCH_PREFIX "/lib/" TORCH_LIBRARY,
    "/opt/libtorch/lib/" TORCH_LIBRARY,
    "/usr/local/lib/" TORCH_LIBRARY,
    "/usr/local/lib/python3*/dist-packages/torch/lib/" TORCH_LIBRARY,
    "/usr/local/lib/python3*/site-packages/torch/lib/" TORCH_LIBRARY,
    "/usr/lib/python3*/dist-packages/torch/lib/" TORCH_LIBRARY,
    "/usr/lib/x86_64-linux-gnu/" TORCH_LIBRARY,
};

static TlStatus fail (TlError *error, TlStatus status, const gchar *detail,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static TlStatus
fail (TlError *error, TlStatus status, const gchar *detail, const gchar *format,
    ...)
{
  va_list args;

  if (!error)
    return status;
  va_start (args, format);
  g_vsnprintf (error->message, sizeof error->message, format, args);
  va_end (args);
  g_strlcpy (error->detail, detail ? detail : "", sizeof error->detail);
  return status;
}

static gchar *
find_match (const gchar *pattern)
{
  glob_t matches;
  gchar *path = NULL;

  if (glob (pattern, 0, NULL, &matches) == 0)
    path = g_strdup (matches.gl_pathv[0]);
  globfree (&matches);
  return path;
}

/* Maps libtorch_cpu by its path, so that the shim's NEEDED entry resolves to
 * it; its own neighbours come by its RUNPATH. */
static TlStatus
load_torch_from (const gchar *path, TlError *error)
{
  if (!dlopen (path, RTLD_NOW | RTLD_LOCAL))
    return fail (error, TL_ERROR_NOT_FOUND, dlerror (),
        "libtorch at %s does not load; %s.", path, INSTALL_HINT);
  g_free (torch_path);
  torch_path = g_strdup (path);
  return TL_OK;
}

static gchar *
torch_in_virtual_env (void)
{
  const gchar *env = g_getenv ("VIRTUAL_ENV");
  g_autofree gchar *pattern = NULL;

  if (!env || !*env)
    return NULL;
  pattern = g_build_filename (env,
      "lib/python3*/site-packages/torch/lib/" TORCH_LIBRARY, NULL);
  return find_match (pattern);
}

static TlStatus
load_torch_from_usual_places (TlError *error)
{
  g_autofree gchar *path = torch_in_virtual_env ();

  for (guint i = 0; !path && i < G_N_ELEMENTS (torch_places); i++)
    path = find_match (torch_places[i]);
  if (!path)
    return fail (error, TL_ERROR_NOT_FOUND, NULL,
        "libtorch (" TORCH_LIBRARY ") was not found; %s.", INSTALL_HINT);
  return load_torch_from (path, error);
}

/* The shim beside this library: ../lib/tlpipe of wherever it was installed, so
 * that an installed tree may be moved; else the configured place. */
static gchar *
installed_library (void)
{
  Dl_info self;

  if (dladdr ((gpointer) installed_library, &self) && self.dli_fname) {
    g_autofree gchar *folder = g_path_get_dirname (self.dli_fname);
    g_autofree gchar *path =
        g_build_filename (folder, "tlpipe", SHIM_LIBRARY, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return g_strdup (TL_SHIM_INSTALL_DIR "/" SHIM_LIBRARY);
}

static TlStatus
open_library (const gchar *path, gpointer *ret, TlError *error)
{
  const gchar *torch = g_getenv ("TLPIPE_TORCH");
  TlStatus status;

  if (torch && *torch) {
    g_autofree gchar *torch_library =
        g_build_filename (torch, "lib", TORCH_LIBRARY, NULL);

    status = load_torch_from (torch_library, error);
    if (status != TL_OK)
      return status;
  }
  *ret = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  if (*ret)
    return TL_OK;
  if (!torch_path) {
    status = load_torch_from_usual_places (error);
    if (status != TL_OK)
      return status;
    *ret = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  }
  if (*ret)
    return TL_OK;
  return fail (error, TL_ERROR_NOT_FOUND, dlerror (),
      "The library %s does not load with the libtorch at %s; rebuild tlpipe "
      "against that libtorch.",
      path, torch_path);
}

static TlStatus
resolve (gpointer handle, const gchar *path, TlShim *ret, TlError *error)
{
#define RESOLVE(name)                                                          \
  ret->name = (__typeof__ (ret->name)) dlsym (handle, "tl_" #name);            \
  if (!ret->name)                                                              \
    return fail (error, TL_ERROR_NOT_FOUND, dlerror (),                        \
        "%s is not a tlpipe shim of this version: it lacks tl_" #name ".",     \
        path);
  TL_SHIM_FUNCTIONS (RESOLVE)
#undef RESOLVE
  if (ret->shim_abi () != TL_SHIM_ABI)
    return fail (error, TL_ERROR_NOT_FOUND, NULL,
        "%s has interface %u, but %u is needed: install both from one build.",
        path, ret->shim_abi (), TL_SHIM_ABI);
  return TL_OK;
}

static TlStatus
load (TlError *error)
{
  const gchar *named = g_getenv ("TLPIPE_SHIM");
  g_autofree gchar *path =
      named && *named ? g_strdup (named) : installed_library ();
  gpointer handle;
  TlShim found;
  TlStatus status;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return fail (error, TL_ERROR_NOT_FOUND, NULL,
        "The library %s does not exist: tlpipe was built without libtorch. "
        "Install torch (pip install torch==2.13.0) and build again, or set "
        "TLPIPE_SHIM to the library.",
        path);
  status = open_library (path, &handle, error);
  if (status == TL_OK)
    status = resolve (handle, path, &found, error);
  if (status != TL_OK)
    return status;

  library_path = g_steal_pointer (&path);
  shim = found;
  loaded = TRUE;
  return TL_OK;
}

const TlShim *
tl_shim_load (TlError *error)
{
  const TlShim *ret;

  g_mutex_lock (&lock);
  ret = loaded || load (error) == TL_OK ? &shim : NULL;
  g_mutex_unlock (&lock);
  return ret;
}

const gchar *
tl_shim_library_path (void)
{
  return library_path ? library_path : "";
}

const gchar *
tl_shim_torch_path (void)
{
  return torch_path ? torch_path : "";
}
