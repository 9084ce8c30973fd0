// The world of the demo: Bret's router in Broome.

export const network = { ssid: "Broome", password: "cable-beach-6725" };

/** A world file (see SPEC.md) on the real clock. */
export const world = {
  seed: 6725,
  clock: "real",
  accessPoints: [
    {
      ssid: network.ssid,
      bssid: "9c:3d:cf:00:67:25",
      password: network.password,
      security: "wpa2",
      channel: 6,
      rssi: -58,
    },
  ],
};
