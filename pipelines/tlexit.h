/* SPDX-License-Identifier: BSD-3-Clause */

/* Exit statuses of the program tlpipe. */

#ifndef TL_EXIT_H
#define TL_EXIT_H

typedef enum
{
  TL_EXIT_OK = 0,
  TL_EXIT_FAILED = 1,       /* the pipeline, or what was asked for, failed */
  TL_EXIT_USAGE = 2,        /* the command line is wrong */
  TL_EXIT_BAD_FILE = 3,     /* the pipeline file is */
  TL_EXIT_INTERRUPTED = 130 /* by a signal, as shells say it for SIGINT */
} TlExit;

#endif
