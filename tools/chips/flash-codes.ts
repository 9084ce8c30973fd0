// Flash sizes in the headers of ESP32-family images (esp_image_format.h, esp_image_flash_size_t).

export const flashSizes: Readonly<Record<number, string>> = {
  0: "1MB",
  1: "2MB",
  2: "4MB",
  3: "8MB",
  4: "16MB",
  5: "32MB",
  6: "64MB",
  7: "128MB",
};
