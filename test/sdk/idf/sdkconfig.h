// What ESP-IDF's build would generate of a chip's settings, as far as the headers of v6.0 that our C includes ask for it, and our C
// itself. The check gives the chip's name (CONFIG_IDF_TARGET) and its number of cores.
#pragma once

#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_BOOTLOADER_LOG_LEVEL 0
#define CONFIG_ESP_TASK_WDT_EN 1
#define CONFIG_ESP_WIFI_DYNAMIC_RX_BUFFER_NUM 12
#define CONFIG_ESP_WIFI_DYNAMIC_RX_MGMT_BUF 0
#define CONFIG_ESP_WIFI_ESPNOW_MAX_ENCRYPT_NUM 7
#define CONFIG_ESP_WIFI_STATIC_RX_BUFFER_NUM 6
#define CONFIG_ESP_WIFI_TX_BUFFER_TYPE 1
#define CONFIG_FREERTOS_HZ 1000
#define CONFIG_FREERTOS_MAX_TASK_NAME_LEN 16
#define CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES 1

// lwIP, whose headers XS includes.
#define CONFIG_LWIP_IPV4 1
#define CONFIG_LWIP_TCP_OVERSIZE_MSS 1
#define CONFIG_LWIP_DHCP_COARSE_TIMER_SECS 1
