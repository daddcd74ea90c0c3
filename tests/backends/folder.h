/* A folder of its own for each test: cmocka's setup and teardown make and delete it. */
#ifndef TESTS_BACKENDS_FOLDER_H
#define TESTS_BACKENDS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[64];

static int setup(void **state) {
  (void)state;
  strcpy(directory, "/tmp/secant-test-XXXXXX");
  return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return system(command);
}

#endif
