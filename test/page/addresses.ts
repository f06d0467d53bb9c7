/** Where the page can be, besides its first screen. */
export const ADDRESSES = [
  "#/events",
  "#/incidents",
  "#/incident/web-20261102T114746Z%40lb1",
  "#/drills",
  "#/drill/kill-vrrp",
  "#/drill/power-off",
  "#/nodes",
  "#/address/VI_1",
  "#/director/lb2",
  "#/pool/web",
  "#/server/web/web2",
  "#/service/web",
  "#/server/web/gone",
] as const;
