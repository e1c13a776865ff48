/* SPDX-License-Identifier: BSD-3-Clause */

/* tlshim.h stands alone, as the first thing of a C++ program, with -pedantic;
 * and twice. Compiling is the test. */

#include "tlshim.h"
#include "tlshim.h"

size_t count_default_bytes ();

size_t
count_default_bytes ()
{
  const TlModelOptions model = TL_MODEL_OPTIONS_INIT;
  const TlTrainerOptions trainer = TL_TRAINER_OPTIONS_INIT;
  const TlError error = TL_ERROR_INIT;

  return model.struct_size + trainer.struct_size + error.struct_size;
}
