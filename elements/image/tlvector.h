/* SPDX-License-Identifier: BSD-3-Clause */

/* Marks a function whose loops gain from wider vectors than the baseline's:
 * compiled twice, chosen when the library is loaded. AVX2 without FMA, so that
 * both give the same bits. Sanitizers instrument the chooser, which runs before
 * they are set up: then, and elsewhere than on x86-64 Linux, one version. */

#ifndef TL_VECTOR_H
#define TL_VECTOR_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)             \
    && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)                   \
    && !defined(__SANITIZE_THREAD__)
#define TL_VECTORISED __attribute__ ((target_clones ("avx2", "default")))
#else
#define TL_VECTORISED
#endif

#endif
