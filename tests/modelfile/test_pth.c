/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthbuild.h"
#include "tltest.h"
#include "tlzip.h"

#include <string.h>

#define LIMIT (1u << 20)
#define N_ELEMENTS 24

static TlError error = TL_ERROR_INIT;

static const PickledTensor honest = {.storage_type = "FloatStorage",
    .key = "0",
    .storage_n = N_ELEMENTS,
    .n_dims = 2,
    .shape = {4, 6},
    .stride = {6, 1}};

/* An archive with that pickle and one record of 24 floats, 0 to 23. */
static void
build_archive (Bytes *file, const Bytes *pickle, int padding)
{
  float elements[N_ELEMENTS];
  Record records[] = {RECORD ("model/data.pkl", pickle->data, pickle->n),
      RECORD ("model/data/0", elements, sizeof elements)};

  for (int i = 0; i < N_ELEMENTS; i++)
    elements[i] = (float) i;
  records[1].padding = padding;
  build_zip (file, records, 2, 0);
}

/* A pickle of {"weight": @t} between @before and @after. */
static void
build_pickle (Bytes *pickle, const char *before, const char *name,
    const PickledTensor *t, const char *after)
{
  bytes_puts (pickle, "\x80\x02");
  bytes_puts (pickle, before);
  pickle_dict_begin (pickle);
  pickle_string (pickle, name);
  pickle_tensor (pickle, t);
  pickle_dict_end (pickle);
  bytes_puts (pickle, after);
  bytes_puts (pickle, ".");
}

/* Reads an archive of that pickle; frees the pickle. */
static TlStatus
read_pickle (Bytes *pickle, Bytes *file, TlTensorSet *set)
{
  TlStatus status;

  build_archive (file, pickle, 0);
  status = tl_pth_read_zip (file->data, file->n, set, &error);
  bytes_clear (pickle);
  return status;
}

/* The containers, and a small file of each. */
static const struct
{
  const char *what;
  void (*build) (Bytes *b);
  TlStatus (*read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);
  const char *truncated; /* what each of its beginnings is refused with */
} containers[] = {
    {"zip", build_small_pth, tl_pth_read_zip, "truncated: the zip directory"},
    {"legacy", build_small_legacy, tl_pth_read_legacy, ""},
    {"tar", build_small_tar, tl_pth_read_tar, ""},
};

#define N_CONTAINERS ((int) (sizeof containers / sizeof containers[0]))

START_TEST (small_file_is_read)
{
  static const float weights[6] = {1, 2, 3, 4, 5, 6};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  containers[_i].build (&file);
  assert_ok (containers[_i].read (file.data, file.n, &set, &error));
  ck_assert_uint_eq (set.n_tensors, 2);
  ck_assert_str_eq (set.tensors[0].name, "conv1.weight");
  ck_assert_int_eq (set.tensors[0].dtype, TL_DTYPE_F32);
  ck_assert_mem_eq (set.tensors[0].data, weights, sizeof weights);
  ck_assert_int_eq (set.tensors[1].dtype, TL_DTYPE_I64);
  ck_assert_uint_eq (set.tensors[1].n_dims, 0);
  ck_assert_int_eq (*(const int64_t *) set.tensors[1].data, 7);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Views of one storage, aligned or not: the same elements. */
START_TEST (views_are_read_at_every_alignment)
{
  const PickledTensor view = {.storage_type = "FloatStorage",
      .key = "0",
      .storage_n = N_ELEMENTS,
      .offset = 1,
      .n_dims = 3,
      .shape = {2, 3, 2},
      .stride = {12, 1, 6}};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  const TlTensor *t;

  build_pickle (&pickle, "", "view", &view, "");
  build_archive (&file, &pickle, _i);
  assert_ok (tl_pth_read_zip (file.data, file.n, &set, &error));
  t = &set.tensors[0];
  ck_assert_uint_eq ((uintptr_t) t->data % 4, 0);
  for (int i = 0; i < 12; i++) {
    int a = i / 6, b = i / 2 % 3, c = i % 2;
    int64_t at = a * t->stride[0] + b * t->stride[1] + c * t->stride[2];

    ck_assert_float_eq (((const float *) t->data)[at],
        (float) (1 + 12 * a + b + 6 * c));
  }
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

/* What comes before and after the dict, the name in the file, the name read. */
static const struct
{
  const char *before;
  const char *name;
  const char *after;
  const char *read_as;
} wrappers[] = {
    {"", "fc.weight", "", "fc.weight"},
    {"", "module.fc.weight", "", "fc.weight"},
    {"", "_orig_mod.module.fc.weight", "", "fc.weight"},
    {"", "model.fc.weight", "", "fc.weight"},
    {"", "module.", "", "module."},
    {"}(U\x05"
     "epochK\x03U\x0astate_dict",
        "fc.weight", "u", "fc.weight"},
    {"}U\x05"
     "model",
        "fc.weight", "s", "fc.weight"},
    {"}U\x10"
     "model_state_dict",
        "fc.weight", "s", "fc.weight"},
    {"}(U\x09"
     "model_emaU\x01xU\x0astate_dict",
        "fc.weight", "u", "fc.weight"},
    /* One in the other, below a name that is not known. */
    {"}U\x0a"
     "checkpoint}U\x05"
     "model",
        "module.model.fc.weight", "ss", "fc.weight"},
    {"}U\x07weights", "fc.weight", "s", "fc.weight"},
    /* Objects beside it: of classes, of calls, sets, bytes, large numbers. */
    {"}(U\x01"
     "acargparse\nNamespace\n)\x81}U\x01lK\x01sb"
     "U\x01"
     "bcnumpy.core.multiarray\nscalar\nU\x01xC\x02yz\x86R"
     "U\x01"
     "cccollections\ndefaultdict\ncbuiltins\nlist\n\x85R(U\x01kNu"
     "U\x01"
     "dcmy.Config\nConfig\n)\x81(K\x01K\x02"
     "e}U\x01nNsb"
     "U\x01"
     "e\x8f(K\x01K\x02\x90U\x01"
     "f(K\x01\x91U\x01g\x8a\x09"
     "123456789"
     "U\x01h(NN1NU\x01i(K\x01lU\x01j(U\x01kK\x02"
     "d"
     "U\x05"
     "model",
        "fc.weight", "u", "fc.weight"},
    /* BUILD of _metadata */
    {"", "fc.weight", "}U\x09_metadata}sb", "fc.weight"},
};

#define N_WRAPPERS ((int) (sizeof wrappers / sizeof wrappers[0]))

START_TEST (wrappers_are_found_and_prefixes_taken_off)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};

  build_pickle (&pickle, wrappers[_i].before, wrappers[_i].name, &honest,
      wrappers[_i].after);
  assert_ok (read_pickle (&pickle, &file, &set));
  ck_assert_uint_eq (set.n_tensors, 1);
  ck_assert_str_eq (set.tensors[0].name, wrappers[_i].read_as);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Tensors that do not fit their storage, or storages that are not there. */
static const struct
{
  const char *what;
  PickledTensor tensor;
  TlStatus status;
  const char *message;
} misfits[] = {
    {"beyond the record", {"FloatStorage", "0", 4096, 0, 1, {4096}, {1}},
        TL_ERROR_FORMAT,
        "has 96 bytes, but the pickle says 4,096 elements of F32"},
    {"beyond the storage", {"FloatStorage", "0", 24, 0, 1, {25}, {1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"offset beyond", {"FloatStorage", "0", 24, 24, 0, {0}, {0}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride beyond", {"FloatStorage", "0", 24, 0, 2, {2, 2}, {23, 1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride overflows",
        {"FloatStorage", "0", 24, 0, 2, {INT64_C (1) << 39, 2},
            {(INT64_C (1) << 40) - 1, 1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride too large",
        {"FloatStorage", "0", 24, 0, 1, {1}, {INT64_C (1) << 40}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"negative size", {"FloatStorage", "0", 24, 0, 1, {-1}, {1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"negative offset", {"FloatStorage", "0", 24, -1, 1, {1}, {1}},
        TL_ERROR_FORMAT, "not made of storage"},
    {"negative storage", {"FloatStorage", "0", -1, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "a storage is not made of"},
    {"stride 0 repeats", {"FloatStorage", "0", 24, 0, 1, {100000000}, {0}},
        TL_ERROR_LIMIT, "100,000,000 elements, far more than the whole"},
    {"empty but absurd",
        {"FloatStorage", "0", 24, 0, 3,
            {(INT64_C (1) << 40) - 1, (INT64_C (1) << 40) - 1, 0}, {0}},
        TL_ERROR_LIMIT, "absurdly large"},
    {"nine dimensions",
        {"FloatStorage", "0", 24, 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {0}},
        TL_ERROR_FORMAT, "not made of storage"},
    {"record missing", {"FloatStorage", "1", 24, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "the record data/1 that the pickle names is missing"},
    {"key too long",
        {"FloatStorage",
            "0123456789012345678901234567890123456789012345678901234567890123",
            24, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "is missing"},
    {"dtype of no tensor", {"ComplexDoubleStorage", "0", 1, 0, 1, {1}, {1}},
        TL_ERROR_UNSUPPORTED,
        "tensor w is of a kind that is not read (torch.ComplexDoubleStorage)"},
    {"quantized", {"QInt8Storage", "0", 1, 0, 1, {1}, {1}},
        TL_ERROR_UNSUPPORTED, "torch.QInt8Storage"},
};

#define N_MISFITS ((int) (sizeof misfits / sizeof misfits[0]))

START_TEST (tensors_must_fit_their_storage)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  TlStatus status;

  build_pickle (&pickle, "", "w", &misfits[_i].tensor, "");
  status = read_pickle (&pickle, &file, &set);
  ck_assert_msg (status == misfits[_i].status
          && strstr (error.message, misfits[_i].message),
      "%s: status %d, %s", misfits[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Pickles that are refused; texts hold no NUL, so numbers avoid it. */
static const struct
{
  const char *what;
  const char *pickle;
  TlStatus status;
  const char *message;
} refused[] = {
    {"os.system",
        "\x80\x02"
        "cposix\nsystem\nU\x02ls\x85R.",
        TL_ERROR_UNSUPPORTED, "the file refers to posix.system, by which"},
    {"os.system, protocol 4", "\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        TL_ERROR_UNSUPPORTED, "posix.system"},
    {"eval",
        "\x80\x02"
        "cbuiltins\neval\n.",
        TL_ERROR_UNSUPPORTED, "the file refers to builtins.eval, by which"},
    {"os.system of Python 2",
        "\x80\x02"
        "c__builtin__\n__import__\n.",
        TL_ERROR_UNSUPPORTED, "__builtin__.__import__"},
    {"a part of a package",
        "\x80\x02"
        "cimportlib.util\nfind_spec\n.",
        TL_ERROR_UNSUPPORTED, "importlib.util.find_spec"},
    {"a function without name",
        "\x80\x02"
        "cmy.code\nrun\n)R.",
        TL_ERROR_UNSUPPORTED, "would call my.code.run, which is not known"},
    {"a function of torch",
        "\x80\x02"
        "ctorch.hub\nload\n)R.",
        TL_ERROR_UNSUPPORTED, "would call torch.hub.load"},
    {"an object that is called",
        "\x80\x02"
        "cmy\nClass\n)\x81)R.",
        TL_ERROR_FORMAT, "a call of what cannot be called"},
    {"a module",
        "\x80\x02"
        "ctorchvision.models.resnet\nResNet\n)\x81.",
        TL_ERROR_UNSUPPORTED, "torchvision.models.resnet.ResNet"},
    {"module and name across",
        "\x80\x02"
        "ctorch.\nSize\n.",
        TL_ERROR_UNSUPPORTED, "torch..Size"},
    {"opcode INST", "\x80\x02(iposix\nsystem\n.", TL_ERROR_UNSUPPORTED,
        "opcode 0x69"},
    {"NEWOBJ of nothing", "\x80\x02)\x81.", TL_ERROR_FORMAT, "more values"},
    {"NEWOBJ of a dict", "\x80\x02})\x81.", TL_ERROR_FORMAT,
        "of what is no class"},
    {"opcode NEXT_BUFFER", "\x80\x05\x97.", TL_ERROR_UNSUPPORTED,
        "opcode 0x97"},
    {"opcode OBJ", "\x80\x02(o.", TL_ERROR_UNSUPPORTED, "opcode 0x6f"},
    {"opcode PERSID", "\x80\x02P1\n.", TL_ERROR_UNSUPPORTED, "opcode 0x50"},
    {"DICT of one", "\x80\x02(Nd.", TL_ERROR_FORMAT, "a key without value"},
    {"POP of nothing", "\x80\x02\x30.", TL_ERROR_FORMAT, "more values"},
    {"POP_MARK without mark", "\x80\x02\x31.", TL_ERROR_FORMAT,
        "a mark is missing"},
    {"DUP of nothing", "\x80\x02\x32.", TL_ERROR_FORMAT, "more values"},
    {"ADDITEMS to a list", "\x80\x02](N\x90.", TL_ERROR_FORMAT,
        "no list or dict"},
    {"opcode EXT1", "\x80\x02\x82\x01.", TL_ERROR_UNSUPPORTED, "opcode 0x82"},
    {"protocol 1", "\x80\x01.", TL_ERROR_UNSUPPORTED, "protocol 1"},
    {"protocol 6", "\x80\x06.", TL_ERROR_UNSUPPORTED, "protocol 6"},
    {"no STOP", "\x80\x02}", TL_ERROR_FORMAT, "truncated"},
    {"nothing made", "\x80\x02.", TL_ERROR_FORMAT, "ends with 0 values"},
    {"two values", "\x80\x02}}.", TL_ERROR_FORMAT, "ends with 2 values"},
    {"open mark", "\x80\x02}(.", TL_ERROR_FORMAT, "not one"},
    {"TUPLE without mark", "\x80\x02t.", TL_ERROR_FORMAT, "a mark is missing"},
    {"TUPLE2 of one", "\x80\x02}\x86.", TL_ERROR_FORMAT, "more values"},
    {"TUPLE1 across a mark", "\x80\x02}(\x85.", TL_ERROR_FORMAT, "more values"},
    {"REDUCE of nothing", "\x80\x02R.", TL_ERROR_FORMAT, "more values"},
    {"REDUCE of a dict", "\x80\x02})R.", TL_ERROR_FORMAT, "cannot be called"},
    {"a storage called",
        "\x80\x02"
        "ctorch\nFloatStorage\n)R.",
        TL_ERROR_FORMAT, "torch.FloatStorage is called with other arguments"},
    {"Size of nothing",
        "\x80\x02"
        "ctorch\nSize\n)R.",
        TL_ERROR_FORMAT, "torch.Size is called"},
    {"Parameter of nothing",
        "\x80\x02"
        "ctorch._utils\n_rebuild_parameter\n)R.",
        TL_ERROR_FORMAT, "_rebuild_parameter is called"},
    {"tensor of nothing",
        "\x80\x02"
        "ctorch._utils\n_rebuild_tensor_v2\n)R.",
        TL_ERROR_FORMAT, "not made of storage"},
    {"OrderedDict of pairs",
        "\x80\x02"
        "ccollections\nOrderedDict\n]\x85R.",
        TL_ERROR_FORMAT, "OrderedDict is called with other"},
    {"BUILD onto a list", "\x80\x02]}b.", TL_ERROR_FORMAT, "no OrderedDict"},
    {"BUILD of a list", "\x80\x02}]b.", TL_ERROR_FORMAT, "no OrderedDict"},
    {"SETITEM of a list", "\x80\x02]NNs.", TL_ERROR_FORMAT, "no list or dict"},
    {"SETITEMS odd", "\x80\x02}(NNNu.", TL_ERROR_FORMAT, "no list or dict"},
    {"APPEND to a dict", "\x80\x02}Na.", TL_ERROR_FORMAT, "no list or dict"},
    {"APPENDS to nothing", "\x80\x02(Ne.", TL_ERROR_FORMAT, "no list or dict"},
    {"memo never set", "\x80\x02h\x05.", TL_ERROR_FORMAT,
        "memo 5 was never set"},
    {"memo far ahead", "\x80\x02}q\x11.", TL_ERROR_FORMAT,
        "memo 17 is far beyond"},
    {"memo hole", "\x80\x02}q\x05h\x04.", TL_ERROR_FORMAT,
        "memo 4 was never set"},
    {"memo of nothing", "\x80\x04\x94.", TL_ERROR_FORMAT, "more values"},
    {"string of 16 MB", "\x80\x02X\x01\x01\x01\x01.", TL_ERROR_FORMAT,
        "truncated"},
    {"string of 2^63", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.",
        TL_ERROR_FORMAT, "truncated"},
    {"bytes of 2^63", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        TL_ERROR_FORMAT, "truncated"},
    {"integer of 2^31 bytes", "\x80\x02\x8b\xff\xff\xff\x7f.", TL_ERROR_FORMAT,
        "truncated"},
    {"string beyond the end",
        "\x80\x02U\x10"
        "abc.",
        TL_ERROR_FORMAT, "truncated"},
    {"line without end",
        "\x80\x02"
        "ctorch.",
        TL_ERROR_FORMAT, "a line has no end"},
    {"integer of 72 bits",
        "\x80\x02\x8a\x09"
        "123456789.",
        TL_ERROR_UNSUPPORTED, "a Python object of type builtins.int"},
    {"global of a number", "\x80\x04K\x01K\x01\x93.", TL_ERROR_FORMAT,
        "a global without a name"},
    {"storage of a dict", "\x80\x02}Q.", TL_ERROR_FORMAT, "not a storage"},
    {"a number", "\x80\x02K\x01.", TL_ERROR_FORMAT, "no state dict"},
    {"empty dict", "\x80\x02}.", TL_ERROR_FORMAT, "no state dict"},
    {"wrapper of a number", "\x80\x02}U\x05modelK\x01s.", TL_ERROR_FORMAT,
        "no state dict"},
};

#define N_REFUSED ((int) (sizeof refused / sizeof refused[0]))

START_TEST (pickles_beyond_the_allow_list_are_refused)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  TlStatus status;

  bytes_puts (&pickle, refused[_i].pickle);
  status = read_pickle (&pickle, &file, &set);
  ck_assert_msg (status == refused[_i].status
          && strstr (error.message, refused[_i].message),
      "%s: status %d, %s", refused[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (numbers_and_memos_are_read)
{
  static const char pickle[] = "\x80\x04\x95\x40\0\0\0\0\0\0\0("
                               "J\xfe\xff\xff\xffK\xffM\xff\xff"
                               "\x8a\x00\x8a\x01\xff\x8a\x02\xff\x00"
                               "G\x3f\xf8\0\0\0\0\0\0\x88\x89N"
                               "\x8c\x03keyr\0\0\0\0j\0\0\0\0t.";
  static const int64_t integers[] = {-2, 255, 65535, 0, -1, 255};
  TlArena arena = TL_ARENA_INIT (LIMIT);
  const TlPickleValue *root = NULL;
  size_t used = 0;

  /* The NUL of the literal stands for what follows a pickle. */
  assert_ok (tl_pickle_load (pickle, sizeof pickle, NULL, &arena, &root, &used,
      &error));
  ck_assert_uint_eq (used, sizeof pickle - 1);
  ck_assert_int_eq (root->type, TL_PICKLE_TUPLE);
  ck_assert_uint_eq (root->list.n, 12);
  for (int i = 0; i < 6; i++)
    ck_assert_int_eq (root->list.items[i]->integer, integers[i]);
  ck_assert_double_eq (root->list.items[6]->real, 1.5);
  ck_assert_int_eq (root->list.items[7]->integer, 1);
  ck_assert_int_eq (root->list.items[9]->type, TL_PICKLE_NONE);
  ck_assert_ptr_eq (root->list.items[10], root->list.items[11]);
  tl_arena_clear (&arena);
}
END_TEST

/* Nesting is as deep as the pickle is long, and nothing recurses. */
START_TEST (deep_and_wide_pickles_are_bounded)
{
  static uint8_t bytes[1 << 20];
  TlArena arena = TL_ARENA_INIT (256u << 20);
  const TlPickleValue *root = NULL;

  memset (bytes, 0x85, sizeof bytes);
  bytes[0] = '}';
  bytes[sizeof bytes - 1] = '.';
  assert_ok (
      tl_pickle_load (bytes, sizeof bytes, NULL, &arena, &root, NULL, &error));
  ck_assert_int_eq (root->type, TL_PICKLE_TUPLE);
  tl_arena_clear (&arena);

  arena.limit = LIMIT;
  assert_fails (tl_pickle_load (bytes, sizeof bytes, NULL, &arena, &root, NULL,
                    &error),
      TL_ERROR_LIMIT, "more than the 1,048,576 bytes");
  tl_arena_clear (&arena);
}
END_TEST

/* Archives that are refused: what is changed in an honest one. */
typedef void (*Spoil) (Record *records);

static void
compress_data (Record *r)
{
  r[1].method = 8;
}

static void
compress_pickle (Record *r)
{
  r[0].method = 8;
}

static void
encrypt (Record *r)
{
  r[1].flags |= 1;
}

static void
claim_more (Record *r)
{
  r[1].said = 1 << 20;
}

static void
overlap (Record *r)
{
  r[0].said = (int64_t) r[0].size + 60;
}

static void
name_twice (Record *r)
{
  r[2].name = r[1].name;
}

static void
lose_pickle (Record *r)
{
  r[0].name = "model/data.txt";
}

static void
be_torchscript (Record *r)
{
  r[2].name = "model/constants.pkl";
}

static void
be_big_endian (Record *r)
{
  r[2].name = "model/byteorder";
  r[2].data = "big";
  r[2].size = 3;
}

static const struct
{
  Spoil spoil;
  TlStatus status;
  const char *message;
} spoilt[] = {
    {compress_data, TL_ERROR_UNSUPPORTED, "model/data/0 is compressed"},
    {compress_pickle, TL_ERROR_UNSUPPORTED, "model/data.pkl is compressed"},
    {encrypt, TL_ERROR_UNSUPPORTED, "model/data/0 is encrypted"},
    {claim_more, TL_ERROR_FORMAT, "model/data/0 is damaged"},
    {overlap, TL_ERROR_FORMAT, "overlap"},
    {name_twice, TL_ERROR_FORMAT, "zip record model/data/0 occurs twice"},
    {lose_pickle, TL_ERROR_FORMAT, "without data.pkl"},
    {be_torchscript, TL_ERROR_UNSUPPORTED, "a TorchScript archive"},
    {be_big_endian, TL_ERROR_UNSUPPORTED, "byte order \"big\""},
};

#define N_SPOILT ((int) (sizeof spoilt / sizeof spoilt[0]))

START_TEST (spoilt_archives_are_refused)
{
  static const float elements[N_ELEMENTS];
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};

  build_pickle (&pickle, "", "w", &honest, "");
  {
    Record records[] = {RECORD ("model/data.pkl", pickle.data, pickle.n),
        RECORD ("model/data/0", elements, sizeof elements),
        RECORD ("model/version", "3\n", 2)};

    spoilt[_i].spoil (records);
    build_zip (&file, records, 3, _i % 2);
  }
  assert_fails (tl_pth_read_zip (file.data, file.n, &set, &error),
      spoilt[_i].status, spoilt[_i].message);
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

START_TEST (every_truncation_is_refused)
{
  Bytes file = {NULL, 0};

  build_small_pth (&file);
  for (size_t n = 0; n < file.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

    assert_fails (tl_pth_read_zip (file.data, n, &set, &error), TL_ERROR_FORMAT,
        "truncated: the zip directory");
    tl_tensor_set_clear (&set);
  }
  bytes_clear (&file);
}
END_TEST

START_TEST (a_comment_behind_the_archive_is_allowed)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  build_small_pth (&file);
  file.data[file.n - 2] = 5;
  bytes_puts (&file, "hello");
  assert_ok (tl_pth_read_zip (file.data, file.n, &set, &error));
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("pth");
  TCase *tests = tcase_create ("pth");

  tcase_add_loop_test (tests, small_file_is_read, 0, N_CONTAINERS);
  tcase_add_loop_test (tests, views_are_read_at_every_alignment, 0, 8);
  tcase_add_loop_test (tests, wrappers_are_found_and_prefixes_taken_off, 0,
      N_WRAPPERS);
  tcase_add_loop_test (tests, tensors_must_fit_their_storage, 0, N_MISFITS);
  tcase_add_loop_test (tests, pickles_beyond_the_allow_list_are_refused, 0,
      N_REFUSED);
  tcase_add_test (tests, numbers_and_memos_are_read);
  tcase_add_test (tests, deep_and_wide_pickles_are_bounded);
  tcase_add_loop_test (tests, spoilt_archives_are_refused, 0, N_SPOILT);
  tcase_add_test (tests, every_truncation_is_refused);
  tcase_add_test (tests, a_comment_behind_the_archive_is_allowed);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
