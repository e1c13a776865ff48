/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllaunch.h"
