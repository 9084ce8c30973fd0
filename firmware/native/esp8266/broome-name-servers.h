// The name servers that DHCP gave: apart, because lwIP's headers and the SDK's own define the same names.
#ifndef BROOME_NAME_SERVERS_H
#define BROOME_NAME_SERVERS_H

#include <stdint.h>

// In the order of the network; zero where there is none.
void nameServers(uint32_t servers[2]);

#endif
