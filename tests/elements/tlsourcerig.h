/* SPDX-License-Identifier: BSD-3-Clause */

/* datasetsrc, and a sink that writes down what it gets. */

#ifndef TL_SOURCE_RIG_H
#define TL_SOURCE_RIG_H

#include <gst/gst.h>

#include <tlevents.h>
#include <tlqueries.h>
#include <tlsamplemeta.h>

/* Of one test: where its files are. */
extern gchar *player_folder;

/* The fixture of every test. */
void player_set_up (void);
void player_tear_down (void);

typedef struct
{
  GstElement *src;
  GstPad *pad;
  GstBus *bus;
  const gchar *caps; /* that it takes; NULL: any */
  TlCursor cursor;   /* its answer to tl-cursor; none with an empty digest */
  gint cached_view;  /* says so after the first phase; -1: never */

  GMutex lock;
  GCond changed;
  GPtrArray *log; /* one line per event and buffer, under lock */
  GPtrArray *buffers;
  TlDatasetInfo *info;
  gboolean ended;
} Player;

/* On player_folder, without shuffling; not started. @caps: what the sink takes,
 * *borrowed*; NULL for any. */
void player_init (Player *p, const gchar *caps);
void player_clear (Player *p);

/* Starts, and waits for EOS, or for EOS or @n lines. */
void player_play (Player *p);
void player_play_lines (Player *p, guint n);

/* The whole log is @lines, NULL-terminated. */
void player_expect_log (Player *p, const gchar *const *lines);

/* Messages of @type, by @name unless it is NULL; they stay on the bus. */
guint player_count_messages (Player *p, GstMessageType type, const gchar *name);

/* There is exactly one error, whose text has @text; it refuses to start with
 * such a one. */
void player_expect_one_error (Player *p, const gchar *text);
void player_expect_no_start (Player *p, const gchar *text);

/* Of the buffer number @i; *borrowed*. */
TlSampleMeta *player_get_meta (Player *p, guint i);

/* Four files: train with classes a (2) and b (1), val with a (1). */
void player_add_small_set (void);

#endif
