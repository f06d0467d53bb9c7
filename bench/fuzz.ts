/** `npm run fuzz -- [packets|http] [options]`: packets of VRRP, or requests through the balancer. */

import { httpFuzz } from "./fuzz-http.ts";
import { packetFuzz } from "./fuzz-packets.ts";

const [what, ...args] = process.argv.slice(2);
if (what === "http") await httpFuzz(args);
else packetFuzz(what === "packets" ? args : process.argv.slice(2));
