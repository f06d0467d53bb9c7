/** `nines metrics`: the Prometheus page, e.g. for node_exporter's textfile collector; rules and a dashboard. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function metrics(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  terminal.out((await client.metrics()).trimEnd());
  return 0;
}

/** What is made of the same table; needs no node. */
export async function metricsFile(
  which: "dashboard" | "rules",
  terminal: Terminal,
): Promise<ExitCode> {
  const text =
    which === "dashboard"
      ? (await import("../console/dashboard.ts")).dashboardFile()
      : (await import("../console/alert-rules.ts")).rulesFile();
  terminal.out(text.trimEnd());
  return 0;
}
