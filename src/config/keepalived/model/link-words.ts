/** When and by whom a link is believed: delays, and interfaces whose driver is asked. */

import type { VrrpSettings } from "../../../core/vrrp/settings.ts";
import type { InterfaceDelay, PolledLink } from "../../model.ts";
import type { Block } from "../block.ts";
import { readSeconds } from "../value.ts";
import { type Context, remember } from "./context.ts";

const LONGEST_DELAY_S = 255;

export function readDelays(top: Block, context: Context): InterfaceDelay[] {
  const range = { min: 0, max: LONGEST_DELAY_S };
  return top.lines("interface_up_down_delays").flatMap((line) => {
    const [down, up] = line.args;
    if (down === undefined) {
      context.findings.error(line.keyword, "a delay is missing", "write: INTERFACE DOWN [UP]");
      return [];
    }
    const downMs = readSeconds(down, range, "the down delay", context.findings);
    const upMs =
      up === undefined ? downMs : readSeconds(up, range, "the up delay", context.findings);
    if (downMs === undefined || upMs === undefined) return [];
    remember(context, `delay of ${line.keyword.text}`, line.keyword);
    return [{ interface: line.keyword.text, downMs, upMs }];
  });
}

const METHODS = ["mii", "ethtool", "ioctl"] as const;

/** `INTERFACE [MII|ETHTOOL|IOCTL]`; the old flag means the interfaces of adverts and tracks. */
export function readPolledLinks(
  from: { readonly top: Block; readonly globals: Block; readonly vrrp: VrrpSettings },
  context: Context,
): PolledLink[] {
  const { top, globals, vrrp } = from;
  const polled = new Map<string, PolledLink>();
  for (const { keyword, args } of top.lines("linkbeat_interfaces")) {
    const [word] = args;
    const method = METHODS.find((known) => known === word?.text.toLowerCase());
    if (word !== undefined && method === undefined) {
      const reason = `'${word.text}' is no way to ask for a link`;
      context.findings.error(word, reason, "write MII, ETHTOOL or IOCTL, or nothing");
    }
    remember(context, `interface ${keyword.text}`, keyword);
    polled.set(keyword.text, { interface: keyword.text, method: method ?? "mii" });
  }
  const all = top.has("linkbeat_use_polling") || globals.has("linkbeat_use_polling");
  const flagged = new Set(
    top.blocks("vrrp_instance").flatMap((b) => (b.has("linkbeat_use_polling") ? [b.name] : [])),
  );
  const tracks = [...vrrp.instances, ...vrrp.groups].flatMap((one) => one.tracks);
  const names = [
    ...vrrp.instances.filter((i) => all || flagged.has(i.name)).map((i) => i.interface),
    ...tracks.filter(({ kind }) => all && kind === "interface").map(({ name }) => name),
  ];
  for (const name of names) {
    if (!polled.has(name)) polled.set(name, { interface: name, method: "mii" });
  }
  return [...polled.values()];
}
