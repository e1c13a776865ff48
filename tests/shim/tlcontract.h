/* SPDX-License-Identifier: BSD-3-Clause */

/* What the tests that hold for every library share: a model whose fc is
 * trainable, its trainer, and valid data to call them with, made once. */

#ifndef TL_CONTRACT_H
#define TL_CONTRACT_H

#include "tlshimtest.h"
#include "tltest.h"

/* The status of nearly every row. */
#define ARGUMENT TL_ERROR_ARGUMENT

#define N_CLASSES 3
#define N 2
#define SIDE 32

extern const char *arch; /* of the command line */
extern TlError error;
extern ShimLibrary lib;
extern StateDict dict;
extern TlModel *model;
extern TlTrainer *trainer;
extern TlModelInfo info;
extern uint8_t *pictures;
extern float *features;
extern const int32_t labels[N];

TlModelOptions get_model_options (void);
TlTrainerOptions get_trainer_options (void);
TlBatch get_batch (void);

void setup_contract (void);
void teardown_contract (void);

/* The body of main(); the arguments are a library and an architecture. */
int run_contract (int argc, char **argv, Suite *suite);

#endif
