/** What an oracle of the proxy's simulation says when it bites. */

export const PROXY_ORACLES = [
  "request-bytes",
  "answer-bytes",
  "delivered-twice",
  "malformed",
  "hop-by-hop",
  "no-answer",
  "must-succeed",
  "false-end",
  "false-log",
  "max-connections",
  "memory",
  "left-over",
  "crash",
] as const;

export type ProxyOracle = (typeof PROXY_ORACLES)[number];

export class ProxyViolation extends Error {
  readonly oracle: ProxyOracle;

  constructor(oracle: ProxyOracle, message: string) {
    super(message);
    this.oracle = oracle;
  }
}
