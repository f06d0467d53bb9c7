/** `addresses`, `tracks`, `groups` and what belongs to them: the VRRP part of nines.yaml. */

import type { Static } from "typebox";
import { argv, keywordKeys, type KeywordKey, withKeywords } from "./keyword-schema.ts";
import {
  block,
  choice,
  duration,
  fields,
  flag,
  integer,
  kind,
  named,
  oneOrMore,
  optional,
  secret,
  section,
  short,
  text,
} from "./words.ts";

export const INSTANCE_KEYS: readonly KeywordKey[] = keywordKeys("vrrp_instance");
export const GROUP_KEYS: readonly KeywordKey[] = keywordKeys("vrrp_sync_group");
export const GLOBAL_KEYS: readonly KeywordKey[] = keywordKeys("global_defs");
const OUTSIDE = ["net_namespace", "instance", "child_wait_time"];
export const TOP_KEYS: readonly KeywordKey[] = keywordKeys("top").filter(({ key }) =>
  OUTSIDE.includes(key),
);
export const TRACK_KEYS = {
  script: keywordKeys("vrrp_script"),
  process: keywordKeys("vrrp_track_process"),
  file: keywordKeys("track_file"),
} as const;

const track = short(
  block("Something that is watched: exactly one of track, check, interface.", {
    track: optional(kind("name", "Name of a track.")),
    check: optional(kind("name", "Name of a check.")),
    interface: optional(text("An interface that must be up.")),
    weight: optional(
      integer("0: failure means FAULT; else the change of the priority.", -254, 254, {
        otherwise: "the track's, else 0",
      }),
    ),
    reverse: optional(
      flag("Weight 0: success and failure swap their meaning; else the change turns its sign."),
    ),
  }),
  [text("NAME of a track, check:NAME or interface:NAME, then [weight=N] [reverse].")],
  (value) => {
    if (typeof value !== "string") return value;
    const [name = "", ...words] = value.trim().split(/\s+/u);
    const [, what, rest] = /^(check|interface):(.+)$/u.exec(name) ?? [];
    const options = words.map((word): [string, unknown] => {
      const [key = "", given] = word.split("=");
      if (given === undefined) return [key, true];
      return [key, /^-?\d+$/u.test(given) ? Number(given) : given];
    });
    return { [what ?? "track"]: rest ?? name, ...Object.fromEntries(options) };
  },
);

const auth = block("Adverts carry a proof: exactly one of these.", {
  hmac: optional(
    block("An HMAC-SHA256 that is checked.", {
      keys: fields(
        "Secrets of 32 to 64 bytes by their id, 1-255.",
        secret("hex:… or text."),
        "any",
      ),
      active: optional(integer("Key that is signed with.", 1, 255, { otherwise: "the first" })),
      mode: choice(
        "permissive: unsigned adverts pass; receive-only: send none, check what comes.",
        ["enforce", "permissive", "receive-only"],
        { default: "enforce" },
      ),
      anti_replay: choice("What makes an old advert invalid.", ["time", "monotonic"], {
        default: "time",
      }),
      time_window: optional(
        duration("How far the sender's clock may be off.", {
          min: "1s",
          max: "300s",
          otherwise: "3 adverts, at least 5s",
        }),
      ),
    }),
  ),
  pass: optional(secret("Password in clear text; VRRP version 2 only.")),
  ah: optional(secret("Password of an IP authentication header; version 2 only.")),
});

const address = block(
  "Addresses that follow the elected machine: one virtual router (VRRP).",
  withKeywords(INSTANCE_KEYS, {
    ip: oneOrMore(
      "The addresses, all of one family.",
      text("ADDRESS/LENGTH [dev IF] [label NAME] …"),
    ),
    interface: optional(
      text("Where adverts are sent and the addresses are put.", {
        otherwise: "default_interface of global",
      }),
    ),
    router_id: integer("Number that the machines of one virtual router share (VRID).", 1, 255, {
      source: "RFC 9568 5.2.3",
    }),
    prefer: optional(
      oneOrMore(
        "Machines that take part, the first one first: priorities 254, 253 …",
        kind("name", "A node."),
      ),
    ),
    preempt: optional(
      flag("A better machine takes over from a working one.", {
        otherwise: "true with prefer or priority, else false",
        source: "RFC 9568 6.1 Preempt_Mode",
      }),
    ),
    unicast: optional(
      flag("Adverts go to the other nodes instead of the multicast group.", { otherwise: "false" }),
    ),
    accept: optional(
      flag("Packets to the addresses are accepted.", {
        otherwise: "true",
        source: "RFC 9568 6.1 Accept_Mode",
      }),
    ),
    auth: optional(auth),
    track: oneOrMore("What must be well here.", track, { default: [] }),
  }),
);

const group = block(
  "Addresses that change hands together.",
  withKeywords(GROUP_KEYS, {
    members: oneOrMore("Names of addresses.", kind("name", "A name in addresses.")),
    track: oneOrMore("What must be well for all of them.", track, { default: [] }),
  }),
);

const ALL_TRACK_KEYS = [...TRACK_KEYS.file, ...TRACK_KEYS.process, ...TRACK_KEYS.script];

const trackSchema = block(
  "Something on this machine: a script, a process or a file.",
  withKeywords(ALL_TRACK_KEYS, {
    script: optional(argv("A command run again and again; exit 0 is good.")),
    process: optional(argv("Name of a process that must run, then its parameters.")),
    file: optional(text("A file with one whole number in it.")),
    weight: optional(
      integer("0: failure means FAULT; else the change of the priority.", -2147483647, 2147483647, {
        otherwise: "script and process 0, file 1",
      }),
    ),
    reverse: optional(
      flag("Weight 0: success and failure swap their meaning; else the change turns its sign."),
    ),
  }),
);

const interfaceSchema = block("Settings of one interface.", {
  down_delay: optional(duration("Before a link that went down is believed.", { max: "255s" })),
  up_delay: optional(
    duration("Before a link that came up is believed.", { max: "255s", otherwise: "down_delay" }),
  ),
  poll: optional(
    choice(
      "Its driver is asked for the link each second, beside what the kernel tells at once; this way first.",
      ["mii", "ethtool", "ioctl"],
    ),
  ),
  garp_interval: optional(duration("Pause between two gratuitous ARPs.", { max: "1h" })),
  gna_interval: optional(duration("Pause between two neighbour advertisements.", { max: "1h" })),
});

const lines = (what: string) =>
  oneOrMore(`${what} that this machine always has.`, text("As for ip(8)."), { default: [] });

export const addressSections = {
  addresses: named("Addresses that follow the elected machine (VRRP).", address),
  groups: named("Addresses that change hands together.", group),
  tracks: named("What addresses watch on this machine.", trackSchema),
  interfaces: named("Settings of interfaces.", interfaceSchema),
  static: section("What is put on this machine whoever is elected.", {
    addresses: lines("Addresses"),
    routes: lines("Routes"),
    rules: lines("Routing rules"),
  }),
  global: section(
    "Settings of the whole node, as in keepalived's global_defs.",
    withKeywords([...TOP_KEYS, ...GLOBAL_KEYS], {}),
  ),
};

const whole = block("", addressSections);

export type AddressSections = Static<typeof whole>;
export type AddressDocument = Static<typeof address>;
export type TrackReferenceDocument = Static<typeof track>;
export type TrackDocument = Static<typeof trackSchema>;
