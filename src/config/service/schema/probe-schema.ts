/** `probes`: what a node asks as a user would, beside what external probers tell. */

import type { Static } from "typebox";
import type { StatusRange } from "../../../core/check/check-settings.ts";
import {
  block,
  duration,
  fields,
  file,
  flag,
  kind,
  named,
  oneOrMore,
  optional,
  short,
  special,
  text,
} from "./words.ts";

const probe = short(
  block("A question that is asked again and again, from this node's console.", {
    ask: text("As for `nines probe`: https://HOST/PATH, tcp://HOST:PORT, dns://SERVER/NAME …", {
      examples: ["https://shop.example/"],
    }),
    service: optional(
      kind("name", "Whose users it stands for.", {
        otherwise: "the service that names the probe, else the only one",
      }),
    ),
    every: duration("So often, whatever became of the last one.", {
      default: "1s",
      min: "50ms",
      max: "1h",
    }),
    timeout: duration("A later answer is none.", { default: "3s", min: "10ms", max: "60s" }),
    slow: duration("A good answer that took longer is slow.", { default: "1s", min: "1ms" }),
    method: kind("token", "Of HTTP.", { default: "GET" }),
    headers: optional(fields("Of HTTP.", kind("field", "Value of the header."))),
    status: oneOrMore(
      "Codes that are good.",
      special<StatusRange>("status", "A code or a range of codes."),
      { default: ["200-399"] },
    ),
    matches: optional(kind("regex", "Must be found in the body.")),
    who_header: kind("token", "Field of the answer that names the server.", {
      default: "x-served-by",
    }),
    ca: optional(file("PEM file of the authorities.", { otherwise: "the system's" })),
    verify: flag("The certificate must be valid.", { default: true }),
    write: optional(
      kind(
        "url",
        "Also write a numbered row each time, PUT and GET of URL/KEY, and look whether what was acknowledged is still there: lost ones become `work-lost`. Its harm is measured as `probe:NAME writes`.",
        { examples: ["https://shop.example/probe-rows"] },
      ),
    ),
  }),
  [text("What is asked.")],
  (value) => (typeof value === "string" ? { ask: value } : value),
);

export const probesSchema = named(
  "What this node asks as users do; measured as `probe:NAME`. A node that holds the address asks itself: users stand elsewhere, see `nines probe`.",
  probe,
);

export type ProbesDocument = Static<typeof probesSchema>;
