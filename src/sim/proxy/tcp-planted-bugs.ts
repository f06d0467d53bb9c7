/** Bugs of a proxy that carries bytes: those that one of requests may have, too, and its own. */

import { Engine } from "../../core/proxy/engine.ts";
import type { Wire } from "../../core/proxy/wire.ts";
import {
  PLANTED_BUGS,
  planted,
  type PlantedBug,
  sendingWire,
  wireThat,
  withClients,
} from "./planted-bugs.ts";

export const TCP_PLANTED_BUGS: readonly PlantedBug[] = [
  ...PLANTED_BUGS,
  {
    name: "does not pass the client's end on",
    make: planted((connect) => (target, peer) => wireThat(connect(target, peer), { end() {} })),
  },
  {
    name: "ends both ways when the client has ended one",
    make: planted((connect) => (target, peer) => {
      const wire = connect(target, peer);
      return wireThat(wire, { end: () => wire.destroy(false) });
    }),
  },
  {
    name: "makes a break look like an end to the client",
    make: withClients((wire) => wireThat(wire, { destroy: () => wire.destroy(false) })),
  },
  {
    name: "never stops reading a client",
    make: withClients((wire) => wireThat(wire, { pause() {} })),
  },
  {
    name: "forgets what the client said before its server was there",
    make: (now, options) => {
      const { connector } = options;
      const connect = (...[target, peer]: Parameters<typeof connector.connect>): Wire => {
        const wire = connector.connect(target, peer);
        let isFirst = true;
        return sendingWire(wire, (bytes, from, to) => {
          const isEarly = isFirst && bytes.length >= 4096;
          isFirst = false;
          return isEarly ? true : wire.send(bytes, from, to);
        });
      };
      return new Engine(now, { ...options, connector: { connect } });
    },
  },
];
