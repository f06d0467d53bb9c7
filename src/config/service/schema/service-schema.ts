/** The whole of `nines.yaml`. */

import type { Static } from "typebox";
import { addressSections } from "./address-schema.ts";
import { checkSchema } from "./check-schema.ts";
import { consoleSchema, journalSchema } from "./console-schema.ts";
import { frontendSchema } from "./frontend-schema.ts";
import { ledgerSchema, servicesSchema } from "./ledger-schema.ts";
import { poolSchema } from "./pool-schema.ts";
import { probesSchema } from "./probe-schema.ts";
import { block, integer, kind, named } from "./words.ts";

export const serviceSchema = block("One service: its machines, addresses, checks and balancer.", {
  nodes: named(
    "The machines of the service by host name; says who we are and who the others are.",
    kind("ip", "Where the others reach it."),
  ),
  ...addressSections,
  checks: named("How servers are asked whether they are well.", checkSchema),
  frontends: named("What clients connect to.", frontendSchema),
  pools: named("Servers that do the same.", poolSchema),
  workers: integer("Processes that share the ports.", 1, 64, { default: 1 }),
  console: consoleSchema,
  journal: journalSchema,
  services: servicesSchema,
  ledger: ledgerSchema,
  probes: probesSchema,
});

export type ServiceDocument = Static<typeof serviceSchema>;
