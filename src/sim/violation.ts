export const oracleNames = [
  "machine-sound",
  "well-formed",
  "lease-before-advert",
  "release-before-resign",
  "announce-what-is-held",
  "state-matches-kernel",
  "resign-on-stop",
  "garbage-ignored",
  "hitless-reload",
  "outranked-yields",
  "failure-yields",
  "resume-is-a-pause",
  "no-early-takeover",
  "preempt-delay-kept",
  "no-late-takeover",
  "advert-rhythm",
  "no-two-owners",
  "no-stale-lease",
  "one-owner",
  "no-flap",
  "fresh-caches",
  "right-owner",
  "group-together",
] as const;
export type OracleName = (typeof oracleNames)[number];

/** An oracle bit. Ends the run at once: what follows a broken promise proves nothing. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly oracle: OracleName;
  readonly atMs: number;

  constructor(oracle: OracleName, atMs: number, message: string) {
    super(message);
    this.oracle = oracle;
    this.atMs = atMs;
  }
}

/** Oracles that must not bite, so that a planted bug shows who else would have seen it. */
export type Muted = ReadonlySet<OracleName>;
