/** The bugs that the oracles must see, and the small changes that they are made of. */

import { identitiesOf, type Reign } from "../core/vrrp/reign.ts";
import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import { fixChecksum, readAdvert, sentPriority } from "./advert-reader.ts";
import type { DatagramFrame } from "./network.ts";
import type { Context, PlantedBug } from "./plant.ts";
import { skewMs } from "./scenario.ts";

type DatagramInput = Extract<RouterInput, { type: "datagram-received" }>;
type SendAction = Extract<RouterAction, { type: "send-datagram" }>;

const without =
  (...types: RouterAction["type"][]) =>
  (actions: readonly RouterAction[]): RouterAction[] =>
    actions.filter((action) => !types.includes(action.type));

function isAdvert(action: RouterAction): action is SendAction {
  return action.type === "send-datagram";
}

function enters(actions: readonly RouterAction[], state: string): boolean {
  return actions.some(
    (a) => a.type === "report" && a.event.kind === "state-changed" && a.event.to === state,
  );
}

/** Puts every `first` behind the last `second` of the same step. */
function swapOrder(
  actions: readonly RouterAction[],
  first: RouterAction["type"],
  second: RouterAction["type"],
): RouterAction[] {
  if (!actions.some((a) => a.type === second)) return [...actions];
  return [...actions.filter((a) => a.type !== first), ...actions.filter((a) => a.type === first)];
}

function frameOf(input: DatagramInput, payload: Uint8Array): DatagramFrame {
  return { kind: "datagram", ...input.datagram, payload };
}

/**
 * The datagram with some bytes written over and a right checksum again. Where a digest protects
 * the message this would break it, and another bug than the planted one would be found.
 */
function rewrite(
  input: DatagramInput,
  bytes: Readonly<Record<number, number>>,
  context: Context,
): DatagramInput {
  const { kind } = context.settings.instances[0]!.authentication;
  if (kind === "ah" || kind === "hmac") return input;
  const payload = input.datagram.payload.slice();
  for (const [at, value] of Object.entries(bytes)) payload[Number(at)] = value;
  if (payload.length >= 8) fixChecksum(frameOf(input, payload));
  return { ...input, datagram: { ...input.datagram, payload } };
}

/** Drops the adverts for which `drop` holds; everything else passes. */
function deafTo(drop: (priority: number, context: Context, input: DatagramInput) => boolean) {
  return (input: RouterInput, context: Context): RouterInput | undefined => {
    if (input.type !== "datagram-received") return input;
    const advert = readAdvert(frameOf(input, input.datagram.payload));
    if (advert === undefined || !advert.sound) return input;
    return drop(advert.priority, context, input) ? undefined : input;
  };
}

/** What the predecessor left, altered before the router sees it. */
function altersReigns(alter: (reign: Reign, context: Context) => Reign) {
  return (input: RouterInput, context: Context): RouterInput =>
    input.type === "started" && input.reigns !== undefined
      ? { ...input, reigns: input.reigns.map((reign) => alter(reign, context)) }
      : input;
}

function isMaster(context: Context): boolean {
  return context.states.get(context.settings.instances[0]!.name) === "MASTER";
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "wrong-skew",
    what: "backups take over without the skew that orders them",
    haste: (s) => skewMs(s.version, s.priority, s.advertIntervalMs) * 0.9,
  },
  {
    name: "impatient-backup",
    what: "one lost advert is enough to take over",
    settings: (s) => ({ ...s, downTimerAdverts: 1 }),
  },
  {
    name: "sleepy-backup",
    what: "ten lost adverts are needed to take over",
    settings: (s) => ({ ...s, downTimerAdverts: 10 }),
  },
  {
    name: "no-lease",
    what: "the lease is never renewed, addresses answer for ever",
    actions: without("renew-lease"),
  },
  {
    name: "long-lease",
    what: "the lease is twice as long as the peers wait",
    actions: (actions) =>
      actions.map((a) => (a.type === "renew-lease" ? { ...a, durationMs: a.durationMs * 2 } : a)),
  },
  {
    name: "lease-after-advert",
    what: "the advert promises before the kernel's lease is renewed",
    actions: (actions) => swapOrder(actions, "renew-lease", "send-datagram"),
  },
  {
    name: "tie-by-priority-only",
    what: "equal priorities: both masters stay",
    input: deafTo(
      (priority, context) =>
        isMaster(context) && priority === context.settings.instances[0]!.priority,
    ),
  },
  {
    name: "deaf-master",
    what: "a master ignores adverts of a higher priority",
    input: deafTo(
      (priority, context) =>
        isMaster(context) && priority > context.settings.instances[0]!.priority,
    ),
  },
  {
    name: "no-announce",
    what: "a new master tells nobody",
    actions: without("announce"),
  },
  {
    name: "no-announce-after-heal",
    what: "the winner of a split does not announce again",
    actions: (actions) => (enters(actions, "MASTER") ? [...actions] : without("announce")(actions)),
  },
  {
    name: "silent-loser",
    what: "the loser of a split leaves without a last advert",
    settings: (s) => ({ ...s, higherPrioritySendAdvert: false }),
  },
  {
    name: "announce-before-acquire",
    what: "announces an address that the kernel does not have yet",
    actions: (actions) => {
      const announces = actions.filter((a) => a.type === "announce");
      return [...announces, ...actions.filter((a) => a.type !== "announce")];
    },
  },
  {
    name: "advert-timer-not-rearmed",
    what: "a master sends one advert and never again",
    deadline: (deadline, context) => (isMaster(context) ? Infinity : deadline),
  },
  {
    name: "down-timer-not-rearmed",
    what: "after hearing an advert a backup never takes over",
    deadline: (deadline, context) =>
      !isMaster(context) && context.lastInput === "datagram-received" ? Infinity : deadline,
  },
  {
    name: "learned-interval-ignored",
    what: "version 3: waits by its own interval, not the master's",
    input: (input, context) => {
      if (input.type !== "datagram-received" || context.settings.instances[0]!.version !== 3) {
        return input;
      }
      if (readAdvert(frameOf(input, input.datagram.payload))?.sound !== true) return input;
      const units = context.settings.instances[0]!.advertIntervalMs / 10;
      return rewrite(input, { 4: units >> 8, 5: units & 0xff }, context);
    },
  },
  {
    name: "resignation-ignored",
    what: "adverts with priority 0 are not understood",
    input: deafTo((priority) => priority === 0),
  },
  {
    name: "preempt-ignored",
    what: "a higher backup never preempts",
    settings: (s) => ({ ...s, preempt: s.priority === 255, preemptDelayMs: 0 }),
  },
  {
    name: "nopreempt-ignored",
    what: "preempts although told not to",
    settings: (s) => ({ ...s, preempt: true }),
  },
  {
    name: "preempt-delay-ignored",
    what: "preempts at once although told to wait",
    settings: (s) => ({ ...s, preemptDelayMs: 0 }),
  },
  {
    name: "no-resignation-on-stop",
    what: "ends without a priority-0 advert",
    actions: (actions, context) =>
      context.lastInput === "stop-requested"
        ? actions.filter((a) => !(isAdvert(a) && sentPriority(a) === 0))
        : [...actions],
  },
  {
    name: "addresses-kept-in-fault",
    what: "goes to FAULT and keeps the addresses",
    actions: (actions) =>
      enters(actions, "FAULT") ? without("release-addresses")(actions) : [...actions],
  },
  {
    name: "addresses-kept-by-loser",
    what: "goes to BACKUP and keeps the addresses",
    actions: (actions) =>
      enters(actions, "BACKUP") ? without("release-addresses")(actions) : [...actions],
  },
  {
    name: "release-after-resignation",
    what: "tells the others to take over while it still answers",
    actions: (actions) => swapOrder(actions, "release-addresses", "send-datagram"),
  },
  {
    name: "checksum-unchecked",
    what: "believes a packet with a wrong sum",
    input: (input, context) =>
      input.type === "datagram-received" && input.datagram.payload.length >= 8
        ? rewrite(input, {}, context)
        : input,
  },
  {
    name: "ttl-unchecked",
    what: "believes a packet that was routed",
    input: (input) =>
      input.type === "datagram-received"
        ? { ...input, datagram: { ...input.datagram, ttl: 255 } }
        : input,
  },
  {
    name: "vrid-unchecked",
    what: "believes another virtual router",
    input: (input, context) =>
      input.type === "datagram-received" && input.datagram.interface === "eth0"
        ? rewrite(input, { 1: context.settings.instances[0]!.vrid }, context)
        : input,
  },
  {
    name: "track-ignored",
    what: "a failed script changes nothing",
    input: (input) => (input.type === "track-changed" ? { ...input, ok: true } : input),
  },
  {
    name: "link-loss-ignored",
    what: "a lost carrier changes nothing",
    input: (input) => (input.type === "interface-changed" ? { ...input, up: true } : input),
  },
  {
    name: "removed-address-forgotten",
    what: "an address that a stranger removed is not put back",
    input: (input) => (input.type === "address-removed" ? undefined : input),
  },
  {
    name: "sync-group-apart",
    what: "the members of a sync group go their own ways",
    group: (settings) => ({ ...settings, groups: [] }),
  },
  {
    name: "witness-ignored",
    what: "stays master without its witness",
    input: (input) => (input.type === "witness-changed" ? { ...input, reachable: true } : input),
  },
  {
    name: "reload-restarts",
    what: "a reload of the same file starts every instance anew",
    reload: (s) => ({ ...s, lease: !s.lease }),
  },
  {
    name: "skips-a-peer",
    what: "unicast: the last peer of the list gets no adverts",
    settings: (s) =>
      s.transport.kind === "unicast" && s.transport.peers.length > 1
        ? {
            ...s,
            transport: {
              ...s.transport,
              checkSource: false,
              peers: s.transport.peers.slice(0, -1),
            },
          }
        : s,
  },
  {
    name: "resumes-lapsed-lease",
    what: "goes on as master after a crash although its lease has ended",
    input: altersReigns((reign) => ({ ...reign, leaseUntilMs: reign.leaseUntilMs + 60_000 })),
  },
  {
    name: "resumes-changed-configuration",
    what: "goes on as master after a crash although it is configured anew",
    input: altersReigns((reign, { settings }) => {
      return { ...reign, identity: identitiesOf(settings).get(reign.instance) ?? "" };
    }),
  },
  {
    name: "answers-while-preparing",
    what: "the addresses of a silent master answer before it counts as dead",
    actions: (actions) =>
      actions.map((a) =>
        a.type === "prepare-addresses" ? { type: "acquire-addresses", instance: a.instance } : a,
      ),
  },
  {
    name: "advert-dated-back",
    what: "an advert counts from 2 ms before it came",
    input: (input) =>
      input.type === "datagram-received"
        ? { ...input, datagram: { ...input.datagram, waitedMs: 2 } }
        : input,
  },
  {
    name: "preparation-kept",
    what: "addresses that were got ready stay in the kernel when the master is heard again",
    actions: (actions, context) =>
      context.lastInput === "datagram-received" && !isMaster(context)
        ? without("release-addresses")(actions)
        : [...actions],
  },
  {
    name: "announcement-storm",
    what: "every claim is answered by an announcement",
    actions: (actions, context) => {
      const name = context.settings.instances[0]!.name;
      if (context.lastInput !== "address-claimed" || !isMaster(context)) return [...actions];
      return [...actions, { type: "announce", instance: name, repeat: 1 }];
    },
  },
];
