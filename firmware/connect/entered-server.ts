// The server that a person entered at the UART, as the store keeps it.

export interface ServerEntry {
  url: string;
  key: string; // join key
  fresh: boolean; // until it led to a server that took the device
}
