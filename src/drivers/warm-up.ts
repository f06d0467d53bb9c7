/**
 * Looks at the kernel once without changing anything, for a process in reserve: the first use of
 * native calls, netlink and nf_tables costs several times what every later one does.
 */

import { NFPROTO_INET, remainingLifetimeMs } from "./netlink/nf-tables.ts";
import { findLink } from "./netlink/links.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink/socket.ts";

/** What cannot be looked at is left out: whoever needs it will say so. */
export function warmUp(): void {
  const routes = NetlinkSocket.open(NETLINK_ROUTE);
  if (routes instanceof NetlinkSocket) {
    findLink(routes, "lo");
    routes.close();
  }
  const filters = NetlinkSocket.open(NETLINK_NETFILTER);
  if (filters instanceof NetlinkSocket) {
    remainingLifetimeMs(filters, { family: NFPROTO_INET, table: "nines", set: "none" });
    filters.close();
  }
}
