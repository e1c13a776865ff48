/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsettings.h"

static GParamSpec *
make_pspec (const TlSetting *row)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT
      | G_PARAM_STATIC_STRINGS
      | (row->is_live ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY);

  switch (row->kind) {
    case TL_SETTING_BOOLEAN:
      return g_param_spec_boolean (row->name, row->nick, row->blurb,
          row->number != 0, flags);
    case TL_SETTING_ENUM:
      return g_param_spec_enum (row->name, row->nick, row->blurb,
          row->enum_type (), (gint) row->number, flags);
    case TL_SETTING_UINT:
      return tl_param_spec_set_range_full (g_param_spec_uint (row->name,
                                               row->nick, row->blurb, 0,
                                               G_MAXUINT, (guint) row->number,
                                               flags),
          &row->range);
    case TL_SETTING_DOUBLE:
      return tl_param_spec_set_range_full (g_param_spec_double (row->name,
                                               row->nick, row->blurb,
                                               -G_MAXDOUBLE, G_MAXDOUBLE,
                                               row->number, flags),
          &row->range);
    default:
      return g_param_spec_string (row->name, row->nick, row->blurb, row->text,
          flags);
  }
}

void
tl_settings_install (GObjectClass *klass, guint first_id,
    const TlSetting *table, guint n)
{
  for (guint i = 0; i < n; i++)
    g_object_class_install_property (klass, first_id + i,
        make_pspec (&table[i]));
}

void
tl_settings_set (gpointer settings, const TlSetting *row, const GValue *value)
{
  gpointer field = (guint8 *) settings + row->offset;

  switch (row->kind) {
    case TL_SETTING_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case TL_SETTING_ENUM:
      *(gint *) field = g_value_get_enum (value);
      break;
    case TL_SETTING_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case TL_SETTING_DOUBLE:
      *(gdouble *) field = g_value_get_double (value);
      break;
    default:
      g_free (*(gchar **) field);
      *(gchar **) field = g_value_dup_string (value);
      if (!*(gchar **) field)
        *(gchar **) field = g_strdup (row->text);
  }
}

void
tl_settings_get (gconstpointer settings, const TlSetting *row, GValue *value)
{
  gconstpointer field = (const guint8 *) settings + row->offset;

  switch (row->kind) {
    case TL_SETTING_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case TL_SETTING_ENUM:
      g_value_set_enum (value, *(const gint *) field);
      break;
    case TL_SETTING_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case TL_SETTING_DOUBLE:
      g_value_set_double (value, *(const gdouble *) field);
      break;
    default:
      g_value_set_string (value, *(gchar *const *) field);
  }
}
