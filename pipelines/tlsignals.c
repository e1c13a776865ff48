/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsignals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "tlexit.h"

#define SAME_PRESS_MS 300

/* Written by the handlers, which may interrupt each other's thread but block
 * each other. */
static int event_fd = -1;
static volatile sig_atomic_t requested;
static gint64 requested_ms;
static gboolean is_seen; /* somebody looks at stderr */
static const gchar *volatile deadline_text = "";

static gint64
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Async-signal-safe, as all that the handlers call. */
static void
say (const gchar *text)
{
  ssize_t n = write (STDERR_FILENO, text, strlen (text));

  (void) n;
}

static void
take_request (int number)
{
  int saved = errno;
  guint64 one = 1;
  ssize_t n;

  if (!requested) {
    requested = 1;
    requested_ms = now_ms ();
    n = write (event_fd, &one, sizeof one);
    (void) n;
    if (is_seen)
      say ("\ntlpipe: stopping in good order; once more to stop at once\n");
  } else if (number != SIGHUP && now_ms () - requested_ms > SAME_PRESS_MS) {
    say ("\ntlpipe: stopped at once; what was written whole stays\n");
    _exit (TL_EXIT_INTERRUPTED);
  }
  errno = saved;
}

static void
meet_deadline (int number)
{
  say (deadline_text);
  _exit (TL_EXIT_FAILED);
}

void
tl_signals_install (void)
{
  static const int requests[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_flags = SA_RESTART};

  is_seen = isatty (STDERR_FILENO);
  event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_fd < 0)
    g_error ("eventfd: %s", g_strerror (errno));
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    sigaddset (&action.sa_mask, requests[i]);
  action.sa_handler = take_request;
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    sigaction (requests[i], &action, NULL);
  action.sa_handler = meet_deadline;
  sigaction (SIGALRM, &action, NULL);
}

void
tl_signals_ignore_pipe (void)
{
  struct sigaction action = {.sa_handler = SIG_IGN};

  sigaction (SIGPIPE, &action, NULL);
}

int
tl_signals_fd (void)
{
  return event_fd;
}

gboolean
tl_signals_requested (void)
{
  return requested != 0;
}

void
tl_signals_set_deadline (guint seconds, const gchar *text)
{
  if (text)
    deadline_text = text;
  alarm (seconds);
}
