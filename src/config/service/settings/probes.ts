/** `probes` become targets. */

import { type LedgerService, serviceOfProbe } from "../../../core/ledger/settings.ts";
import { parseProbeUrl, type ProbeOptions } from "../../probe/probe-url.ts";
import type { ProbesDocument } from "../schema/probe-schema.ts";
import type { NodeProbe } from "../service-model.ts";
import { type BuildContext, optional, remember, requireName } from "./context.ts";

export function buildProbes(
  document: { readonly probes: ProbesDocument },
  services: readonly LedgerService[],
  context: BuildContext,
): NodeProbe[] {
  const { findings, places } = context;
  return Object.entries(document.probes).flatMap(([name, probe]): NodeProbe[] => {
    remember(context, `probe ${name}`, places.of(probe));
    const { service } = probe;
    if (service !== undefined) {
      const names = services.map((one) => one.name);
      requireName(places.at(probe, "service"), "service", names, { wanted: service, context });
    } else if (serviceOfProbe(name, services) === undefined) {
      const reason = `whose users probe ${name} stands for is not clear: what it sees counts nowhere`;
      const [first = "NAME"] = services.map((one) => one.name);
      findings.warn(places.of(probe), reason, `add: service: ${first}`);
    }
    const listed = services.find((one) => one.name === service)?.probes ?? [];
    if (listed.length > 0 && !listed.includes(name)) {
      const reason = `service ${service} lists its probes, and ${name} is none of them: what it sees does not count`;
      findings.warn(places.of(probe), reason, `add ${name} to the probes of ${service}`);
    }
    const at = places.at(probe, "ask");
    if (probe.ask.startsWith("script:")) {
      const next = "nines probe runs commands, as the user who starts it";
      findings.error(at, "the console runs no commands", next);
      return [];
    }
    const options: ProbeOptions = {
      intervalMs: probe.every,
      timeoutMs: probe.timeout,
      slowMs: probe.slow,
      method: probe.method,
      headers: Object.entries(probe.headers ?? {}).map(([key, value]) => ({ name: key, value })),
      status: probe.status,
      ...optional("bodyRegex", probe.matches),
      byHeader: probe.who_header,
      ...optional("ca", probe.ca),
      verify: probe.verify,
    };
    const target = parseProbeUrl(probe.ask, options);
    if (typeof target === "string") {
      const [reason = target, next = ""] = target.split(" - ");
      findings.error(at, reason, next);
      return [];
    }
    const more = { ...optional("service", service), ...optional("write", probe.write) };
    return [{ name, ask: probe.ask, options, ...more }];
  });
}
