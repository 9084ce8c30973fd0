// What the ESP8266 writes to UART 0: at once, waiting for the FIFO, so that no line is held in the program's small arena and
// none is lost before a restart. 80 characters take 7 ms at 115200. Reading is `embedded:io/serial`'s.
#include "xsmc.h"
#include "xsHost.h"

// True in a debug build: xsbug has the UART then, and nothing can be read.
void xs_broome_console_debugged(xsMachine* the) {
#ifdef mxDebug
  xsmcSetTrue(xsResult);
#else
  xsmcSetFalse(xsResult);
#endif
}

// (bytes)
void xs_broome_console_write(xsMachine* the) {
  void* bytes;
  xsUnsignedValue size;
  xsmcGetBufferReadable(xsArg(0), &bytes, &size);
#ifdef mxDebug
  char line[65];
  for (xsUnsignedValue at = 0; at < size; at += 64) {
    xsUnsignedValue length = size - at < 64 ? size - at : 64;
    c_memcpy(line, (char*)bytes + at, length);
    line[length] = 0;
    xsLog("%s", line);
  }
#else
  ESP_put(bytes, (int)size);
#endif
}
