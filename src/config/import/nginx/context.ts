/** What the parts of the importer share. */

import { resolve } from "node:path";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import type { Data, Draft } from "../draft.ts";
import type { Directive } from "./parse.ts";
import type { NginxMap } from "./maps.ts";
import type { Scope } from "./scope.ts";

export interface NginxContext {
  readonly draft: Draft;
  readonly files: ConfigurationFiles;
  /** Where relative paths begin. */
  readonly base: string;
  readonly used: Set<Directive>;
  readonly upstreams: ReadonlyMap<string, Scope>;
  /** `limit_req_zone` and `limit_conn_zone` by their names. */
  readonly zones: ReadonlyMap<string, Directive>;
  /** `map` blocks by their variables, as a frontend with or without TLS sees them. */
  readonly maps: (tls: boolean) => ReadonlyMap<string, NginxMap>;
  /** Text of each pool that was written, by its name. */
  readonly pools: Map<string, string>;
  /** How many routes a `limit_req` became. */
  readonly limited: Map<Directive, number>;
  /** Locations that some request reaches. */
  readonly reached: Set<Directive>;
  /** Pools of TCP connections. */
  readonly carried: Set<string>;
}

/** A file that the configuration names, by its whole path: the nines.yaml may stand elsewhere. */
export function whole(name: string, { base }: Pick<NginxContext, "base">): string {
  return resolve(base, name);
}

/** Of a frontend, as the directives that it is made of say it. */
export interface FrontendNotes {
  readonly tls: boolean;
  readonly ports: readonly number[];
  /** Those of its clients that want to show a certificate are asked for it. */
  readonly asksCertificate: boolean;
  forwarded: boolean;
  requestId: string | undefined;
}

/** A directive of the place where it stands, for messages. */
export function origin({ at }: Directive): string {
  return `${at.file}:${at.line}`;
}

/** The first that the pool of that name has, or a second pool that differs. */
export function namedPool(name: string, data: Data, { pools, draft }: NginxContext): string {
  const text = JSON.stringify(data);
  for (let count = 1; ; count++) {
    const own = count === 1 ? name : `${name}-${count}`;
    const there = pools.get(own);
    if (there === text) return own;
    if (there !== undefined) continue;
    pools.set(own, text);
    draft.pools[own] = data;
    if (count > 1) {
      draft.comment(`pools/${own}`, `As ${name}, with the settings of another location.`);
    }
    return own;
  }
}

/** Told as a whole. */
export function useAll(block: readonly Directive[], used: Set<Directive>): void {
  for (const directive of block) {
    used.add(directive);
    useAll(directive.block ?? [], used);
  }
}
