// UART 0 of the ESP32: ESP-IDF's uart driver, whose interrupt fills a ring while the program is busy. The UART's own FIFO holds
// 128 bytes, 11 ms at 115200; the ring holds 178 ms, an erase of a flash sector takes some 50.
//
// In a debug build xsbug has the UART: what is written goes to its log, and nothing can be read. On a C3 board whose USB port is
// the chip's own (USB-JTAG), UART 0 is on the pins and not on that port.
#include "driver/uart.h"
#include "soc/uart_pins.h"
#include "xsmc.h"
#include "xsHost.h"

#define RING_SIZE 2048
#define OUT_SIZE 1024
#define MOST_AT_ONCE 128

#ifdef mxDebug

void xs_broome_console_open(xsMachine* the) { (void)the; }

// (bytes)
void xs_broome_console_write(xsMachine* the) {
  char line[MOST_AT_ONCE + 1];
  void* bytes;
  xsUnsignedValue size;
  xsmcGetBufferReadable(xsArg(0), &bytes, &size);
  for (xsUnsignedValue at = 0; at < size; at += MOST_AT_ONCE) {
    xsUnsignedValue length = size - at < MOST_AT_ONCE ? size - at : MOST_AT_ONCE;
    memcpy(line, (char*)bytes + at, length);
    line[length] = 0;
    xsLog("%s", line);
  }
}

void xs_broome_console_read(xsMachine* the) { (void)the; }

#else

// (baud)
void xs_broome_console_open(xsMachine* the) {
  const uart_config_t config = {.baud_rate = xsmcToInteger(xsArg(0)),
                                .data_bits = UART_DATA_8_BITS,
                                .parity = UART_PARITY_DISABLE,
                                .stop_bits = UART_STOP_BITS_1,
                                .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
                                .source_clk = UART_SCLK_DEFAULT};
  if (uart_is_driver_installed(UART_NUM_0)) return;
  if (uart_param_config(UART_NUM_0, &config) != ESP_OK) xsRangeError("console: %d baud", config.baud_rate);
  uart_set_pin(UART_NUM_0, U0TXD_GPIO_NUM, U0RXD_GPIO_NUM, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
  if (uart_driver_install(UART_NUM_0, RING_SIZE, OUT_SIZE, 0, NULL, 0) != ESP_OK) xsUnknownError("console: no memory");
}

// (bytes): waits while what was written before still fills the buffer, at most 89 ms at 115200.
void xs_broome_console_write(xsMachine* the) {
  void* bytes;
  xsUnsignedValue size;
  xsmcGetBufferReadable(xsArg(0), &bytes, &size);
  uart_write_bytes(UART_NUM_0, bytes, size);
}

// Up to 128 bytes that have arrived, or undefined.
void xs_broome_console_read(xsMachine* the) {
  uint8_t bytes[MOST_AT_ONCE];
  int size = uart_read_bytes(UART_NUM_0, bytes, sizeof bytes, 0);
  if (size > 0) xsmcSetArrayBuffer(xsResult, bytes, size);
}

#endif
