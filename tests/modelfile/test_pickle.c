/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthbuild.h"
#include "tltest.h"

#include <string.h>

#define LIMIT (1u << 20)

static TlError error = TL_ERROR_INIT;

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
  status = read_pth (&pickle, &file, &set, &error);
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

int
main (void)
{
  Suite *suite = suite_create ("pickle");
  TCase *tests = tcase_create ("pickle");

  tcase_add_loop_test (tests, pickles_beyond_the_allow_list_are_refused, 0,
      N_REFUSED);
  tcase_add_test (tests, numbers_and_memos_are_read);
  tcase_add_test (tests, deep_and_wide_pickles_are_bounded);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
