// Commands of the ROMs' serial bootloaders, by generation (esptool's documentation, "Serial Protocol").

/** All that the ESP8266's knows. */
export const firstRomCommands: readonly string[] = [
  "FLASH_BEGIN",
  "FLASH_DATA",
  "FLASH_END",
  "MEM_BEGIN",
  "MEM_END",
  "MEM_DATA",
  "SYNC",
  "WRITE_REG",
  "READ_REG",
];

/** The ESP32's. */
export const secondRomCommands: readonly string[] = [
  ...firstRomCommands,
  "SPI_SET_PARAMS",
  "SPI_ATTACH",
  "READ_FLASH_SLOW",
  "CHANGE_BAUDRATE",
  "FLASH_DEFL_BEGIN",
  "FLASH_DEFL_DATA",
  "FLASH_DEFL_END",
  "SPI_FLASH_MD5",
];
