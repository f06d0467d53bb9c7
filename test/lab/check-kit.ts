/** The check process in a host of the lab, with the test in the place of the balancer. */

import { resolve } from "node:path";
import type {
  CheckProtocol,
  CheckTarget,
  CheckTiming,
  CheckVerdict,
} from "../../src/core/check/check-settings.ts";
import { CheckRoleLink } from "../../src/daemon/balance-check-link.ts";
import type { Host } from "../../src/lab/host.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";

/** Quick, so that a test sees a server fall and rise within a second. */
const QUICK: CheckTiming = {
  intervalMs: 200,
  fastIntervalMs: 50,
  downIntervalMs: 100,
  timeoutMs: 400,
  rise: 1,
  fall: 2,
  retry: 0,
  delayBeforeRetryMs: 100,
  warmupMs: 0,
  startDown: false,
};

export interface TargetWishes {
  readonly timing?: Partial<CheckTiming>;
  readonly bindAddress?: string;
  readonly sendProxy?: "v1" | "v2";
}

/** `where`: `10.0.0.1:80` or the path of a unix socket. */
export function targetOf(
  subject: string,
  protocol: CheckProtocol,
  where: string,
  { timing, bindAddress, sendProxy }: TargetWishes = {},
): CheckTarget {
  const check = {
    name: subject,
    protocol,
    timing: { ...QUICK, ...timing },
    ...(bindAddress === undefined ? {} : { bindAddress }),
  };
  const header = sendProxy === undefined ? {} : { sendProxy };
  if (where.startsWith("/")) {
    return { subject, check, endpoint: { kind: "unix", path: where }, ...header };
  }
  const colon = where.lastIndexOf(":");
  const [address, port] = [where.slice(0, colon), Number(where.slice(colon + 1))];
  return { subject, check, endpoint: { kind: "ip", address, port }, ...header };
}

type HttpProtocol = Extract<CheckProtocol, { kind: "http" }>;

export function http(more: Partial<HttpProtocol> = {}): HttpProtocol {
  const status = [{ from: 200, to: 399 }];
  const usual = {
    kind: "http",
    method: "GET",
    path: "/",
    headers: [],
    maxBodyBytes: 4096,
  } as const;
  return { ...usual, status, ...more };
}

export function startCheckRole(host: Host): Promise<LabProcess> {
  const words = ["--run-dir", "/run/nines", "--state-dir", "/run/nines-state"];
  host.write("/run/nines/note", "");
  return host.start([resolve("bin/nines"), "role", "check", ...words], { name: "check" });
}

/** Keeps what it hears, as a balance worker does. */
export class Listener {
  readonly heard: CheckVerdict[] = [];
  readonly #link: CheckRoleLink;

  constructor(host: Host, role: "control" | "balance") {
    const path = host.outside("/run/nines/check.sock");
    this.#link = new CheckRoleLink(path, role, {
      verdicts: (all) => this.heard.push(...all),
    });
    void this.#link.connect();
  }

  ask(targets: readonly CheckTarget[]): void {
    this.#link.configure({ targets, scripts: { enforce: true, user: "root" }, notices: [] });
  }

  /** The last verdict on `subject`, once it `fits`. */
  until(subject: string, fits: (verdict: CheckVerdict) => boolean): Promise<CheckVerdict> {
    const last = (): CheckVerdict | undefined => {
      return this.heard.findLast((one) => one.subject === subject);
    };
    return waitFor(
      () => {
        const verdict = last();
        if (verdict !== undefined && fits(verdict)) return verdict;
        throw new Error(`the last verdict is ${JSON.stringify(verdict)}`);
      },
      8000,
      `a verdict on ${subject}`,
    );
  }

  untilUp(subject: string): Promise<CheckVerdict> {
    return this.until(subject, ({ up }) => up);
  }

  untilDown(subject: string): Promise<CheckVerdict> {
    return this.until(subject, ({ up }) => !up);
  }

  close(): void {
    this.#link.close();
  }
}
