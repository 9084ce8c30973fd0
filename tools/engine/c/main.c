// The engine: `engine link` makes an archive of JavaScript modules, `engine run ...` runs one out of a flash file.
#include "host.h"

int main(int argc, char** argv) {
  char base;
  gStackBase = &base;
  if ((argc == 2) && !strcmp(argv[1], "link")) return linkMain();
  if ((argc > 2) && !strcmp(argv[1], "run")) return runMain(argc - 2, argv + 2);
  if ((argc == 2) && !strcmp(argv[1], "version")) {
    printf("%d.%d.%d %d\n", XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION, (int)(8 * sizeof(void*)));
    return 0;
  }
  fprintf(stderr, "usage: engine link | run FILE OFFSET SIZE MAIN CREATION... | version\n");
  return 2;
}
