/**
 * Tells when routes or rules such as ours are removed by somebody else. Network managers that
 * start again flush what they do not know; the kernel's filter keeps out the rest of what happens
 * in a routing table, which on a router with a full table is a lot.
 */

import type { OsFailure } from "./ffi.ts";
import { isOsFailure } from "./ffi.ts";
import { NETLINK_ROUTE } from "./netlink/socket.ts";
import { Subscription } from "./netlink/subscription.ts";
import { ACCEPT, REFUSE, byte, half, whenEqual, type BpfProgram } from "./packet-filter.ts";

const RTNLGRP_IPV4_ROUTE = 7;
const RTNLGRP_IPV4_RULE = 8;
const RTNLGRP_IPV6_ROUTE = 11;
const RTNLGRP_IPV6_RULE = 19;
/** RTM_DELROUTE and RTM_DELRULE as a filter reads them: in network order, high byte first. */
const RTM_DELROUTE = 0x1900;
const RTM_DELRULE = 0x2100;
/** Of `nlmsg_type`, and of `rtm_protocol` behind the header. */
const TYPE_AT = 4;
const PROTOCOL_AT = 21;

export class RouteWatch {
  readonly #subscription: Subscription;

  private constructor(subscription: Subscription) {
    this.#subscription = subscription;
  }

  /**
   * `protocols`: those of our routes. `ownPort`: removals through that socket are not told.
   * `onRemoved` may come for an object that is nobody's of ours: look.
   */
  static open(
    protocols: ReadonlySet<number>,
    ownPort: number,
    onRemoved: () => void,
  ): RouteWatch | OsFailure {
    const groups = [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE];
    const listener = {
      onMessage: ({ portId }: { readonly portId: number }): void => {
        if (portId !== ownPort) onRemoved();
      },
      onLoss: onRemoved,
    };
    const subscription = Subscription.open(NETLINK_ROUTE, groups, listener, removals(protocols));
    return isOsFailure(subscription) ? subscription : new RouteWatch(subscription);
  }

  close(): void {
    this.#subscription.close();
  }
}

function removals(protocols: ReadonlySet<number>): BpfProgram {
  const ours = [...protocols].flatMap((protocol) =>
    whenEqual(byte(PROTOCOL_AT), protocol, [ACCEPT]),
  );
  return [
    ...whenEqual(half(TYPE_AT), RTM_DELRULE, [ACCEPT]),
    ...whenEqual(half(TYPE_AT), RTM_DELROUTE, ours),
    REFUSE,
  ];
}
