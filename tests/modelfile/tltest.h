/* SPDX-License-Identifier: BSD-3-Clause */

/* What every test program of this folder begins and ends with. */

#ifndef TL_TEST_H
#define TL_TEST_H

#include "tlfail.h"

#include <check.h>
#include <stdlib.h>

/* A call that must succeed; the failure shows its message. */
#define assert_ok(call)                                                        \
  do {                                                                         \
    error.message[0] = '\0';                                                   \
    ck_assert_msg ((call) == TL_OK, "%s: %s", #call, error.message);           \
  } while (0)

/* A call that must fail, with @text somewhere in its message. */
#define assert_fails(call, status, text)                                       \
  do {                                                                         \
    error.message[0] = '\0';                                                   \
    ck_assert_int_eq ((call), (status));                                       \
    ck_assert_msg (strstr (error.message, (text)) != NULL,                     \
        "expected \"%s\" in: %s", (text), error.message);                      \
  } while (0)

static inline int
run_suite (Suite *suite)
{
  SRunner *runner = srunner_create (suite);
  int n_failed;

  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
