/** What `vrrp_strict` forbids or changes: keepalived.conf(5), vrrp_strict; RFC 5798. */

import type { VirtualAddress } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Block } from "../block.ts";

/** True when the instance is strict. */
export function isStrict(instance: Block, globals: Block): boolean {
  return instance.bool("strict_mode") ?? globals.has("vrrp_strict");
}

/** Keywords that strict mode clears, each with the value that is then in force. */
const CLEARED = [
  ["preempt_delay", "strict mode has no preempt_delay: it is 0"],
  ["down_timer_adverts", "strict mode waits for three adverts: this is ignored"],
  ["vmac_xmit_base", "strict mode sends adverts from the virtual MAC address: this is ignored"],
  ["garp_lower_prio_repeat", "strict mode sends no repeated announcements: it is 0"],
  ["garp_master_refresh", "strict mode sends no repeated announcements: it is 0"],
] as const;

export function checkStrict(instance: Block, findings: Findings): void {
  for (const [keyword, reason] of CLEARED) {
    if (instance.has(keyword)) findings.warn(instance.at(keyword), reason, "remove one of them");
  }
  if (instance.lines("unicast_peer").length > 0) {
    const reason = "RFC 5798 knows no unicast peers: strict mode is not strict here";
    const next = "remove vrrp_strict, or write strict_mode off";
    findings.warn(instance.at("unicast_peer"), reason, next);
  }
  if (instance.bool("higher_prio_send_advert") === true) {
    const reason = "strict mode sends no last advert to the winner: this is ignored";
    findings.warn(instance.at("higher_prio_send_advert"), reason, "remove one of them");
  }
  if (instance.bool("lower_prio_no_advert") === false) {
    const reason = "strict mode stays silent on weaker adverts: this is ignored";
    findings.warn(instance.at("lower_prio_no_advert"), reason, "remove one of them");
  }
}

/** RFC 9568 section 5.2.9. */
export function checkFirstAddress(
  instance: Block,
  addresses: readonly VirtualAddress[],
  { strict, findings }: { readonly strict: boolean; readonly findings: Findings },
): void {
  const first = addresses[0];
  if (first?.family !== "ipv6" || /^fe[89ab]/u.test(first.address)) return;
  const next = "put an address of fe80::/10 first";
  const at = instance.lines("virtual_ipaddress")[0]?.keyword ?? instance.statement.keyword;
  const reason = "wants a link-local address first (RFC 9568 5.2.9)";
  if (strict) findings.error(at, `strict mode ${reason}`, next);
  else findings.note(at, `the protocol ${reason}; keepalived and Nines do not insist`, next);
}
