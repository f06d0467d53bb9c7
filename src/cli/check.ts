/**
 * `nines check FILE [PEER]`: everything that is wrong, at once, and what will hurt; with the other
 * node's file also what does not fit together.
 */

import { detectionText } from "../config/service/detection.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import {
  loadConfiguration,
  type LoadOptions,
  type PeerFile,
} from "../daemon/load-configuration.ts";
import { paint, type ExitCode, type Paint, type Terminal } from "./terminal.ts";

export interface CheckOptions extends Pick<LoadOptions, "part" | "networkNamespace"> {
  readonly file: string;
  readonly json: boolean;
  readonly permissive: boolean;
  readonly configId?: string;
  readonly node?: string;
  readonly peer?: PeerFile;
}

const COLORS: Readonly<Record<string, Paint>> = { error: "red", warning: "yellow", note: "cyan" };

export function check(options: CheckOptions, terminal: Terminal): ExitCode {
  const { file, json, peer } = options;
  const { service, diagnostics, notes, lines } = loadConfiguration(file, options);
  const ok = service !== undefined;
  if (json) {
    terminal.out(JSON.stringify({ file, peer: peer?.file, ok, diagnostics, notes }, undefined, 2));
    return ok ? 0 : 2;
  }
  for (const line of lines) terminal.out(painted(line, terminal));
  const what = peer === undefined ? file : `${file} with ${peer.file}`;
  const count = (severity: string): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const errors = plural(count("error"), "error");
  const warnings = plural(count("warning"), "warning");
  if (service === undefined) {
    terminal.out(`${what}: ${errors}, ${warnings}: nothing would be started`);
    return 2;
  }
  for (const one of service.checks) terminal.out(detectionText(one));
  terminal.out(`${what}: ok (${contents(service)}, ${warnings})`);
  return 0;
}

/** What the file sets up; a file that only balances has no instances to count. */
function contents({ vrrp, balance }: ServiceModel): string {
  const { instances } = vrrp.vrrp;
  const { frontends, pools } = balance;
  const balances = frontends.length + pools.length > 0;
  return [
    ...(instances.length > 0 || !balances ? [plural(instances.length, "instance")] : []),
    ...(balances ? [plural(frontends.length, "frontend"), plural(pools.length, "pool")] : []),
  ].join(", ");
}

/** The word after the position in its colour. */
function painted(line: string, terminal: Terminal): string {
  return line.replace(/: (error|warning|note): /, (whole, severity: string) => {
    const how = COLORS[severity];
    return how === undefined ? whole : `: ${paint(terminal, how, `${severity}:`)} `;
  });
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
