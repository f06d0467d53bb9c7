/** The node's own probes: asked from this process, and taken in like those of external probers. */

import type { NodeProbe } from "../config/service/service-model.ts";
import { parseProbeUrl, type ProbedTarget } from "../config/probe/probe-url.ts";
import { Prober } from "../daemon/prober.ts";
import { wallMs } from "../drivers/clock.ts";
import type { ProbeReport } from "../core/probe/report.ts";
import type { WatchNews } from "../core/probe/watch.ts";

/** Own trouble of one kind is told at most so often, ms. */
const TOLD_EVERY_MS = 60_000;

export interface NodeProbesOptions {
  readonly take: (report: ProbeReport) => void;
  /** What this process itself did wrong: it stood still, its clock was set. */
  readonly trouble: (text: string) => void;
}

export class NodeProbes {
  readonly #options: NodeProbesOptions;
  #prober: Prober | undefined;
  #identity = "[]";
  #toldMs = -Infinity;

  constructor(options: NodeProbesOptions) {
    this.#options = options;
  }

  /** The same again changes nothing. */
  configure(probes: readonly NodeProbe[]): void {
    const identity = JSON.stringify(probes);
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#prober?.close();
    this.#prober = probes.length === 0 ? undefined : this.#start(probes);
  }

  close(): void {
    this.#prober?.close();
    this.#prober = undefined;
  }

  #start(probes: readonly NodeProbe[]): Prober {
    const byTarget = new Map<ProbedTarget, NodeProbe>();
    for (const probe of probes) {
      const target = parseProbeUrl(probe.ask, probe.options);
      // A configuration in force has none that cannot be asked.
      if (typeof target !== "string") byTarget.set(target, probe);
    }
    const run = `${wallMs()}-${process.pid}`;
    const prober: Prober = new Prober({
      targets: [...byTarget.keys()],
      onNews: (target, news) => {
        const { name, service } = byTarget.get(target)!;
        const found = contentOf(news);
        if (found === undefined) return;
        this.#options.take({
          probe: name,
          run,
          target: target.name,
          ...(service === undefined ? {} : { service }),
          sentMs: prober.wallNowMs,
          ...found,
        });
      },
      onOwnTrouble: (text) => this.#trouble(text),
    });
    return prober;
  }

  #trouble(text: string): void {
    if (wallMs() - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = wallMs();
    this.#options.trouble(text);
  }
}

function contentOf(news: WatchNews): Pick<ProbeReport, "buckets" | "outages"> | undefined {
  if (news.kind === "bucket") return { buckets: [news.bucket], outages: [] };
  return "outage" in news ? { buckets: [], outages: [news.outage] } : undefined;
}
