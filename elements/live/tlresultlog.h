/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_RESULT_LOG_H
#define TL_RESULT_LOG_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define TL_TYPE_RESULT_LOG (tl_result_log_get_type ())
G_DECLARE_FINAL_TYPE (TlResultLog, tl_result_log, TL, RESULT_LOG,
    GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (resultlog);

G_END_DECLS

#endif
