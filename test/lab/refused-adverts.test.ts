/** Every reason why an advert is not believed, over a wire: counted in the metrics, told once a minute. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { hmac, instance, strict, unicast } from "../kit/vrrp-settings.ts";
import { AdvertSender } from "../../src/core/vrrp/advert-sender.ts";
import { rejectReasons, setChecksum, type RejectReason } from "../../src/core/vrrp/packet.ts";
import type { RouterAction } from "../../src/core/vrrp/router-ports.ts";
import type { Authentication, InstanceSettings } from "../../src/core/vrrp/settings.ts";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";
import type { OutgoingDatagram } from "./programs/datagram-sender.ts";

const PROGRAM = `${import.meta.dirname}/programs/datagram-sender.ts`;
const NODE = "10.79.0.11";
const STRANGER = "10.79.0.12";
const STRANGER6 = "fe80::12";
const PRIORITY = 50;
const SECRET = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, "0")).join("");

const PLAN = {
  name: "refused",
  segments: ["lan"],
  hosts: {
    node: { eth0: { segment: "lan", address: [`${NODE}/24`] } },
    stranger: { eth0: { segment: "lan", address: [`${STRANGER}/24`, `${STRANGER6}/64`] } },
  },
};

/** Of the node: what is said to each, and so why it is refused, differs. */
const blocks: Readonly<Record<string, readonly [vrid: number, lines: string, vip: string]>> = {
  PLAIN: [51, "version 3", "10.79.0.201"],
  PASS: [52, "version 2\n authentication { auth_type PASS\n auth_pass 1111\n }", "10.79.0.202"],
  AH: [53, "version 2\n authentication { auth_type AH\n auth_pass secret12\n }", "10.79.0.203"],
  HMAC: [
    54,
    `version 3\n auth_hmac {\n key 1 hex:${SECRET}\n active_key 1\n time_window 300\n }`,
    "10.79.0.204",
  ],
  UNICAST: [55, "version 3\n check_unicast_src\n unicast_peer {\n 10.79.0.99\n }", "10.79.0.205"],
  STRICT6: [56, "version 3\n strict_mode on", "fe80::200"],
  OWNER: [57, "version 3\n owner_ignore_adverts", "10.79.0.207"],
  FAULTY: [58, "version 3\n track_interface {\n eth9\n }", "10.79.0.208"],
};

const configuration = Object.entries(blocks).map(
  ([name, [vrid, lines, vip]]) => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  priority ${name === "OWNER" ? 255 : 150}
  ${name === "OWNER" ? "state MASTER" : "state BACKUP"}
  ${lines}
  virtual_ipaddress {
    ${vip}
  }
}
`,
);

type Change = (payload: Uint8Array) => Uint8Array | undefined;
const kept: Change = () => undefined;

/** What the stranger sends to the instance of that name, and how it is not as it ought to be. */
function advert(
  name: keyof typeof blocks,
  draft: Partial<InstanceSettings> & { readonly vips?: readonly string[] } = {},
  change: Change = kept,
  rest: Partial<OutgoingDatagram> = {},
): OutgoingDatagram {
  const [vrid, , vip] = blocks[name]!;
  const family = draft.family ?? "ipv4";
  const make = name === "STRICT6" ? strict : instance;
  const sender = new AdvertSender(make({ vrid, vips: [vip], ...draft }));
  sender.setSource(rest.source ?? (family === "ipv4" ? STRANGER : STRANGER6));
  const out: RouterAction[] = [];
  assert(sender.send(PRIORITY, Date.now(), out));
  const [action] = out;
  assert(action?.type === "send-datagram");
  const { source, destination, ttl, protocol, length } = action;
  const sent = action.payload.slice(0, length);
  const payload = (change(sent) ?? sent).toHex();
  return { family, protocol, source, destination, ttl, payload, ...rest };
}

/** One byte is another, and the sum is right again. */
function changed(at: number, byte: number): Change {
  return (payload) => {
    payload[at] = byte;
    setChecksum(payload, 0, payload.length, 0);
    return undefined;
  };
}

const flipped =
  (at: number): Change =>
  (payload) => {
    payload[at]! ^= 1;
    return undefined;
  };

const password: Authentication = { kind: "pass", password: "1111" };
const v2 = { version: 2, authentication: password } as const;
const ah = { version: 2, authentication: { kind: "ah", password: "secret12" } } as const;
const signed = { authentication: hmac() };
const aged: Change = (payload) => {
  // The seconds of the sequence.
  payload.fill(0, 16, 20);
  return undefined;
};
/** Each twice, the replays once more: their first one is believed. */
const attacks = (): Readonly<Record<RejectReason, readonly OutgoingDatagram[]>> => ({
  "too-short": twice(advert("PLAIN", {}, (payload) => payload.slice(0, 7))),
  "wrong-length": twice(advert("PLAIN", {}, (payload) => Uint8Array.of(...payload, 0, 0))),
  "wrong-type": twice(advert("PLAIN", {}, changed(0, 0x32))),
  "wrong-version": twice(advert("PLAIN", { version: 2 })),
  "wrong-ttl": twice(advert("PLAIN", {}, kept, { ttl: 254 })),
  "wrong-destination": twice(advert("PLAIN", {}, kept, { destination: NODE })),
  "wrong-checksum": twice(advert("PLAIN", {}, flipped(6))),
  "no-addresses": twice(advert("PLAIN", { addresses: [], vips: [] })),
  "zero-interval": twice(advert("PLAIN", { advertIntervalMs: 0 })),
  "interval-mismatch": twice(advert("PASS", { ...v2, advertIntervalMs: 2000 })),
  "address-list-mismatch": twice(advert("PASS", { ...v2, vips: ["10.79.0.222"] })),
  "not-link-local": twice(advert("STRICT6", { family: "ipv6", vips: ["fd79::1"] })),
  "unknown-vrid": twice(advert("PLAIN", { vrid: 99 })),
  "unknown-source": twice(
    advert("UNICAST", { transport: unicast([NODE]) }, kept, { destination: NODE }),
  ),
  // Filled in with the node's own address; IPv4 of a kernel drops such before anybody sees them.
  "own-advert": [],
  "auth-type-mismatch": twice(advert("PASS", { version: 2 })),
  "auth-password-mismatch": twice(
    advert("PASS", { version: 2, authentication: { kind: "pass", password: "2222" } }),
  ),
  "ah-missing": twice(advert("AH", { version: 2 })),
  "ah-unexpected": twice(advert("PASS", { ...ah, vips: ["10.79.0.202"] })),
  "ah-malformed": twice(advert("AH", ah, flipped(21))),
  "ah-digest": twice(advert("AH", ah, flipped(40))),
  "ah-replay": thrice(advert("AH", ah)),
  "hmac-missing": twice(advert("HMAC")),
  "hmac-malformed": twice(advert("HMAC", signed, flipped(12))),
  "hmac-stale": twice(advert("HMAC", signed, aged)),
  "hmac-unknown-key": twice(advert("HMAC", signed, flipped(13))),
  "hmac-digest": twice(advert("HMAC", signed, flipped(30))),
  "hmac-replay": thrice(advert("HMAC", signed)),
  "owner-ignores": twice(advert("OWNER")),
  "not-running": twice(advert("FAULTY")),
});

function twice(datagram: OutgoingDatagram): readonly OutgoingDatagram[] {
  return [datagram, datagram];
}

function thrice(datagram: OutgoingDatagram): readonly OutgoingDatagram[] {
  return [datagram, ...twice(datagram)];
}

/** How the protocol looks every day: counted, and not worth a line. */
const silent: ReadonlySet<RejectReason> = new Set(["own-advert", "not-running", "owner-ignores"]);

async function countsOf(peer: NinesPeer): Promise<Readonly<Record<string, number>>> {
  const text = await peer.nines("metrics");
  const rows = text.matchAll(/^nines_vrrp_rejected_total\{reason="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries([...rows].map(([, reason, count]) => [reason!, Number(count)]));
}

test("every refused advert is counted by its reason, and told once a minute", async () => {
  await withWorld(PLAN, async (world) => {
    const [node, stranger] = [world.host("node"), world.host("stranger")];
    const file = node.write("/run/keepalived.conf", configuration.join(""));
    const peer = await startNines(node, file);
    await waitFor(
      async () => Object.values(await peer.states()).filter((s) => s === "MASTER").length === 7,
      10_000,
      "all but the faulty one to be master",
    );
    const links = JSON.parse(await node.run(["ip", "-6", "-j", "addr", "show", "dev", "eth0"])) as {
      addr_info: { local: string }[];
    }[];
    const own = links[0]!.addr_info.find(
      (a) => /^fe80::[^:]/.test(a.local) && a.local !== "fe80::200",
    );
    const mine = advert("STRICT6", { family: "ipv6" }, kept, { source: own!.local });
    const sent = Object.values({ ...attacks(), "own-advert": twice(mine) }).flat();
    await stranger.run([process.execPath, PROGRAM, JSON.stringify(sent)]);
    const expected = Object.fromEntries(rejectReasons.map((reason) => [reason, 2]));
    await waitFor(
      async () => Object.values(await countsOf(peer)).every((count) => count > 0),
      5000,
      "all to be counted",
    ).catch(() => undefined);
    assert.deepEqual(await countsOf(peer), expected);
    const told = (await peer.events()).map(({ reason }) => reason);
    for (const reason of rejectReasons) {
      const words = reason === "unknown-vrid" ? "no instance here has it" : reason;
      const lines = told.filter((line) => `${line};`.includes(`: ${words};`));
      assert.equal(lines.length, silent.has(reason) ? 0 : 1, `${reason}: ${JSON.stringify(lines)}`);
    }
  });
});
