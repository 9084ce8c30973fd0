// The name servers that DHCP gave: see the header. lwIP 1.4 of SDK 2.3.0.
#include "broome-name-servers.h"

#include "lwip/tcp.h"  // what dns.h is written in
#include "lwip/dns.h"

void nameServers(uint32_t servers[2]) {
  for (unsigned i = 0; i < 2; i++) servers[i] = dns_getserver((u8_t)i).addr;
}
