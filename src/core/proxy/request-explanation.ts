/** Where a request would go, and why: what an operator asks with `nines explain-request`. */

/** A request as an operator writes it. */
export interface AskedRequest {
  readonly method: string;
  /** `http://host:port/path?query`; the port says which frontend. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly source: string;
  readonly frontend?: string;
}

export interface RequestExplanation {
  readonly frontend: string;
  /** One line per step: routes that did not match and why, the one that did, pool, server. */
  readonly lines: readonly string[];
  readonly route: string;
  readonly pool: string;
  readonly server: string;
}
