/* SPDX-License-Identifier: BSD-3-Clause */

/* The names that files of PyTorch hold. Nothing is ever imported or called:
 * the tables only say what stands for a tensor, and what is harmless. */

#include "tlbytes.h"
#include "tlpicklemachine.h"

#include <string.h>

#define MAX_NAME 200 /* bytes of a module or class that are kept */

const TlPickleGlobal tl_pickle_bytes_type = {"builtins", "bytes",
    TL_GLOBAL_VALUE, TL_DTYPE_INVALID};
const TlPickleGlobal tl_pickle_integer_type = {"builtins", "int",
    TL_GLOBAL_VALUE, TL_DTYPE_INVALID};
const TlPickleGlobal tl_pickle_flipped_type = {"torch",
    "Tensor, stored conjugated or negated", TL_GLOBAL_FOREIGN,
    TL_DTYPE_INVALID};
const TlPickleGlobal tl_pickle_set_type = {"builtins", "set", TL_GLOBAL_VALUE,
    TL_DTYPE_INVALID};

static const TlPickleGlobal globals[] = {
    {"collections", "OrderedDict", TL_GLOBAL_DICT, TL_DTYPE_INVALID},
    {"collections", "defaultdict", TL_GLOBAL_DICT, TL_DTYPE_INVALID},
    {"collections", "Counter", TL_GLOBAL_DICT, TL_DTYPE_INVALID},
    {"torch", "Size", TL_GLOBAL_SIZE, TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_tensor", TL_GLOBAL_TENSOR, TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_tensor_v2", TL_GLOBAL_TENSOR, TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_tensor_v3", TL_GLOBAL_TENSOR_V3,
        TL_DTYPE_INVALID},
    {"torch._tensor", "_rebuild_from_type_v2", TL_GLOBAL_TENSOR_FROM_TYPE,
        TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_parameter", TL_GLOBAL_PARAMETER,
        TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_parameter_with_state", TL_GLOBAL_PARAMETER,
        TL_DTYPE_INVALID},
    {"torch.nn.parameter", "Parameter", TL_GLOBAL_PARAMETER_CLASS,
        TL_DTYPE_INVALID},
};

/* Of torch and, in files of old versions, of torch.cuda. */
static const TlPickleGlobal storages[] = {
    {"torch", "FloatStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F32},
    {"torch", "DoubleStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F64},
    {"torch", "HalfStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F16},
    {"torch", "BFloat16Storage", TL_GLOBAL_STORAGE, TL_DTYPE_BF16},
    {"torch", "LongStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I64},
    {"torch", "IntStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I32},
    {"torch", "ShortStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I16},
    {"torch", "CharStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I8},
    {"torch", "ByteStorage", TL_GLOBAL_STORAGE, TL_DTYPE_U8},
    {"torch", "BoolStorage", TL_GLOBAL_STORAGE, TL_DTYPE_BOOL},
    {"torch", "ComplexFloatStorage", TL_GLOBAL_STORAGE, TL_DTYPE_C64},
    {"torch", "UntypedStorage", TL_GLOBAL_STORAGE, TL_DTYPE_U8},
    {"torch", "ComplexDoubleStorage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 16},
    {"torch", "QInt8Storage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 1},
    {"torch", "QUInt8Storage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 1},
    {"torch", "QInt32Storage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 4},
    {"torch", "QUInt4x2Storage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 1},
    {"torch", "QUInt2x4Storage", TL_GLOBAL_STORAGE, TL_DTYPE_INVALID, 1},
};

static const TlPickleGlobal dtypes[] = {
    {"torch", "float32", TL_GLOBAL_DTYPE, TL_DTYPE_F32},
    {"torch", "float64", TL_GLOBAL_DTYPE, TL_DTYPE_F64},
    {"torch", "float16", TL_GLOBAL_DTYPE, TL_DTYPE_F16},
    {"torch", "bfloat16", TL_GLOBAL_DTYPE, TL_DTYPE_BF16},
    {"torch", "int64", TL_GLOBAL_DTYPE, TL_DTYPE_I64},
    {"torch", "int32", TL_GLOBAL_DTYPE, TL_DTYPE_I32},
    {"torch", "int16", TL_GLOBAL_DTYPE, TL_DTYPE_I16},
    {"torch", "int8", TL_GLOBAL_DTYPE, TL_DTYPE_I8},
    {"torch", "uint8", TL_GLOBAL_DTYPE, TL_DTYPE_U8},
    {"torch", "bool", TL_GLOBAL_DTYPE, TL_DTYPE_BOOL},
    {"torch", "uint16", TL_GLOBAL_DTYPE, TL_DTYPE_U16},
    {"torch", "uint32", TL_GLOBAL_DTYPE, TL_DTYPE_U32},
    {"torch", "uint64", TL_GLOBAL_DTYPE, TL_DTYPE_U64},
    {"torch", "float8_e4m3fn", TL_GLOBAL_DTYPE, TL_DTYPE_F8_E4M3},
    {"torch", "float8_e5m2", TL_GLOBAL_DTYPE, TL_DTYPE_F8_E5M2},
    {"torch", "float8_e8m0fnu", TL_GLOBAL_DTYPE, TL_DTYPE_F8_E8M0},
    {"torch", "complex64", TL_GLOBAL_DTYPE, TL_DTYPE_C64},
    {"torch", "complex32", TL_GLOBAL_DTYPE, TL_DTYPE_INVALID},
    {"torch", "complex128", TL_GLOBAL_DTYPE, TL_DTYPE_INVALID},
    {"torch", "float8_e4m3fnuz", TL_GLOBAL_DTYPE, TL_DTYPE_INVALID},
    {"torch", "float8_e5m2fnuz", TL_GLOBAL_DTYPE, TL_DTYPE_INVALID},
    {"torch", "float4_e2m1fn_x2", TL_GLOBAL_DTYPE, TL_DTYPE_INVALID},
};

/* Names of one module, separated by blanks, of one kind. */
typedef struct
{
  const char *module, *names;
  TlPickleGlobalKind kind;
} Family;

/* Functions and classes whose call makes a value and does nothing else. */
static const Family families[] = {
    {"torch._utils",
        "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_qtensor "
        "_rebuild_meta_tensor_no_storage _rebuild_nested_tensor "
        "_rebuild_wrapper_subclass _rebuild_device_tensor_from_numpy "
        "_rebuild_device_tensor_from_cpu_tensor _rebuild_xla_tensor",
        TL_GLOBAL_FOREIGN},
    {"argparse", "Namespace", TL_GLOBAL_VALUE},
    {"types", "SimpleNamespace", TL_GLOBAL_VALUE},
    {"collections", "deque", TL_GLOBAL_VALUE},
    {"datetime", "datetime date time timedelta timezone", TL_GLOBAL_VALUE},
    {"pathlib",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
        TL_GLOBAL_VALUE},
    {"pathlib._local",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
        TL_GLOBAL_VALUE},
    {"numpy", "dtype ndarray", TL_GLOBAL_VALUE},
    {"numpy.core.multiarray", "scalar _reconstruct", TL_GLOBAL_VALUE},
    {"numpy._core.multiarray", "scalar _reconstruct", TL_GLOBAL_VALUE},
    {"numpy.core.numeric", "_frombuffer", TL_GLOBAL_VALUE},
    {"numpy._core.numeric", "_frombuffer", TL_GLOBAL_VALUE},
    {"numpy.random._pickle",
        "__randomstate_ctor __generator_ctor __bit_generator_ctor",
        TL_GLOBAL_VALUE},
    {"numpy.random.bit_generator",
        "__pyx_unpickle_SeedSequence __pyx_unpickle_SeedlessSequence",
        TL_GLOBAL_VALUE},
    {"_codecs", "encode", TL_GLOBAL_VALUE},
    {"copyreg", "_reconstructor", TL_GLOBAL_VALUE},
    {"copy_reg", "_reconstructor", TL_GLOBAL_VALUE},
    {"decimal", "Decimal", TL_GLOBAL_VALUE},
    {"fractions", "Fraction", TL_GLOBAL_VALUE},
    {"uuid", "UUID", TL_GLOBAL_VALUE},
    {"functools", "partial", TL_GLOBAL_VALUE},
    {"torch", "device Generator", TL_GLOBAL_VALUE},
    {"torch.serialization", "_get_layout", TL_GLOBAL_VALUE},
    {"torch.torch_version", "TorchVersion", TL_GLOBAL_VALUE},
    {"builtins",
        "set frozenset complex bytes bytearray slice range object int float "
        "bool str list dict tuple Ellipsis NotImplemented",
        TL_GLOBAL_VALUE},
    {"__builtin__",
        "set frozenset complex bytes bytearray slice xrange object int long "
        "float bool str unicode list dict tuple Ellipsis NotImplemented",
        TL_GLOBAL_VALUE},
};

/* Modules through which a pickle runs programs or code; whoever names one of
 * them wants no weights to be read. What is called at all is a list of its
 * own, so this one need not be complete. */
static const char *const runners[] = {"__builtin__", "_posixsubprocess",
    "_winapi", "asyncio", "bdb", "builtins", "code", "codeop", "commands",
    "ctypes", "importlib", "marshal", "multiprocessing", "nt", "os", "pdb",
    "pickle", "pip", "platform", "posix", "posixpath", "popen2", "profile",
    "pty", "runpy", "shutil", "socket", "subprocess", "sys", "timeit", "types",
    "webbrowser"};

static int
equals (const TlPickleValue *value, const char *text, size_t n)
{
  return value->string.length == n
      && memcmp (value->string.bytes, text, n) == 0;
}

int
tl_pickle_is_text (const TlPickleValue *value, const char *text)
{
  return value->type == TL_PICKLE_STRING && equals (value, text, strlen (text));
}

static int
has_name (const char *names, const TlPickleValue *name)
{
  while (*names) {
    size_t n = strcspn (names, " ");

    if (equals (name, names, n))
      return 1;
    names += n + (names[n] == ' ');
  }
  return 0;
}

/* In one of the tables of single names. */
static const TlPickleGlobal *
find_known (const TlPickleValue *module, const TlPickleValue *name)
{
  int in_torch = tl_pickle_is_text (module, "torch");

  for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++)
    if (tl_pickle_is_text (module, globals[i].module)
        && tl_pickle_is_text (name, globals[i].name))
      return &globals[i];
  if (in_torch || tl_pickle_is_text (module, "torch.cuda")
      || tl_pickle_is_text (module, "torch.storage"))
    for (size_t i = 0; i < sizeof storages / sizeof storages[0]; i++)
      if (tl_pickle_is_text (name, storages[i].name))
        return &storages[i];
  for (size_t i = 0; in_torch && i < sizeof dtypes / sizeof dtypes[0]; i++)
    if (tl_pickle_is_text (name, dtypes[i].name))
      return &dtypes[i];
  return NULL;
}

static TlPickleGlobalKind
find_kind (const TlPickleValue *module, const TlPickleValue *name)
{
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
    if (tl_pickle_is_text (module, families[i].module)
        && has_name (families[i].names, name))
      return families[i].kind;
  return TL_GLOBAL_OTHER;
}

/* Whether the module, or the package it is in, is one that runs things. */
static int
runs_programs (const TlPickleValue *module)
{
  const char *dot = memchr (module->string.bytes, '.', module->string.length);
  TlPickleValue package = *module;

  if (dot)
    package.string.length = (size_t) (dot - module->string.bytes);
  for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++)
    if (tl_pickle_is_text (&package, runners[i]))
      return 1;
  return 0;
}

static const char *
copy_name (TlPickleMachine *m, const TlPickleValue *text)
{
  size_t n = text->string.length < MAX_NAME ? text->string.length : MAX_NAME;
  char *copy = tl_pickle_alloc (m, n + 1);

  if (copy && n > 0)
    memcpy (copy, text->string.bytes, n);
  return copy;
}

const TlPickleGlobal *
tl_pickle_find_global (TlPickleMachine *m, const TlPickleValue *module,
    const TlPickleValue *name)
{
  const TlPickleGlobal *known = find_known (module, name);
  TlPickleGlobalKind kind = find_kind (module, name);
  TlPickleGlobal *made;

  if (known)
    return known;
  if (kind == TL_GLOBAL_OTHER && runs_programs (module)) {
    tl_pickle_fail (m, TL_ERROR_UNSUPPORTED,
        "the file refers to %s.%s, by which a file makes Python run programs "
        "when it is loaded; nothing of it was run or read: do not trust this "
        "file",
        tl_show_text (module->string.bytes, module->string.length).text,
        tl_show_text (name->string.bytes, name->string.length).text);
    return NULL;
  }
  made = tl_pickle_alloc (m, sizeof *made);
  if (!made)
    return NULL;
  made->module = copy_name (m, module);
  made->name = copy_name (m, name);
  made->kind = kind;
  return m->status == TL_OK ? made : NULL;
}
