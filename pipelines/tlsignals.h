/* SPDX-License-Identifier: BSD-3-Clause */

/* Signals that ask the program to stop.
 *
 * SIGINT, SIGTERM or SIGHUP once is a request: tl_signals_fd () becomes readable
 * and whoever waits on it stops in good order. A second SIGINT or SIGTERM ends
 * the process at once with TL_EXIT_INTERRUPTED, whatever it is doing, for it may
 * be waiting for something that never comes. One that follows the first within
 * 0.3 s is the same key press, sent to the process and to its group. SIGHUP is
 * never the second: a terminal that closes sends several.
 *
 * The first is answered with a line on stderr if that is a terminal: the step
 * that runs may take its time. */

#ifndef TL_SIGNALS_H
#define TL_SIGNALS_H

#include <glib.h>

G_BEGIN_DECLS

/* Once per process, before a pipeline runs. */
void tl_signals_install (void);

/* Makes a write to a closed pipe an error like any other, for a program that has
 * more to do than to write. Without, it ends the process, as for most tools. */
void tl_signals_ignore_pipe (void);

/* Readable from the first request on; nobody reads it. Borrowed. */
int tl_signals_fd (void);

gboolean tl_signals_requested (void);

/* Ends the process with TL_EXIT_FAILED and @text on stderr if it still runs
 * after @seconds: for a pipeline that is stuck and may not stop either. @text
 * must stay valid. 0 takes it back. */
void tl_signals_set_deadline (guint seconds, const gchar *text);

G_END_DECLS

#endif
