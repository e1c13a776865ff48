/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint32_t
tl_cpu_count (void)
{
  cpu_set_t set;
  long online;

  if (sched_getaffinity (0, sizeof set, &set) == 0)
    return (uint32_t) CPU_COUNT (&set);

  /* More CPUs than a cpu_set_t holds. */
  online = sysconf (_SC_NPROCESSORS_ONLN);
  return online > 0 ? (uint32_t) online : 1;
}

/* "model name	: AMD EPYC 9354" on x86; arm64 has no such line. */
static void
read_model_name (char *name, size_t size)
{
  FILE *file = fopen ("/proc/cpuinfo", "re");
  char line[256];

  snprintf (name, size, "CPU");
  if (!file)
    return;
  while (fgets (line, sizeof line, file)) {
    const char *value = strchr (line, ':');

    if (strncmp (line, "model name", 10) != 0 || !value)
      continue;
    value += 1 + strspn (value + 1, " \t");
    snprintf (name, size, "%.*s", (int) strcspn (value, "\n"), value);
    break;
  }
  fclose (file);
}

void
tl_cpu_describe (TlDeviceInfo *ret)
{
  long pages = sysconf (_SC_PHYS_PAGES);
  long page_size = sysconf (_SC_PAGESIZE);

  ret->kind = TL_DEVICE_CPU;
  ret->index = -1;
  snprintf (ret->id, sizeof ret->id, "cpu");
  read_model_name (ret->name, sizeof ret->name);
  if (pages > 0 && page_size > 0)
    ret->memory = (uint64_t) pages * (uint64_t) page_size;
}
