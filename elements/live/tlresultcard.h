/* SPDX-License-Identifier: BSD-3-Clause */

/* The card that shows a result on a picture: a translucent plate in a corner
 * with the class, bars, badges and a notice. Pango and Cairo alone: a size goes
 * in, pixels come out.
 *
 * All lengths follow the height of the picture, so that the card looks the same
 * from 576 lines to 2160; on pictures too small for that it stays as large as
 * its text needs. Pixels that are not square are honoured. */

#ifndef TL_RESULT_CARD_H
#define TL_RESULT_CARD_H

#include <glib.h>

G_BEGIN_DECLS

/* Most classes listed. */
#define TL_CARD_MAX 16

typedef enum
{
  TL_CARD_VALID = 0,
  TL_CARD_UNCERTAIN = 1,
  TL_CARD_ABSENT = 2,
} TlCardState;

typedef struct
{
  const gchar *name;
  guint percent; /* 0 is shown as "<1 %", 100 as ">99 %" */
} TlCardClass;

/* What is shown. Text is borrowed; it may be any UTF-8 and of any length, is
 * never read as markup, and is shortened with an ellipsis. Plain data: two cards
 * that are equal byte by byte look the same. */
typedef struct
{
  TlCardState state;
  guint n_rows; /* room for so many classes, 1 to TL_CARD_MAX, so that the size
                   does not depend on the state */
  guint n;      /* of top, best first; up to n_rows are shown */
  guint stale;  /* age of the result in seconds where it is too old, else 0 */
  guint is_stale;
  guint n_skipped;     /* frames passed over; 0: none */
  const gchar *reason; /* why absent, or NULL */
  const gchar *notice; /* the last line, or NULL */
  TlCardClass top[TL_CARD_MAX];
} TlCard;

typedef enum
{
  TL_CARD_TOP_LEFT = 0,
  TL_CARD_TOP_RIGHT = 1,
  TL_CARD_BOTTOM_LEFT = 2,
  TL_CARD_BOTTOM_RIGHT = 3,
} TlCardPosition;

/* The picture that the card is for. */
typedef struct
{
  guint width, height;  /* pixels, at least 1 */
  gdouble pixel_aspect; /* width of a pixel by its height */
  TlCardPosition position;
  gdouble scale; /* 1: the usual size */
} TlCardView;

/* Where it lies in the picture, in pixels; always inside. */
typedef struct
{
  guint x, y, width, height;
} TlCardBox;

/* Fonts and what was read of them. One thread at a time. */
typedef struct TlCardPainter TlCardPainter;

/* NULL if the system has no font at all. */
TlCardPainter *tl_card_painter_new (void);
void tl_card_painter_free (TlCardPainter *self); /* accepts NULL */

TlCardBox tl_card_painter_place (TlCardPainter *self, const TlCard *card,
    const TlCardView *view);

/* Draws over box->height rows of box->width pixels, @stride bytes apart:
 * premultiplied ARGB, 32 bits in the byte order of the machine. @stride is a
 * multiple of 4. FALSE, with the pixels in any state, if Cairo fails. */
gboolean tl_card_painter_draw (TlCardPainter *self, const TlCard *card,
    const TlCardView *view, const TlCardBox *box, guint8 *pixels, gsize stride);

G_END_DECLS

#endif
