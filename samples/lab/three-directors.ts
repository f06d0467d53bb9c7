/** Three directors, a client beside them and a server behind. `sudo nines lab up samples/lab/three-directors.ts` */

const director = (number: number) => ({
  eth0: { segment: "front", address: [`10.5.0.${number}/24`, `fd00:5::${number}/64`] },
  eth1: { segment: "back", address: `10.6.0.${number}/24` },
});

export const world = {
  name: "shop",
  segments: ["front", { name: "back", multicastSnooping: true }],
  hosts: {
    client: { eth0: { segment: "front", address: "10.5.0.50/24" } },
    lb1: director(1),
    lb2: director(2),
    lb3: director(3),
    web: {
      eth0: { segment: "back", address: "10.6.0.80/24", routes: ["default via 10.6.0.1"], mtu: 1400 },
    },
  },
};
