/**
 * The TURN relay of the server (PROTOCOL.md section 1, **relay**) as connections are told of it. Pure.
 */

/**
 * What RTCPeerConnection takes for a relay, or for none.
 * @param {import("./protocol.js").RelayNoun | null | undefined} relay
 * @returns {{iceServers: RTCIceServer[], iceTransportPolicy: RTCIceTransportPolicy}}
 */
export function withRelay(relay) {
  return {
    iceServers: relay?.servers ?? [],
    iceTransportPolicy: relay?.use === "only" ? "relay" : "all",
  };
}
